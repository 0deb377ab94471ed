"""When expiries come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailrules.core.expiry import expires_at, in_order
from mailrules.model.schedule import Expiry

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"delay": 14 * DAY}, START + 14 * DAY),
        ({"at": datetime(2026, 12, 31, 18, tzinfo=PARIS)}, datetime(2026, 12, 31, 17, tzinfo=UTC)),
        ({"at": datetime(2026, 12, 31, tzinfo=PARIS), "delay": -2 * DAY}, datetime(2026, 12, 28, 23, tzinfo=UTC)),
        ({"cron": "0 18 * * fri", "timezone": "Europe/Paris"}, datetime(2026, 6, 5, 16, tzinfo=UTC)),
        ({"script": lambda start: start.astimezone(PARIS) + DAY}, START + DAY),
        ({"script": lambda _: None}, None),
    ],
)
def test_after_a_start_at_a_moment_around_a_date_by_cron_or_computed(settings, expected):
    assert expires_at(Expiry("", "", **settings), START) == expected


@pytest.mark.parametrize("settings", [{"delay": DAY}, {"cron": "* * * * *"}, {"script": lambda start: start}])
def test_without_a_start_there_is_nothing_to_count_from(settings):
    assert expires_at(Expiry("", "", **settings), None) is None


def test_they_come_in_time_order_up_to_the_one_that_ends_the_listener():
    def after(days, **settings):
        return Expiry(str(days), "", delay=days * DAY, **settings)

    found = in_order([after(3), after(1, terminate=False), after(9, terminate=False), after(2, terminate=False)], START)

    assert [expiry.written for _, expiry in found] == ["1", "2", "3"]
