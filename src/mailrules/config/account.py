"""Accounts: protocols and log-in chosen, their options built, and whether they go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import UnsetType

from mailrules.api import NoCredential
from mailrules.api.guard import loop_token
from mailrules.config import moments, plugged
from mailrules.config.document import Node
from mailrules.config.findings import Findings
from mailrules.config.limits import read_cap
from mailrules.config.lines import check_copies, check_lines, check_sender
from mailrules.config.presets import PRESETS, choice, filled
from mailrules.config.settings import Account
from mailrules.config.spec import AccountSpec, FromSpec
from mailrules.config.structure import fit
from mailrules.model.message import AUTO_REPLY_SUBJECTS, Address, Trust
from mailrules.registry import Provided, Registry

Chosen = tuple[Provided[Any], Any]
"""A plugin's item and its built options."""


def build_accounts(node: Node, registry: Registry, root: Path, findings: Findings) -> dict[str, Account]:
    """Every account that is right, each knowing the addresses of all."""
    built = {name: build_account(name, child, registry, root, findings) for name, child in node.items()}
    accounts = {name: account for name, account in built.items() if account}
    own = frozenset(address for account in accounts.values() for address in _addresses(account))
    tokens = frozenset(loop_token(address) for address in own)
    return {
        name: replace(account, trust=replace(account.trust, own_addresses=own, own_tokens=tokens))
        for name, account in accounts.items()
    }


def _addresses(account: Account) -> list[str]:
    options = account.auth[1] if account.auth else None
    names = (getattr(options, name, "") for name in ("login", "mailbox"))
    sender = account.sender.address if account.sender else ""
    return [address.lower() for address in (sender, *names) if isinstance(address, str) and "@" in address]


def build_account(name: str, node: Node, registry: Registry, root: Path, findings: Findings) -> Account | None:
    """One account; None and diagnostics when it cannot be used."""
    owner, before = f"account '{name}'", findings.errors
    spec = fit(node, AccountSpec, findings, owner=owner)
    if not isinstance(node.value, dict):
        return None
    choices = _choices(node, registry, root, findings, owner)
    _check(node, choices, root, findings, owner)
    if spec is None or findings.errors > before:
        return None
    timezone = moments.read_zone(node["timezone"], spec.timezone, findings) if "timezone" in node else "UTC"
    return Account(
        name=name,
        receive=choices["receive"],
        send=choices["send"],
        auth=choices["auth"],
        sender=_sender(spec),
        naming=spec.sender.policy if isinstance(spec.sender, FromSpec) else "company",
        sent=spec.sent,
        trust=_trust(spec, registry),
        cap=read_cap(node, spec.cap, findings),
        timezone=timezone,
        missing_folder=spec.missing_folder,
        max_connections=spec.max_connections,
        description=spec.description,
        span=node.span,
    )


def _choices(node: Node, registry: Registry, root: Path, findings: Findings, owner: str) -> dict[str, Chosen | None]:
    """The protocols and the log-in, by the key that each stands under."""
    choices: dict[str, Chosen | None] = {}
    word = node.value.get("preset")
    preset = PRESETS.get(word, {}) if isinstance(word, str) else {}
    for key, table, what in (
        ("receive", registry.receive, "protocol"),
        ("send", registry.send, "protocol"),
        ("auth", registry.auth, "auth"),
    ):
        written, known = choice(node, key, preset), preset.get(key, {})
        choices[key] = _chosen(written, table, root, findings, what, f"'{key}' of {owner}", known) if written else None
    return choices


def _check(node: Node, choices: Mapping[str, Chosen | None], root: Path, findings: Findings, owner: str) -> None:
    """Whether its parts go together."""
    _check_log_in(node, choices, findings, owner)
    check_lines(node, choices, root, findings, owner)
    check_sender(node, findings, owner)
    if choices["receive"] or "receive" not in node:
        check_copies(node, choices["receive"], findings, owner)
    if not {"receive", "send", "preset"} & node.value.keys():
        help_ = "say how to reach it: receive: {imap: {...}}"
        findings.add(node.label, "missing-key", f"{owner} needs 'receive' or 'send'", help_)


def _trust(spec: AccountSpec, registry: Registry) -> Trust:
    return Trust(
        authserv_id=spec.trust.authserv_id,
        forwarders=frozenset(text.lower() for text in spec.trust.forwarders),
        auto_reply_subjects=_subjects(spec.auto_reply_subjects),
        unpackers=tuple(provided.item for provided in registry.unpackers.values()),
    )


def _subjects(written: list[str] | UnsetType) -> tuple[str, ...]:
    return AUTO_REPLY_SUBJECTS if isinstance(written, UnsetType) else tuple(written)


def _sender(spec: AccountSpec) -> Address | None:
    if isinstance(spec.sender, FromSpec):
        return Address(spec.sender.name, spec.sender.address)
    return Address("", spec.sender) if isinstance(spec.sender, str) else None


def _chosen(
    node: Node,
    table: Mapping[str, Provided[Any]],
    root: Path,
    findings: Findings,
    what: str,
    owner: str,
    known: Mapping[str, Mapping[str, Any]],
) -> Chosen | None:
    found = plugged.named(node, findings, owner=owner)
    if found is None:
        return None
    name, raw = found
    raw = filled(raw, known.get(name, {}))
    plugin = plugged.provided(name, raw, table, findings, what=what)
    options = plugged.build(raw, plugin.item.options, root, findings, owner=f"'{name}' of {owner}") if plugin else None
    return (plugin, options) if plugin and options is not None else None


def _fits(accepts: frozenset[type[Any]], yields: type[Any], *, said: bool) -> bool:
    """Whether a protocol takes what a log-in gives; where most servers ask for one, that there is none must be said."""
    return accepts == {NoCredential} or (yields in accepts and said)


def _check_log_in(node: Node, choices: Mapping[str, Chosen | None], findings: Findings, owner: str) -> None:
    """Whether the protocols take what the log-in gives."""
    auth = choices["auth"]
    if auth is None and "auth" in node:
        return
    yields = auth[0].item.yields if auth else NoCredential
    for key in ("receive", "send"):
        chosen = choices[key]
        if chosen and not _fits(chosen[0].item.accepts, yields, said=auth is not None or key == "send"):
            name, accepts = chosen[0].item.name, chosen[0].item.accepts - {NoCredential}
            accepted = " or ".join(sorted(kind.__name__.removesuffix("Credential").lower() for kind in accepts))
            given = f"'{auth[0].item.name}' gives another" if auth else "there is no 'auth'"
            findings.add(
                node[place].label if (place := "auth" if auth else key) in node else node.label,
                "auth-mismatch",
                f"'{name}' of {owner} logs in by {accepted}, and {given}",
                "choose another 'auth'" if auth else 'add auth: {password: {login: ..., password: "env:NAME"}}',
            )
