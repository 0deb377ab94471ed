"""A journal in memory, over another or over nothing: dry run and tests read the truth, what they write vanishes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar

from mailrules.model.entry import UNFINISHED, Entry, State, StepRecord
from mailrules.model.health import Health
from mailrules.model.journal import History, Journal, JournalError, Query
from mailrules.model.mailbox import Ref
from mailrules.model.tally import Mark

FIRST_NUMBER = 1 << 40
"""Where the overlay's own numbers start when there is a journal below, so that the two never meet."""

_Key = tuple[str, Ref, str]
_Kind = TypeVar("_Kind", Ref, str)


class OverlayJournal:
    """`Journal` that answers as if *below* had been written to, and never writes there; None is an empty journal.

    An entry of the journal below that is changed lives on here from then on, with its steps. *clock* stamps what is
    written; closing closes the journal below too. Safe to use from several threads.
    """

    def __init__(
        self, below: Journal | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._below = below
        self._clock = clock
        self._numbers = count(1 if below is None else FIRST_NUMBER)
        self._own: dict[int, Entry] = {}
        self._places: dict[_Key, int] = {}
        self._first: dict[str, datetime] = {}
        self._histories: dict[str, History] = {}
        self._healths: dict[str, Health] = {}
        self._tallies: dict[Mark, datetime] = {}
        self._turn = threading.RLock()

    def known(self, listener: str, refs: Sequence[Ref], *, account: str | None = None) -> Mapping[Ref, Entry]:
        """The entries of this listener for those *refs* that have one (without their steps)."""
        with self._turn:
            found = dict(self._below.known(listener, refs, account=account)) if self._below else {}
            found = {ref: entry for ref, entry in found.items() if entry.id not in self._own}
            asked = frozenset(refs)
            mine = (entry for entry in self._mine(listener) if account in (None, entry.account))
            return _latest(found, ((entry.ref, entry) for entry in mine if entry.ref in asked))

    def handled(self, listener: str, fingerprints: Sequence[str]) -> Mapping[str, Entry]:
        """The latest entry of this listener with each of these fingerprints, whatever its place (without its steps)."""
        with self._turn:
            found = dict(self._below.handled(listener, fingerprints)) if self._below else {}
            asked = frozenset(fingerprints)
            mine = ((entry.fingerprint, entry) for entry in self._mine(listener) if entry.fingerprint in asked)
            return _latest(found, mine)

    def claim(self, wanted: Sequence[Entry]) -> list[Entry]:
        """Take messages in hand: new rows, or rows in `retry` again; each comes back with its `id`."""
        with self._turn:
            self._fetch(entry.id for entry in wanted)
            self._fetch_standing([entry for entry in wanted if entry.id is None])
            now = self._clock()
            taken = (self._claim(entry, now) for entry in wanted)
            return [entry for entry in taken if entry is not None]

    def _claim(self, entry: Entry, now: datetime) -> Entry | None:
        number = entry.id or self._places.get(_key(entry))
        standing = self._own.get(number) if number else None
        if standing is None:
            return None if number else self._put(replace(entry, id=next(self._numbers), updated=now))
        if standing.state is not State.RETRY:
            return None
        return self._put(replace(entry, id=number, steps=standing.steps, updated=now))

    def record(self, entry: Entry, *records: StepRecord) -> Entry:
        """Append step records and write the entry's own columns; gives the entry with them."""
        now = self._clock()
        stamped = tuple(record if record.at else replace(record, at=now) for record in records)
        with self._turn:
            self._write([entry], now, stamped)
        return replace(entry, steps=entry.steps + stamped, updated=now)

    def save(self, changed: Iterable[Entry]) -> None:
        """Write the columns (state, reason, attempts, retry_at, ...) of entries that have an `id`."""
        with self._turn:
            self._write(list(changed), self._clock())

    def _write(self, changed: Sequence[Entry], now: datetime, records: tuple[StepRecord, ...] = ()) -> None:
        self._fetch(entry.id for entry in changed)
        if missing := sum(entry.id not in self._own for entry in changed):
            raise JournalError(
                f"{missing} of {len(changed)} entries are not in the journal any more; look with 'mailrules log'"
            )
        for entry in changed:
            steps = self._own[_number(entry)].steps + records
            self._put(replace(entry, steps=steps, updated=now))

    def advance(self, changed: Iterable[Entry]) -> None:
        """Write only how far entries that have an `id` have come: state, reason, attempts, retry_at."""
        with self._turn:
            wanted = list(changed)
            self._fetch(entry.id for entry in wanted)
            self._write([_come_as_far(self._own.get(_number(entry), entry), entry) for entry in wanted], self._clock())

    def unfinished(self, listener: str) -> list[Entry]:
        """Entries that a crash left in hand, with their steps, oldest first."""
        with self._turn:
            below = self._below.unfinished(listener) if self._below else []
            return self._merged(below, (entry for entry in self._mine(listener) if entry.state in UNFINISHED))

    def due(self, listener: str, now: datetime) -> list[Entry]:
        """Entries in `retry` whose time has come, with their steps, oldest first."""
        with self._turn:
            below = self._below.due(listener, now) if self._below else []
            waiting = (entry for entry in self._mine(listener) if entry.state is State.RETRY)
            return self._merged(below, (entry for entry in waiting if entry.retry_at is None or entry.retry_at <= now))

    def find(self, query: Query) -> list[Entry]:
        """Entries for people to look at, with their steps, the latest number first."""
        with self._turn:
            more = None if query.limit is None else query.limit + len(self._own)
            below = self._below.find(replace(query, limit=more)) if self._below else []
            found = self._merged(below, (entry for entry in self._own.values() if _matches(entry, query)))
            return found[::-1][: query.limit]

    def first_pass(self, listener: str) -> datetime | None:
        """When this listener first ran; None before."""
        with self._turn:
            if (below := self._below.first_pass(listener) if self._below else None) is not None:
                return below
            return self._first.get(listener)

    def begin(self, listener: str, now: datetime, skipped: Sequence[Entry]) -> None:
        """Note the first pass, together with the messages that it leaves alone."""
        with self._turn:
            if self.first_pass(listener) is None:
                self._first[listener] = now
            self._fetch_standing(skipped)
            stamp = self._clock()
            for entry in skipped:
                if _key(entry) not in self._places:
                    self._put(replace(entry, id=next(self._numbers), steps=(), updated=stamp))

    def history(self, listener: str) -> History:
        """What is on record of its runs; of a listener that never ran, nothing."""
        with self._turn:
            below = self._below.history(listener) if self._below else History()
            return self._histories.get(listener, below)

    def ran(self, listener: str, began: datetime) -> None:
        """Count a run that has come to its end, of a listener whose first pass is noted."""
        self._note(listener, lambda history: replace(history, runs=history.runs + 1, last_run=began))

    def stop(self, listener: str, reason: str) -> None:
        """Note why a listener whose first pass is noted takes no new mail any more."""
        self._note(listener, lambda history: replace(history, stopped=reason))

    def holding(self, listener: str) -> AbstractContextManager[bool]:  # noqa: ARG002 - one process has it all
        """Nothing is taken from anybody, so it is always ours."""
        return nullcontext(True)

    def health(self) -> Mapping[str, Health]:
        """How each listener fares, by name; what was never noted is left out."""
        with self._turn:
            return {**(self._below.health() if self._below else {}), **self._healths}

    def note(self, health: Mapping[str, Health]) -> None:
        """Put on record how these listeners fare, whether or not they have had a first pass."""
        with self._turn:
            self._healths.update(health)

    def _note(self, listener: str, changed: Callable[[History], History]) -> None:
        with self._turn:
            if self.first_pass(listener) is None:
                raise JournalError(f"the journal knows of no first pass of listener '{listener}'")
            self._histories[listener] = changed(self.history(listener))

    def tally(self, marks: Sequence[Mark], now: datetime) -> None:
        """Count these now, each once for its key."""
        with self._turn:
            for mark in marks:
                self._tallies.setdefault(mark, now)

    def tallied(self, what: str, whom: str, since: datetime, *, most: int, apart: str = "") -> Sequence[datetime]:
        """When it was counted since then, the latest first and *most* of them, but for the key *apart*."""
        with self._turn:
            below = self._below.tallied(what, whom, since, most=most, apart=apart) if self._below else []
            own = [at for mark, at in self._tallies.items() if mark[:2] == (what, whom) and mark.key != apart]
            return sorted([*below, *(at for at in own if at >= since)], reverse=True)[:most]

    def totals(self, listener: str) -> Mapping[State, int]:
        """How many entries stand in each state; every state is named."""
        with self._turn:
            counted = Counter(entry.state for entry in self._mine(listener))
            if self._below:
                changed = frozenset(number for number in self._own if number < FIRST_NUMBER)
                before = self._below.find(Query(listener=listener, ids=changed, limit=None)) if changed else []
                counted.update(self._below.totals(listener))
                counted.subtract(entry.state for entry in before)
            return {state: counted[state] for state in State}

    def close(self) -> None:
        """Forget everything, and let go of the journal below."""
        self._own.clear()
        self._places.clear()
        if self._below:
            self._below.close()

    def _mine(self, listener: str) -> Iterable[Entry]:
        return (entry for entry in self._own.values() if entry.listener == listener)

    def _merged(self, below: Iterable[Entry], own: Iterable[Entry]) -> list[Entry]:
        return sorted([*(entry for entry in below if entry.id not in self._own), *own], key=_number)

    def _fetch(self, numbers: Iterable[int | None]) -> None:
        """Bring entries of the journal below, with their steps, up here before they change."""
        missing = frozenset(number for number in numbers if number is not None and number not in self._own)
        if self._below and missing:
            for entry in self._below.find(Query(ids=missing, limit=None)):
                self._put(entry)

    def _fetch_standing(self, wanted: Sequence[Entry]) -> None:
        """The same for whatever stands below at the places of *wanted*."""
        places: dict[tuple[str, str], list[Ref]] = {}
        for entry in wanted:
            places.setdefault((entry.listener, entry.account), []).append(entry.ref)
        for (listener, account), refs in places.items():
            found = self._below.known(listener, refs, account=account) if self._below else {}
            self._fetch(entry.id for entry in found.values())

    def _put(self, entry: Entry) -> Entry:
        number = _number(entry)
        if (earlier := self._own.get(number)) is not None and self._places.get(_key(earlier)) == number:
            del self._places[_key(earlier)]
        self._own[number] = entry
        self._places[_key(entry)] = number
        return entry


def _key(entry: Entry) -> _Key:
    return entry.listener, entry.ref, entry.account


def _number(entry: Entry) -> int:
    return entry.id or 0


def _latest(found: dict[_Kind, Entry], own: Iterable[tuple[_Kind, Entry]]) -> dict[_Kind, Entry]:
    """*found* with the overlay's own entries where these are as late or later, without steps."""
    for key, entry in own:
        if key not in found or _number(found[key]) <= _number(entry):
            found[key] = replace(entry, steps=())
    return found


def _matches(entry: Entry, query: Query) -> bool:
    looked_at = (entry.subject, entry.sender, entry.message_id)
    return (
        query.listener in (None, entry.listener)
        and (not query.states or entry.state in query.states)
        and query.rule in (None, entry.rule)
        and (not query.ids or entry.id in query.ids)
        and (query.since is None or (entry.updated is not None and entry.updated >= query.since))
        and any(query.text.lower() in text.lower() for text in looked_at)
    )


def _come_as_far(standing: Entry, entry: Entry) -> Entry:
    return replace(standing, state=entry.state, reason=entry.reason, attempts=entry.attempts, retry_at=entry.retry_at)
