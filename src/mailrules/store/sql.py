"""The durable journal: SQLite by default, any database of SQLAlchemy's by the same tables."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    create_engine,
    delete,
    func,
    insert,
    make_url,
    or_,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError

from mailrules.model.entry import Entry, State, StepRecord
from mailrules.model.health import Health
from mailrules.model.journal import History, Journal, JournalError, Query
from mailrules.model.mailbox import Ref
from mailrules.model.tally import LONGEST, Mark
from mailrules.store.claim import add_new, claim, if_new
from mailrules.store.failure import told
from mailrules.store.holds import Holds
from mailrules.store.revision import settle_revision, writing
from mailrules.store.rows import (
    ENTRY_COLUMNS,
    EntriesByRef,
    advance_of,
    chunks,
    entry_of,
    row_of,
    step_row_of,
    with_steps,
)
from mailrules.store.schema import entries, listeners, tallies
from mailrules.store.schema import health as healths
from mailrules.store.sqlite import reading_engine, writing_engine
from mailrules.store.statements import (
    ADD_STEPS,
    DUE,
    FIRST_PASS,
    HANDLED,
    HISTORY,
    IN_HAND,
    KNOWN,
    KNOWN_OF_ACCOUNT,
    NUMBERED,
    places,
)

Clock = Callable[[], datetime]
PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Seconds (the last one: milliseconds) until libpq gives a database up that has fallen silent; its own are hours."""


def system_clock() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


