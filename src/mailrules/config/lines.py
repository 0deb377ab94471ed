"""What of an account can be seen to fail, or to be unsafe, before any server is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailrules.config.document import Node, Place
from mailrules.config.findings import Findings

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_HERE = re.compile(r"localhost|127(?:\.\d+){3}|::1|\[::1\]", re.IGNORECASE)


def check_sender(node: Node, findings: Findings, owner: str) -> None:
    """Tell of a `from` that is no address."""
    if "from" not in node:
        return
    written = node["from"]["address"] if "address" in node["from"] else node["from"]
    if isinstance(written.value, str) and written.value and not _ADDRESS.fullmatch(written.value):
        help_ = "write from: {address: jo@example.com, name: Jo}"
        findings.add(written.place, "bad-address", f"'from' of {owner} is no address: {written.place.text}", help_)


def check_copies(node: Node, receive: tuple[Any, Any] | None, findings: Findings, owner: str) -> None:
    """Tell of copies of sent mail that can be put nowhere."""
    if "sent" not in node or not node["sent"].value:
        return
    if receive is None or receive[0].item.append is None:
        why = f"{receive[0].item.name} cannot do that" if receive else "it only sends"
        message = f"no copy of what is sent can be put into {owner}: {why}"
        findings.add(node["sent"].place, "cannot-append", message, "leave 'sent' out")


def check_lines(
    node: Node, choices: Mapping[str, tuple[Any, Any] | None], root: Path, findings: Findings, owner: str
) -> None:
    """Tell of a certificate that is not there, and of a password that would travel in the clear."""
    for key in ("receive", "send"):
        chosen = choices[key]
        if chosen is None:
            continue
        options = chosen[1]
        _check_certificate(_place(node, key, "certificate"), getattr(options, "certificate", ""), root, findings)
        host = getattr(options, "host", "")
        if getattr(options, "security", "") == "none" and choices["auth"] and host and not _HERE.fullmatch(host):
            findings.add(
                _place(node, key, "security"),
                "in-the-clear",
                f"'{key}' of {owner} sends the log-in to {host} in the clear",
                "write security: tls, or starttls",
            )


def _check_certificate(place: Place, written: object, root: Path, findings: Findings) -> None:
    if not isinstance(written, str) or not written or "-----BEGIN" in written:
        return
    if not (root / Path(written).expanduser()).is_file():
        message = f"there is no certificate file '{written}'"
        findings.add(place, "no-file", message, "give the path of a PEM file, from the folder of mailrules.yaml")


def _place(node: Node, key: str, option: str) -> Place:
    """Where the option stands; where it comes from a preset, what chose it."""
    if key not in node:
        return node.label
    chosen = node[key]
    inside = next(iter(dict(chosen.items()).values()), chosen) if isinstance(chosen.value, dict) else chosen
    return inside[option].place if option in inside else chosen.label
