"""Claiming: of any number of processes exactly one gets a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Insert, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite

from mailrules.model.entry import Entry, State
from mailrules.model.mailbox import Ref
from mailrules.store.rows import chunks, row_of, with_steps
from mailrules.store.schema import entries
from mailrules.store.statements import STANDING, TAKE_AGAIN, places

MANY = 1000
"""Rows at once that change what a table is like."""

Key = tuple[str, Ref, str]
"""What makes a message of a listener one: listener, reference, account."""


def key_of(entry: Entry) -> Key:
    """The entry's key."""
    return entry.listener, entry.ref, entry.account


def claim(connection: Connection, wanted: Sequence[Entry], now: datetime, token: int) -> list[Entry]:
    """Those of *wanted* that are new or in `retry`, now in the database as given and bearing *token*, in order.

    Of several that are one message the first counts. Taken again, an entry comes with the steps that are on record,
    whatever the caller knew of them.
    """
    fresh: dict[Key, Entry] = {}
    for entry in wanted:
        if entry.id is None:
            fresh.setdefault(key_of(entry), entry)
    add_new(connection, fresh.values(), now, token)
    numbers: dict[Key, int] = {}
    mine: dict[int, Entry] = {}
    for number, key, state, bearer in _standing(connection, fresh):
        if bearer == token:
            mine[number] = replace(fresh[key], id=number, updated=now)
        if bearer == token or state == State.RETRY:
            numbers[key] = number
    order = [(entry.id or numbers.get(key_of(entry)), entry) for entry in wanted]
    again: dict[int, Entry] = {}
    for waiting, entry in order:
        if waiting is not None and waiting not in mine:
            again.setdefault(waiting, replace(entry, id=waiting))
    mine |= {entry.id or 0: entry for entry in _take_again(connection, again, now, token)}
    found = (mine.pop(number, None) for number, _ in order if number is not None)
    return [entry for entry in found if entry is not None]


def add_new(connection: Connection, fresh: Iterable[Entry], now: datetime, token: int) -> None:
    """Insert entries; those whose message is there already are passed over."""
    rows = [row_of(entry, now) | {"claim": token} for entry in fresh]
    if rows:
        connection.execute(if_new(connection, entries), rows)
    if len(rows) > MANY and connection.dialect.name == "postgresql":
        connection.execute(
            text("ANALYZE entry")
        )  # until it has looked, it reads all of a listener's rows at each question


def if_new(connection: Connection, table: Table) -> Insert:
    """An insert that passes over rows whose key is there already."""
    return _if_new(connection.dialect.name, table)


@cache
def _if_new(dialect: str, table: Table) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def _standing(connection: Connection, keys: Mapping[Key, Entry]) -> Iterator[tuple[int, Key, str, int]]:
    """Number, key, state and token of the rows with these keys."""
    for listener in dict.fromkeys(listener for listener, _, _ in keys):
        for place in places(listener, (ref for name, ref, _ in keys if name == listener)):
            for number, folder, validity, uid, account, state, token in connection.execute(STANDING, place):
                key = (listener, Ref(folder, validity, uid), account)
                if key in keys:
                    yield number, key, state, token


def _take_again(connection: Connection, again: Mapping[int, Entry], now: datetime, token: int) -> list[Entry]:
    """Those of *again*, by number, that were in `retry` still."""
    if not again:
        return []
    rows = [row_of(entry, now) | {"claim": token, "number": number} for number, entry in again.items()]
    connection.execute(TAKE_AGAIN, rows)
    taken: list[Entry] = []
    for chunk in chunks(again):
        mine = select(entries.c.id).where(entries.c.id.in_(chunk), entries.c.claim == token)
        taken += [replace(again[number], updated=now) for number in connection.scalars(mine)]
    return with_steps(connection, taken)
