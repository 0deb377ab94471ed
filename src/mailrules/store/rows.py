"""Entries and step records as rows, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, select

from mailrules.model.code import Code
from mailrules.model.entry import Entry, State, StepRecord, StepState
from mailrules.model.mailbox import Ref
from mailrules.model.rule import UNTOUCHED, Disposition
from mailrules.store.failure import told
from mailrules.store.schema import entries, steps

CHUNK = 1000
"""Values in one IN list: well under what SQLite (32,766) and PostgreSQL (65,535) take."""

ENTRY_COLUMNS = tuple(column for column in entries.c if column.name != "claim")
"""What is read of an entry, in the order in which `entry_of` takes it."""

_CODES = {int(code): code for code in Code}
_STATES = {state.value: state for state in State}
_STEP_COLUMNS = tuple(column for column in steps.c if column.name != "id")

_STEPS = select(*_STEP_COLUMNS).where(steps.c.entry_id.in_(bindparam("entries", expanding=True))).order_by(steps.c.id)

_Item = TypeVar("_Item")


def chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Lists of at most `CHUNK`."""
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def row_of(entry: Entry, now: datetime) -> dict[str, Any]:
    """The entry's columns, stamped *now*; neither its id nor its steps."""
    return {
        "listener": entry.listener,
        "account": entry.account,
        "folder": entry.ref.folder,
        "validity": entry.ref.validity,
        "uid": entry.ref.uid,
        "fingerprint": entry.fingerprint,
        "state": entry.state.value,
        "rule": entry.rule,
        "rule_span": entry.rule_span,
        "code": int(entry.code),
        "disposition": _written(entry.disposition),
        "reason": entry.reason,
        "attempts": entry.attempts,
        "retry_at": entry.retry_at,
        "message_id": entry.message_id,
        "subject": entry.subject,
        "sender": entry.sender,
        "date": entry.date,
        "captures": entry.captures,
        "updated": now,
    }


def advance_of(entry: Entry, now: datetime) -> dict[str, Any]:
    """How far the entry of this number has come, stamped *now*."""
    return {
        "number": entry.id,
        "state": entry.state.value,
        "reason": entry.reason,
        "attempts": entry.attempts,
        "retry_at": entry.retry_at,
        "updated": now,
    }


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of one row of `ENTRY_COLUMNS`, without its steps."""
    number, listener, account, folder, validity, uid, fingerprint, state, rule, rule_span, code, *rest = row
    disposition, reason, attempts, retry_at, message_id, subject, sender, date, captures, updated = rest
    return Entry(
        listener,
        account,
        Ref(folder, validity, uid),
        fingerprint,
        _STATES[state],
        number,
        rule,
        rule_span,
        _CODES[code],
        _read(disposition),
        reason,
        attempts,
        retry_at,
        message_id,
        subject,
        sender,
        date,
        captures,
        (),
        updated,
    )


class EntriesByRef(Mapping[Ref, Entry]):
    """Entries made of their rows only when looked at: a pass asks of every message whether it is known, and reads few.

    Of several rows with one reference the latest counts. *place* names the journal in errors.
    """

    def __init__(self, rows: Iterable[Sequence[Any]], place: str) -> None:
        self._rows = {Ref(row[3], row[4], row[5]): row for row in sorted(rows, key=itemgetter(0))}
        self._place = place

    def __getitem__(self, ref: Ref) -> Entry:
        row = self._rows[ref]
        with told(self._place):
            return entry_of(row)

    def __contains__(self, ref: object) -> bool:
        return ref in self._rows

    def __iter__(self) -> Iterator[Ref]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def step_row_of(entry_id: int, record: StepRecord) -> dict[str, Any]:
    """The record's columns."""
    return {
        "entry_id": entry_id,
        "position": record.position,
        "name": record.name,
        "digest": record.digest,
        "state": record.state.value,
        "key": record.key,
        "detail": record.detail,
        "result": record.result,
        "at": record.at,
        "span": record.span,
    }


def with_steps(connection: Connection, found: Sequence[Entry]) -> list[Entry]:
    """The same entries with all their step records, in the order in which these were written."""
    records: dict[int, list[StepRecord]] = {}
    for chunk in chunks(entry.id for entry in found):
        for row in connection.execute(_STEPS, {"entries": chunk}):
            records.setdefault(row.entry_id, []).append(_step_of(row))
    return [replace(entry, steps=tuple(records.get(entry.id or 0, ()))) for entry in found]


def _step_of(row: Row[Any]) -> StepRecord:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    columns = {name: value for name, value in values.items() if name != "entry_id"}
    return StepRecord(**columns | {"state": StepState(row.state)})


@lru_cache(maxsize=256)
def _written(disposition: Disposition) -> str:
    usual = asdict(UNTOUCHED)
    return json.dumps({name: value for name, value in asdict(disposition).items() if value != usual[name]})


@lru_cache(maxsize=256)
def _read(text: str) -> Disposition:
    if text == "{}":
        return UNTOUCHED
    values: dict[str, Any] = json.loads(text)
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Disposition(**values)
