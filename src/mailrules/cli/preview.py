"""Mails that would leave, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailrules.cli.record import last_records
from mailrules.cli.terminal import console, safe
from mailrules.engine.preview import Previews
from mailrules.model.entry import Entry


def print_previews(entry: Entry, previews: Previews) -> None:
    """Each mail that the steps of *entry* would send."""
    out = console()
    for record in last_records(entry):
        for line in _lines(record.key, previews):
            out.print(safe_line(line), soft_wrap=True, highlight=False, markup=False)


def _lines(key: str, previews: Previews) -> Iterator[str]:
    if key in previews.mails:
        yield from ("", *previews.mails[key].rstrip("\n").split("\n"), "")
    elif key in previews.reasons:
        yield f"no mail to show: {previews.reasons[key]}"


def safe_line(line: str) -> str:
    """A line with its indent, which a folded field needs."""
    bare = line.lstrip(" \t")
    return line[: len(line) - len(bare)].expandtabs() + safe(bare)


def with_previews(entry: dict[str, Any], previews: Previews | None) -> dict[str, Any]:
    """An entry for programs, each step that sends with its `preview`, or with `no_preview`, the reason."""
    for step in entry["steps"] if previews else ():
        assert previews is not None
        if mail := previews.mails.get(step["key"]):
            step["preview"] = mail
        elif reason := previews.reasons.get(step["key"]):
            step["no_preview"] = reason
    return entry