def open_journal(url: str, *, readonly: bool = False, clock: Clock = system_clock) -> Journal:
    """The journal at the SQLAlchemy address *url* (`sqlite:///journal.db`), made or brought up to date if needed.

    *readonly* changes nothing on disk, not even files beside it; an absent journal then reads as empty, and every
    writing method raises. *clock* stamps what is written.

    Raises:
        JournalError: it cannot be opened, is another program's, or was written by a newer mailrules.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise JournalError("the journal's address is no SQLAlchemy URL; write it as sqlite:///journal.db") from None
    place = str(address.database) if _is_sqlite(address) else address.render_as_string(hide_password=True)
    with told(place):
        engine = _engine(address, readonly=readonly)
        try:
            settle_revision(engine, readonly=readonly)
        except BaseException:
            engine.dispose()
            raise
    return SqlJournal(engine, place=place, readonly=readonly, clock=clock)


def _engine(url: URL, *, readonly: bool) -> Engine:
    if _is_sqlite(url):
        return reading_engine(url) if readonly else writing_engine(url)
    try:
        patience = PATIENCE if url.get_driver_name().startswith("psycopg") else {}
        return create_engine(url.update_query_dict({**patience, **url.query}), hide_parameters=True, pool_pre_ping=True)
    except ImportError as error:
        raise JournalError(f"the journal's database needs a driver that is not installed ({error})") from error


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


class SqlJournal:
    """`Journal` in a database; see there. Safe to use from several threads and processes at once."""

    def __init__(self, engine: Engine, *, place: str, readonly: bool = False, clock: Clock = system_clock) -> None:
        self._engine = engine
        self._place = place
        self._readonly = readonly
        self._clock = clock
        self._first_passes: dict[str, datetime] = {}  # once noted, they stay
        self._holds = Holds(engine) if engine.dialect.name == "postgresql" and not readonly else None
        self._turn = threading.Lock()  # SQLite lets writers wait by polling: threads of one process queue fairly here

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self._place), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._readonly:
            raise JournalError(f"journal {self._place}: it is open for reading only")
        with self._turn, told(self._place), writing(self._engine) as connection:
            yield connection

    def known(self, listener: str, refs: Sequence[Ref], *, account: str | None = None) -> Mapping[Ref, Entry]:
        """The entries of this listener for those *refs* that have one (without their steps)."""
        query = KNOWN if account is None else KNOWN_OF_ACCOUNT
        rows: list[Row[Any]] = []
        with self._reading() as connection:
            for place in places(listener, refs):
                rows += connection.execute(query, place | ({} if account is None else {"account": account}))
        return EntriesByRef(rows, self._place)

    def handled(self, listener: str, fingerprints: Sequence[str]) -> Mapping[str, Entry]:
        """The latest entry of this listener with each of these fingerprints, whatever its place (without its steps)."""
        found: dict[str, Entry] = {}
        with self._reading() as connection:
            for chunk in chunks(dict.fromkeys(fingerprints)):
                rows = connection.execute(HANDLED, {"listener": listener, "fingerprints": chunk}).all()
                found |= {entry.fingerprint: entry for entry in map(entry_of, rows)}
        return found

    def claim(self, wanted: Sequence[Entry]) -> list[Entry]:
        """Take messages in hand: new rows, or rows in `retry` again; each comes back with its `id`."""
        if not wanted:
            return []
        with self._writing() as connection:
            return claim(connection, wanted, self._clock(), _token())

    def record(self, entry: Entry, *records: StepRecord) -> Entry:
        """Append step records and write the entry's own columns; gives the entry with them."""
        now = self._clock()
        stamped = tuple(record if record.at else replace(record, at=now) for record in records)
        with self._writing() as connection:
            _update(connection, [entry], now)
            if stamped:
                connection.execute(ADD_STEPS, [step_row_of(entry.id or 0, record) for record in stamped])
        return replace(entry, steps=entry.steps + stamped, updated=now)

    def save(self, changed: Iterable[Entry]) -> None:
        """Write the columns (state, reason, attempts, retry_at, ...) of entries that have an `id`."""
        if rows := list(changed):
            with self._writing() as connection:
                _update(connection, rows, self._clock())

    def advance(self, changed: Iterable[Entry]) -> None:
        """Write only how far entries that have an `id` have come: state, reason, attempts, retry_at."""
        if rows := list(changed):
            with self._writing() as connection:
                _advance(connection, rows, self._clock())

    def unfinished(self, listener: str) -> list[Entry]:
        """Entries that a crash left in hand, with their steps, oldest first."""
        return self._waiting(IN_HAND, {"listener": listener})

    def due(self, listener: str, now: datetime) -> list[Entry]:
        """Entries in `retry` whose time has come, with their steps, oldest first."""
        return self._waiting(DUE, {"listener": listener, "now": now})

    def _waiting(self, query: Select[Any], asked: Mapping[str, Any]) -> list[Entry]:
        with self._reading() as connection:
            return with_steps(connection, [entry_of(row) for row in connection.execute(query, asked)])

    def find(self, query: Query) -> list[Entry]:
        """Entries for people to look at, with their steps, the latest number first."""
        asked = select(*ENTRY_COLUMNS).where(*_asked(query)).order_by(entries.c.id.desc()).limit(query.limit)
        parts: list[tuple[ColumnElement[bool], ...]] = [
            (entries.c.id.in_(chunk),) for chunk in chunks(sorted(query.ids, reverse=True))
        ]
        with self._reading() as connection:
            found = [entry_of(row) for part in parts or [()] for row in connection.execute(asked.where(*part))]
            return with_steps(connection, found[: query.limit])

    def first_pass(self, listener: str) -> datetime | None:
        """When this listener first ran; None before."""
        if (noted := self._first_passes.get(listener)) is not None:
            return noted
        with self._reading() as connection:
            found: datetime | None = connection.scalar(FIRST_PASS, {"listener": listener})
        if found is not None:
            self._first_passes[listener] = found
        return found

    def begin(self, listener: str, now: datetime, skipped: Sequence[Entry]) -> None:
        """Note the first pass, together with the messages that it leaves alone."""
        with self._writing() as connection:
            connection.execute(if_new(connection, listeners), {"name": listener, "first_pass": now})
            add_new(connection, skipped, self._clock(), _token())

    def history(self, listener: str) -> History:
        """What is on record of its runs; of a listener that never ran, nothing."""
        with self._reading() as connection:
            row = connection.execute(HISTORY, {"listener": listener}).one_or_none()
        return History(row.runs, row.last_run, row.stopped or "") if row else History()

    def ran(self, listener: str, began: datetime) -> None:
        """Count a run that has come to its end, of a listener whose first pass is noted."""
        self._note(listener, runs=listeners.c.runs + 1, last_run=began)

    def stop(self, listener: str, reason: str) -> None:
        """Note why a listener whose first pass is noted takes no new mail any more."""
        self._note(listener, stopped=reason)

    def health(self) -> Mapping[str, Health]:
        """How each listener fares, by name; what was never noted is left out."""
        with self._reading() as connection:
            rows = connection.execute(select(healths)).all()
        return {name: Health(*columns) for name, *columns in rows}

    def note(self, health: Mapping[str, Health]) -> None:
        """Put on record how these listeners fare, whether or not they have had a first pass."""
        rows = [{"listener": name} | asdict(each) for name, each in health.items()]
        if not rows:
            return
        with self._writing() as connection:
            for chunk in chunks(health):
                connection.execute(delete(healths).where(healths.c.listener.in_(chunk)))
            connection.execute(insert(healths), rows)

    def _note(self, listener: str, **columns: Any) -> None:
        with self._writing() as connection:
            noted = connection.execute(update(listeners).where(listeners.c.name == listener).values(**columns))
            if not noted.rowcount:
                raise JournalError(f"the journal knows of no first pass of listener '{listener}'")

    def tally(self, marks: Sequence[Mark], now: datetime) -> None:
        """Count these now, each once for its key; what was counted longer than `LONGEST` ago is forgotten."""
        if not marks:
            return
        with self._writing() as connection:
            connection.execute(delete(tallies).where(tallies.c.at < now - LONGEST))
            connection.execute(if_new(connection, tallies), [mark._asdict() | {"at": now} for mark in marks])

    def tallied(self, what: str, whom: str, since: datetime, *, most: int, apart: str = "") -> Sequence[datetime]:
        """When it was counted since then, the latest first and *most* of them, but for the key *apart*."""
        column = tallies.c
        meant = (column.what == what, column.whom == whom, column.at >= since, column.key != apart)
        with self._reading() as connection:
            return list(connection.scalars(select(column.at).where(*meant).order_by(column.at.desc()).limit(most)))

    def totals(self, listener: str) -> Mapping[State, int]:
        """How many entries stand in each state; every state is named."""
        query = select(entries.c.state, func.count()).where(entries.c.listener == listener).group_by(entries.c.state)
        with self._reading() as connection:
            return dict.fromkeys(State, 0) | {State(state): count for state, count in connection.execute(query)}

    @contextmanager
    def holding(self, listener: str) -> Iterator[bool]:
        """Hold a listener for the length of the block, against other machines; a file is one process's anyhow."""
        with told(self._place):
            ours = self._holds is None or self._holds.take(listener)
        try:
            yield ours
        finally:
            if ours and self._holds is not None:
                self._holds.give_back(listener)

    def close(self) -> None:
        """Let go of the file or connection."""
        if self._holds is not None:
            self._holds.close()
        with told(self._place):
            self._engine.dispose()


