"""Whether a listener runs at all, whatever its rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailrules.config.settings import Listener
from mailrules.core.schedule import local_time, why_over
from mailrules.model.entry import UNFINISHED, State
from mailrules.model.journal import Journal


@dataclass(frozen=True, slots=True)
class Idle:
    """A listener that does not run, and why."""

    listener: str
    reason: str


def standing(listener: Listener, journal: Journal, now: datetime) -> Idle | None:
    """Why a listener must not run *now*; None when it may."""
    schedule = listener.schedule
    if reason := spent(listener, journal):
        return Idle(listener.name, reason)
    if schedule.since is not None and now < schedule.since:
        return Idle(listener.name, f"it begins {local_time(schedule.since, schedule)}")
    over = schedule.until is not None and now >= schedule.until
    done = journal.history(listener.name).runs if schedule.max_runs is not None else 0
    if over or (schedule.max_runs is not None and done >= schedule.max_runs):
        return Idle(listener.name, why_over(schedule, done=done))
    return None


def spent(listener: Listener, journal: Journal) -> str:
    """Why a listener that stops after its first message has ended; empty while it has not, or has that in hand."""
    if not listener.stop_after_first or not (reason := journal.history(listener.name).stopped):
        return ""
    totals = journal.totals(listener.name)
    return "" if any(totals[state] for state in (*UNFINISHED, State.RETRY)) else reason
