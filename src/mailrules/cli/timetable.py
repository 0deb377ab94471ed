"""The next runs of a listener on the clocks of its zone, with what changes of those clocks make of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from mailrules.cli.expiries import Coming, expiry_json
from mailrules.config.settings import Listener
from mailrules.core.schedule import first_run, is_moved, runs, why_over
from mailrules.model.journal import History
from mailrules.model.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Run:
    """One run to come."""

    at: datetime
    """In the schedule's zone."""
    note: str = ""
    """What there is to know about it, for people."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What a listener would do if mailrules were started now."""

    listener: Listener
    history: History
    runs: tuple[Run, ...] = ()
    more: bool = False
    """Whether there are others after these."""
    ended: str = ""
    """Why there is no run at all."""
    expires: tuple[Coming, ...] = ()
    """Its expiries, in time order."""


def timetable(listener: Listener, history: History, now: datetime, *, count: int) -> Timetable:
    """The next *count* runs, by what is on record of earlier ones."""
    schedule = listener.schedule
    found = list(islice(_runs(schedule, history, now), count + 1))
    noted = tuple(_noted(schedule, found[:count], now))
    ended = "" if found else why_over(schedule, done=history.runs)
    return Timetable(listener, history, noted, len(found) > count, ended)


def _runs(schedule: Schedule, history: History, now: datetime) -> Iterator[datetime]:
    first = first_run(schedule, now, last=history.last_run, done=history.runs)
    if first is not None:
        yield first
        yield from runs(schedule, first, done=history.runs + 1)


def _noted(schedule: Schedule, found: list[datetime], now: datetime) -> Iterator[Run]:
    zone = ZoneInfo(schedule.timezone)
    before = now.astimezone(zone)
    for moment in found:
        at = moment.astimezone(zone)
        yield Run(at, "; ".join(_notes(schedule, at, before=before, now=now)))
        before = at


def _notes(schedule: Schedule, at: datetime, *, before: datetime, now: datetime) -> Iterator[str]:
    if at == now:
        yield "as soon as mailrules runs"
    change = (at.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
    if change:
        yield f"clocks have gone {'forward' if change > timedelta() else 'back'} by {_length(abs(change))}"
    if schedule.cron and at != now:
        if is_moved(schedule, at):
            yield "in place of a time that this day does not have"
        elif at.replace(fold=1).utcoffset() != at.utcoffset():
            yield "this time comes twice, and counts once"


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def rhythm(schedule: Schedule) -> str:
    """`every 60 s`, `cron */5 8-18 * * mon-fri (Europe/Paris)`."""
    return f"cron {schedule.cron} ({schedule.timezone})" if schedule.cron else f"every {schedule.every:g} s"


def timetable_json(one: Timetable) -> dict[str, Any]:
    """For programs."""
    schedule = one.listener.schedule
    return {
        "expires": [expiry_json(expiry) for expiry in one.expires],
        "listener": one.listener.name,
        "every": None if schedule.cron else schedule.every,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "runs": one.history.runs,
        "last_run": one.history.last_run,
        "next": [{"at": run.at, "note": run.note} for run in one.runs],
        "more": one.more,
        "ended": one.ended,
    }
