"""What a listener's record says of it: whether all is well, and from when on silence is a fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from mailrules.core.schedule import runs
from mailrules.model.health import Health
from mailrules.model.schedule import Schedule

MISSED = 3
"""Runs without a success after which a listener is stale."""
PATIENCE = timedelta(minutes=5)
"""It is not stale before, however often it runs."""


class Condition(StrEnum):
    """What is to be said of a listener in a word."""

    OK = "ok"
    WAITING = "waiting"
    """It has been taken up; its first check is still to come."""
    FAILING = "failing"
    """The latest check failed, and it is tried again."""
    PERSON_NEEDED = "person needed"
    STALE = "stale"
    """It should have succeeded again by now."""
    ENDED = "ended"
    NEVER_RAN = "never ran"
    NOT_LISTENING = "not listening"
    """Its files say so: nothing is promised."""


RED = frozenset({Condition.PERSON_NEEDED, Condition.STALE, Condition.NEVER_RAN})
"""What somebody must look after."""


def overdue(schedule: Schedule, after: datetime) -> datetime | None:
    """From when on a listener that was well at *after* should have succeeded again; None when it need not run."""
    promised = list(islice(runs(replace(schedule, max_runs=None), after), MISSED))
    return max(promised[-1], after + PATIENCE) if promised else None


def condition(health: Health | None, now: datetime, *, running: bool) -> Condition:
    """The word for a record; *running* is whether a process works on the workspace."""
    if health is None:
        return Condition.NEVER_RAN
    if health.ended:
        return Condition.ENDED
    if health.person:
        return Condition.PERSON_NEEDED
    if is_stale(health, now, running=running):
        return Condition.STALE
    if health.failures:
        return Condition.FAILING
    return Condition.OK if health.last_success else Condition.WAITING


def is_stale(health: Health, now: datetime, *, running: bool) -> bool:
    """Whether it should have succeeded by now, or, where nothing runs, should have looked."""
    missed = not running and health.next_run is not None and now > health.next_run + PATIENCE
    return missed or (health.overdue is not None and now > health.overdue)
