"""What the engine asks of a journal; `mailrules.store` keeps it durably, an overlay forgets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailrules.model.entry import Entry, State, StepRecord
from mailrules.model.health import Health
from mailrules.model.mailbox import Ref
from mailrules.model.tally import Mark


class JournalError(Exception):
    """The journal cannot be read or written now (full disk, locked, damaged): nothing may be acted on."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries to list; every field left alone matches all. Newest first."""

    listener: str | None = None
    states: frozenset[State] = frozenset()
    rule: str | None = None
    ids: frozenset[int] = frozenset()
    since: datetime | None = None
    text: str = ""
    """Part of subject, sender or Message-ID, ignoring case."""
    limit: int | None = 50


@dataclass(frozen=True, slots=True)
class History:
    """What is on record of a listener's runs."""

    runs: int = 0
    last_run: datetime | None = None
    """When the latest one began."""
    stopped: str = ""
    """Why the listener takes no new mail any more; empty while it does."""


class Journal(Protocol):
    """The durable record of every message seen, decided and acted on.

    Each method is one transaction: when it returns, it is on disk. Every method may raise `JournalError`.
    """

    def known(self, listener: str, refs: Sequence[Ref], *, account: str | None = None) -> Mapping[Ref, Entry]:
        """The entries of this listener for those *refs* that have one (without their steps).

        *account* tells apart what a listener that was given another account saw there under the same reference;
        without it the latest entry counts.
        """

    def handled(self, listener: str, fingerprints: Sequence[str]) -> Mapping[str, Entry]:
        """The entries of this listener with these fingerprints, whatever their place (without their steps)."""

    def claim(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take messages in hand: new rows, or rows in `retry` again; each comes back with its `id`.

        What another process holds or has finished is left out. A claim is exclusive: of two processes one gets it.
        """

    def record(self, entry: Entry, *records: StepRecord) -> Entry:
        """Append step records and write the entry's own columns; gives the entry with them."""

    def save(self, entries: Iterable[Entry]) -> None:
        """Write the columns (state, reason, attempts, retry_at, ...) of entries that have an `id`."""

    def advance(self, entries: Iterable[Entry]) -> None:
        """Write only how far entries that have an `id` have come: state, reason, attempts, retry_at."""

    def unfinished(self, listener: str) -> list[Entry]:
        """Entries that a crash left in hand, with their steps, oldest first."""

    def due(self, listener: str, now: datetime) -> list[Entry]:
        """Entries in `retry` whose time has come, with their steps, oldest first."""

    def find(self, query: Query) -> list[Entry]:
        """Entries for people to look at, with their steps."""

    def first_pass(self, listener: str) -> datetime | None:
        """When this listener first ran; None before."""

    def begin(self, listener: str, now: datetime, skipped: Sequence[Entry]) -> None:
        """Note the first pass, together with the messages that it leaves alone."""

    def history(self, listener: str) -> History:
        """What is on record of its runs; of a listener that never ran, nothing."""

    def ran(self, listener: str, began: datetime) -> None:
        """Count a run that has come to its end, of a listener whose first pass is noted."""

    def stop(self, listener: str, reason: str) -> None:
        """Note why a listener whose first pass is noted takes no new mail any more."""

    def holding(self, listener: str) -> AbstractContextManager[bool]:
        """Hold a listener for the length of the block; gives whether no other machine on this journal does.

        It is waited for some seconds. What a machine has in hand looks to others as if a crash had left it, so that who
        does not hold leaves all alone.
        """

    def health(self) -> Mapping[str, Health]:
        """How each listener fares, by name; what was never noted is left out."""

    def note(self, health: Mapping[str, Health]) -> None:
        """Put on record how these listeners fare, whether or not they have had a first pass."""

    def tally(self, marks: Sequence[Mark], now: datetime) -> None:
        """Count these now, each once for its key; what was counted longer than `LONGEST` ago is forgotten."""

    def tallied(self, what: str, whom: str, since: datetime, *, most: int, apart: str = "") -> Sequence[datetime]:
        """When it was counted since then, the latest first and *most* of them, but for the key *apart*."""

    def totals(self, listener: str) -> Mapping[State, int]:
        """How many entries stand in each state."""

    def close(self) -> None:
        """Let go of the file or connection."""
