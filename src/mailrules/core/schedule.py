"""The runs of a schedule. Daylight saving: nothing runs twice, nothing is skipped for ever.

A cron run is a local wall time. Where clocks go back, the repeated hour counts once, the first time; where they go
forward, what falls into the missing hour runs once, right after it. A local day that a zone left out has no runs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from mailrules.model.schedule import Schedule

GRACE = timedelta(minutes=1)
"""A run that starts later than this has been missed; before, it is merely late."""

_DAY = timedelta(days=1)


def runs(schedule: Schedule, start: datetime, *, done: int = 0) -> Iterator[datetime]:
    """Every run after *start* (aware), as UTC, ever later; *done* of the `max_runs` have been.

    `every` counts from `since`, or from *start* where there is none.
    """
    moments = _by_cron(schedule, start.astimezone(UTC)) if schedule.cron else _by_pause(schedule, start.astimezone(UTC))
    within = takewhile(lambda moment: schedule.until is None or moment < schedule.until, moments)
    return islice(within, None if schedule.max_runs is None else max(0, schedule.max_runs - done))


def next_run(schedule: Schedule, after: datetime, *, done: int = 0) -> datetime | None:
    """The first run after *after* (aware), as UTC; None when there is none any more."""
    return next(runs(schedule, after, done=done), None)


def first_run(schedule: Schedule, now: datetime, *, last: datetime | None, done: int = 0) -> datetime | None:
    """The first run of a process that starts *now*; *last* is when the latest one on record began.

    A plain `every` starts at once, whatever has been.
    """
    if not schedule.cron and schedule.since is None:
        return next_run(schedule, now - timedelta(seconds=schedule.every), done=done)
    planned = next_run(schedule, last or now, done=done)
    return planned if planned is None or planned > now else caught_up(schedule, planned, now, done=done)


def caught_up(schedule: Schedule, planned: datetime, now: datetime, *, done: int = 0) -> datetime | None:
    """What becomes of a run that was *planned* and whose time has come: now, later (it was missed), or None."""
    if schedule.misfire == "skip" and now - planned > GRACE:
        return next_run(schedule, now, done=done)
    return None if schedule.until is not None and now >= schedule.until else now


def following(schedule: Schedule, began: datetime, ended: datetime, *, done: int = 0) -> datetime | None:
    """The run after one that *began* and *ended* then; not before its end."""
    planned = next_run(schedule, began, done=done)
    if planned is None or planned > ended:
        return planned
    if schedule.overlap == "skip":
        return next_run(schedule, ended, done=done)
    return None if schedule.until is not None and ended >= schedule.until else ended


def _by_pause(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    pause = timedelta(seconds=schedule.every)
    since = schedule.since.astimezone(UTC) if schedule.since else None
    try:
        if since is None:
            moment = start + pause
        else:
            moment = since if start < since else since + ((start - since) // pause + 1) * pause
        while True:
            yield moment
            moment += pause
    except OverflowError:  # beyond the year 9999
        return


def _by_cron(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(schedule.timezone)
    if schedule.since is not None:
        start = max(start, schedule.since.astimezone(UTC) - timedelta.resolution)
    for wall in _walls(schedule.cron, start.astimezone(zone).replace(tzinfo=None)):
        moment = moment_of(wall, zone)
        if moment is not None and moment > start:
            start = moment
            yield moment


def _walls(cron: str, wall: datetime) -> Iterator[datetime]:
    """The wall times that *cron* names, from the minute of *wall* on, as if clocks were never changed."""
    from croniter import CroniterBadDateError, croniter

    minute = wall.replace(second=0, microsecond=0, fold=0)
    named = croniter(cron, minute - timedelta(minutes=1))
    try:
        while True:
            yield named.get_next(datetime)
    except (CroniterBadDateError, OverflowError):  # none in the next 50 years, or beyond the year 9999
        return


def moment_of(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """When it is *wall* (naive) in *zone*, as UTC: of two such moments the first, of none the end of the gap.

    None when that whole day was left out, as zones do that cross the date line.
    """
    before = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if before <= after:
        return before
    if before - after >= _DAY:
        return None
    return _change(after, before, zone)


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the zone's offset changes; such moments are whole seconds."""
    first = int(low.timestamp())
    offset = high.astimezone(zone).utcoffset()
    seconds = range(first, int(high.timestamp()) + 1)
    changed = bisect_left(seconds, True, key=lambda second: datetime.fromtimestamp(second, zone).utcoffset() == offset)
    return datetime.fromtimestamp(seconds[changed], UTC)


def is_moved(schedule: Schedule, run: datetime) -> bool:
    """Whether a cron *run* stands for times that the clocks of its day left out."""
    wall = run.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    return next(_walls(schedule.cron, wall), None) != wall


def why_over(schedule: Schedule, *, done: int = 0) -> str:
    """Why there is no run any more."""
    if schedule.max_runs is not None and done >= schedule.max_runs:
        return f"it ended: it has run {done} {'time' if done == 1 else 'times'} (max_runs: {schedule.max_runs})"
    if schedule.until is not None:
        return f"it ended: no run is left before {local_time(schedule.until, schedule)}"
    return f"it ended: '{schedule.cron}' names no moment any more"


def local_time(moment: datetime, schedule: Schedule) -> str:
    """A moment on the clocks of the schedule's zone: `2026-12-31 18:00 (Europe/Paris)`."""
    return f"{moment.astimezone(ZoneInfo(schedule.timezone)):%Y-%m-%d %H:%M} ({schedule.timezone})"
