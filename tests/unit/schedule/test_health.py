"""What is said of a listener by its record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailrules.core.health import condition, overdue
from mailrules.model.health import Health
from mailrules.model.schedule import Schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday
BEFORE, AFTER = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)
LONG_AGO = NOON - timedelta(hours=1)


@pytest.mark.parametrize(
    ("schedule", "moment"),
    [
        (Schedule(every=600), NOON + timedelta(minutes=30)),
        (Schedule(every=5), NOON + timedelta(minutes=5)),
        (Schedule(cron="0 8 * * mon-fri"), NOON + timedelta(days=3, hours=-4)),
        (Schedule(cron="0 12 * * fri", until=NOON + timedelta(days=7)), NOON + timedelta(days=4)),
        (Schedule(every=600, max_runs=1), NOON + timedelta(minutes=30)),
        (Schedule(every=600, until=NOON), None),
    ],
)
def test_three_runs_without_a_success_are_too_many_but_not_before_five_minutes(schedule, moment):
    assert overdue(schedule, NOON) == moment


@pytest.mark.parametrize(
    ("record", "running", "word"),
    [
        (None, True, "never ran"),
        (Health(overdue=AFTER), True, "waiting"),
        (Health(BEFORE, overdue=AFTER), True, "ok"),
        (Health(BEFORE), False, "ok"),
        (Health(BEFORE, overdue=BEFORE), True, "stale"),
        (Health(overdue=BEFORE), True, "stale"),
        (Health(BEFORE, failures=1, error="away", overdue=AFTER), True, "failing"),
        (Health(BEFORE, failures=9, error="away", overdue=BEFORE), True, "stale"),
        (Health(BEFORE, failures=1, error="refused", person=True, overdue=BEFORE), True, "person needed"),
        (Health(BEFORE, failures=1, error="refused", person=True, ended="it ended"), True, "ended"),
        (Health(BEFORE, next_run=BEFORE, overdue=AFTER), False, "ok"),
        (Health(BEFORE, next_run=LONG_AGO, overdue=AFTER), True, "ok"),
        (Health(BEFORE, next_run=LONG_AGO, overdue=AFTER), False, "stale"),
    ],
)
def test_the_word_for_a_record(record, running, word):
    assert condition(record, NOON, running=running) == word