def _token() -> int:
    return secrets.randbits(62)


def _update(connection: Connection, changed: Sequence[Entry], now: datetime) -> None:
    rows: list[dict[str, Any]] = [row_of(entry, now) | {"number": entry.id} for entry in changed]
    _all_there(connection.execute(NUMBERED, rows).rowcount, rows)


def _advance(connection: Connection, changed: Sequence[Entry], now: datetime) -> None:
    rows = [advance_of(entry, now) for entry in changed]
    _all_there(connection.execute(NUMBERED, rows).rowcount, rows)


def _all_there(written: int, rows: Sequence[object]) -> None:
    if written != len(rows):
        raise JournalError(
            f"{len(rows) - written} of {len(rows)} entries are not in the journal any more; look with 'mailrules log'"
        )


def _asked(query: Query) -> Iterator[ColumnElement[bool]]:
    columns = entries.c
    if query.listener is not None:
        yield columns.listener == query.listener
    if query.states:
        yield columns.state.in_(sorted(query.states))
    if query.rule is not None:
        yield columns.rule == query.rule
    if query.since is not None:
        yield columns.updated >= query.since
    if query.text:
        looked_at = (columns.subject, columns.sender, columns.message_id)
        yield or_(*(column.icontains(query.text, autoescape=True) for column in looked_at))
