"""How the messages of a listener stand in the journal, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailrules.cli.record import moment
from mailrules.model.entry import UNFINISHED, State
from mailrules.model.journal import Journal, Query


@dataclass(frozen=True, slots=True)
class Standing:
    """How many messages stand in each state, and when the first of those that wait is tried again."""

    totals: Mapping[State, int]
    next_try: datetime | None = None

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.totals.values())

    def __str__(self) -> str:
        """`18 handled, 2 waiting (next 2026-03-01 21:41:59), 2 parked`; what there is none of is unsaid."""
        waiting = sum(self.totals[state] for state in (State.RETRY, *UNFINISHED))
        when = f" (next {moment(self.next_try)})" if self.next_try else ""
        counted = {
            "handled": self.totals[State.DONE],
            "left alone": self.totals[State.SKIPPED],
            f"waiting{when}": waiting,
            "parked": self.totals[State.PARKED],
        }
        return ", ".join(f"{number:,} {word}" for word, number in counted.items() if number)


def standing_of(listener: str, journal: Journal) -> Standing:
    """How the listener's messages stand now."""
    totals = journal.totals(listener)
    if not totals[State.RETRY]:
        return Standing(totals)
    waiting = journal.find(Query(listener=listener, states=frozenset({State.RETRY}), limit=None))
    return Standing(totals, min((entry.retry_at for entry in waiting if entry.retry_at), default=None))
