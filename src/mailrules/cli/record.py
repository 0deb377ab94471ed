"""A journal entry for programs: the keys of `--json`, and its moments for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mailrules.model.entry import Entry, State, StepRecord
from mailrules.model.rule import Disposition


def entry_json(entry: Entry, *, tries: bool = True) -> dict[str, Any]:
    """Everything about an entry, in plain values; without *tries* only the latest record of each step."""
    return {
        "id": entry.id,
        "listener": entry.listener,
        "account": entry.account,
        "folder": entry.ref.folder,
        "validity": entry.ref.validity,
        "uid": entry.ref.uid,
        "state": entry.state.value,
        "reason": entry.reason,
        "rule": entry.rule,
        "rule_at": entry.rule_span,
        "code": int(entry.code),
        "word": entry.code.word,
        "disposition": disposition_json(entry.disposition),
        "steps": [step_json(step) for step in (entry.steps if tries else last_records(entry))],
        "from": entry.sender,
        "subject": entry.subject,
        "date": entry.date,
        "message_id": entry.message_id,
        "captures": dict(entry.captures),
        "attempts": entry.attempts,
        "retry_at": next_try(entry),
        "updated": entry.updated,
    }


def disposition_json(disposition: Disposition) -> dict[str, Any]:
    """Only what is to be done: `{"move": "Invoices", "seen": true}`; empty when the message is left as it is."""
    said: dict[str, Any] = {"delete": True} if disposition.delete else {}
    said |= {"move": disposition.move} if disposition.move else {}
    said |= {"seen": disposition.seen} if disposition.seen is not None else {}
    lists = {"copy": disposition.copy, "flags": disposition.flags, "labels": disposition.labels}
    return said | {name: list(values) for name, values in lists.items() if values}


def step_json(step: StepRecord) -> dict[str, Any]:
    """One try of one step."""
    return {
        "position": step.position,
        "name": step.name,
        "state": step.state.value,
        "detail": step.detail,
        "result": dict(step.result),
        "key": step.key,
        "at": step.at,
        "written_at": step.span,
    }


def last_records(entry: Entry) -> Sequence[StepRecord]:
    """The latest record of each step, in order."""
    latest = {record.position: record for record in entry.steps}
    return [latest[position] for position in sorted(latest)]


def next_try(entry: Entry) -> datetime | None:
    """When it is tried again by itself; None when it is not."""
    return entry.retry_at if entry.state is State.RETRY else None


def moment(at: datetime | None) -> str:
    """In the local time zone, to the second; empty for none."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def zoned(at: datetime | None) -> str:
    """The same with the zone's name: `2026-03-02 10:15:00 CET`."""
    return f"{moment(at)} {at.astimezone():%Z}" if at else ""
