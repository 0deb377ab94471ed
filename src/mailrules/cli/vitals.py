"""What is to be said of each listener, gathered from journal, files and lock; nothing is asked of any server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from mailrules.api import LogInState
from mailrules.cli.log_in import token_state
from mailrules.cli.workspace import STATE, chosen_listeners, existing_root
from mailrules.config.load import load_journal_address, load_workspace
from mailrules.config.report import summary
from mailrules.config.settings import Workspace
from mailrules.core.health import RED, Condition, condition
from mailrules.engine.world import system_clock
from mailrules.model.entry import UNFINISHED, State
from mailrules.model.health import Health
from mailrules.model.journal import Journal
from mailrules.store.lock import holder
from mailrules.store.sql import open_journal


@dataclass(frozen=True, slots=True)
class Vital:
    """One listener."""

    name: str
    account: str
    condition: Condition
    health: Health
    totals: Mapping[State, int]
    token: LogInState | None = None
    """What its account has to log in with, where that are tokens."""

    @property
    def retrying(self) -> int:
        """Messages that are tried again by themselves, or are in hand."""
        return sum(self.totals[state] for state in (State.RETRY, *UNFINISHED))

    @property
    def parked(self) -> int:
        """Messages that a person must look at."""
        return self.totals[State.PARKED]

    @property
    def trouble(self) -> tuple[str, str]:
        """(what is wrong, what to do); empty when nothing is."""
        if self.health.ended:
            return self.health.ended, ""
        if self.health.error:
            return self.health.error, self.health.remedy or f"`mailrules accounts test {self.account}` looks closer"
        if self.condition is Condition.NOT_LISTENING:
            return "", ""
        if self.token and self.token.reason and self.condition is not Condition.OK:  # who succeeds knows better
            return self.token.reason, self.token.remedy
        if self.condition is Condition.NEVER_RAN:
            return "no process has taken it up", "start: mailrules run"
        return "", ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """All of them, and the process."""

    pid: int | None
    findings: str
    """What is wrong in the files, in a word; empty when they have no error."""
    listeners: tuple[Vital, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing needs anybody."""
        return not self.findings and not any(vital.condition in RED for vital in self.listeners)


def vitals(names: Sequence[str]) -> Vitals:
    """Those of the listeners named, or of all; where the files have errors, those of the listeners on record.

    Raises:
        click.UsageError: there is no workspace here, or no such listener.
        JournalError: the journal cannot be read.
    """
    root = existing_root()
    loaded = load_workspace(root)
    pid = holder(root / STATE / "lock")
    address = loaded.workspace.journal if loaded.workspace else load_journal_address(root)
    with closing(open_journal(address, readonly=True)) as journal:
        if loaded.workspace:
            found = _configured(loaded.workspace, names, journal, pid)
        else:
            found = _on_record(names, journal, pid)
        return Vitals(pid, "" if loaded.workspace else summary(loaded.diagnostics), tuple(found))


def _configured(workspace: Workspace, names: Sequence[str], journal: Journal, pid: int | None) -> Iterator[Vital]:
    noted, now = journal.health(), system_clock()
    tokens: dict[str, LogInState | None] = {}
    for listener in chosen_listeners(workspace, names):
        account = listener.account
        if account.name not in tokens:
            tokens[account.name] = token_state(account, workspace.root)
        record, totals = noted.get(listener.name), journal.totals(listener.name)
        word = condition(record, now, running=pid is not None) if listener.listen else Condition.NOT_LISTENING
        shown = record if record and listener.listen else Health(record.last_success if record else None)
        yield Vital(listener.name, account.name, word, shown, totals, tokens[account.name])


def _on_record(names: Sequence[str], journal: Journal, pid: int | None) -> Iterator[Vital]:
    now = system_clock()
    noted = {name: health for name, health in journal.health().items() if not health.ended}
    if unknown := [name for name in names if name not in noted]:
        raise click.UsageError(f"no listener named '{unknown[0]}' is on record, and the files have errors")
    for name in names or noted:
        word = condition(noted[name], now, running=pid is not None)
        yield Vital(name, "", word, noted[name], journal.totals(name))


def vitals_json(found: Vitals) -> dict[str, Any]:
    """For programs."""
    return {
        "fine": found.fine,
        "process": found.pid,
        "configuration": found.findings,
        "listeners": [_vital_json(vital) for vital in found.listeners],
    }


def _vital_json(vital: Vital) -> dict[str, Any]:
    error, remedy = vital.trouble
    return {
        "listener": vital.name,
        "account": vital.account,
        "state": vital.condition.value,
        "last_success": vital.health.last_success,
        "failures": vital.health.failures,
        "since": vital.health.since,
        "error": error,
        "remedy": remedy,
        "next_run": vital.health.next_run,
        "overdue": vital.health.overdue,
        "waiting": vital.health.waiting,
        "retrying": vital.retrying,
        "parked": vital.parked,
        "token_until": _until(vital),
    }


def _until(vital: Vital) -> datetime | None:
    return vital.token.until if vital.token else None
