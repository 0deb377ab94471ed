"""The expiries of a listener, told: what has come, and what comes when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailrules.config.settings import Listener
from mailrules.core.expiry import expires_at
from mailrules.engine.expire import EXPIRY, expiries
from mailrules.model.journal import Journal
from mailrules.model.mailbox import Ref
from mailrules.model.schedule import Expiry


@dataclass(frozen=True, slots=True)
class Coming:
    """An expiry with its moment, where that is known, and how it stands."""

    expiry: Expiry
    at: datetime | None
    """In the zone of the listener's schedule; None before the first pass, from which it counts."""
    state: str = ""
    """That of its entry in the journal; empty before it has come."""

    def __str__(self) -> str:
        """`Thu 2026-12-31 18:00:00+01:00  expires at 2026-12-31T18:00: send, then it ends`."""
        when = f"{self.at:%a} {self.at.isoformat(' ', 'seconds')}  " if self.at else ""
        does = [step.name for step in self.expiry.steps] + ["then it ends"] * self.expiry.terminate
        state = f" ({self.state})" if self.state else ""
        return f"{when}expires {self.expiry.written}: {', '.join(does) or 'nothing'}{state}"


def coming(listener: Listener, journal: Journal) -> Iterator[Coming]:
    """Every expiry that comes or has come, those without a moment last.

    Raises:
        ExpiryError: a script cannot say when its expiry comes.
    """
    zone = ZoneInfo(listener.schedule.timezone)
    timed = expiries(listener, journal)
    refs = {expiry.key: Ref("", EXPIRY, expiry.key) for _, expiry in timed}
    known = journal.known(listener.name, list(refs.values()), account=listener.account.name) if refs else {}
    for at, expiry in timed:
        entry = known.get(refs[expiry.key])
        yield Coming(expiry, at.astimezone(zone), entry.state.value if entry else "")
    start = journal.first_pass(listener.name)
    if start is None:
        yield from (Coming(expiry, None) for expiry in listener.expires if expires_at(expiry, start) is None)


def expiry_lines(listener: Listener, journal: Journal) -> Iterator[str]:
    """Those for people."""
    return map(str, coming(listener, journal))


def expiry_json(one: Coming) -> dict[str, Any]:
    """For programs."""
    return {
        "expires": one.expiry.written,
        "at": one.at,
        "steps": [step.name for step in one.expiry.steps],
        "terminate": one.expiry.terminate,
        "state": one.state,
    }
