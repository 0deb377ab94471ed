"""When a rule is in force."""

from datetime import UTC, datetime, timedelta

import pytest

from mailrules.core.active import inactive_reason, is_active
from mailrules.model.rule import Active

NOON = datetime(2026, 6, 15, 12, 0, 30, tzinfo=UTC)
"""A Monday."""

WINDOWS = {
    "always": (Active(), True),
    "from this very moment": (Active(since=NOON), True),
    "from the next second": (Active(since=NOON + timedelta(seconds=1)), False),
    "until this very moment": (Active(until=NOON), False),
    "until the next second": (Active(until=NOON + timedelta(seconds=1)), True),
    "cron window of the minute": (Active(cron="* 8-18 * * mon-fri"), True),
    "cron window of other days": (Active(cron="* 8-18 * * sat,sun"), False),
    "cron window of other hours": (Active(cron="* 13-18 * * *"), False),
    "cron window in its own zone": (Active(cron="* 14 * * *", timezone="Europe/Paris"), True),
    "a window that has not begun": (Active(since=NOON + timedelta(1), cron="* * * * *"), False),
}


@pytest.mark.parametrize(("active", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_a_rule_is_in_force(active, expected):
    assert expected is is_active(active, NOON)
    assert expected is (inactive_reason(active, NOON) == "")


def test_a_reason_names_the_moment_or_the_window():
    assert inactive_reason(Active(until=NOON), NOON) == "not active since 2026-06-15 12:00"
    assert inactive_reason(Active(cron="* 13 * * *"), NOON) == "not active outside of * 13 * * * (UTC)"
