"""The runs of schedules, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from mailrules.core.schedule import caught_up, first_run, following, next_run, runs
from mailrules.model.schedule import Schedule


def at(text):
    """A moment in UTC: `2026-06-01 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text, zone):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


NOON = at("2026-06-01 12:00")
MINUTE = timedelta(minutes=1)
HOURLY = {"cron": "0 * * * *"}


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        ("30 2 * * *", "Europe/Paris", "2026-03-28 12:00", ["29T03:00+02:00", "30T02:30+02:00"]),
        ("*/20 2 * * *", "Europe/Paris", "2026-03-28 12:00", ["29T03:00+02:00", "30T02:00+02:00"]),
        ("*/30 * * * *", "Europe/Paris", "2026-03-29 01:00", ["29T01:30+01:00", "29T03:00+02:00", "29T03:30+02:00"]),
        ("30 2 * * *", "Europe/Paris", "2026-10-24 12:00", ["25T02:30+02:00", "26T02:30+01:00"]),
        ("*/30 * * * *", "Europe/Paris", "2026-10-25 02:10", ["25T02:30+02:00", "25T03:00+01:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", ["04T02:30+11:00", "05T02:15+11:00"]),
        ("0 12 * * *", "Pacific/Apia", "2011-12-29 12:00", ["31T12:00+14:00"]),
    ],
)
def test_where_clocks_change(cron, zone, start, expected):
    found = islice(runs(Schedule(cron=cron, timezone=zone), local(start, zone)), len(expected))

    assert [run.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")[8:] for run in found] == expected


def test_in_the_repeated_hour_its_second_time_has_no_runs():
    second = at("2026-10-25 01:10")  # 02:10 in Paris, again

    assert next_run(Schedule(cron="*/5 * * * *", timezone="Europe/Paris"), second) == at("2026-10-25 02:00")


@pytest.mark.parametrize(
    ("settings", "start", "expected"),
    [
        ({"every": 90.0}, NOON, [NOON + timedelta(seconds=90), NOON + timedelta(seconds=180)]),
        ({"every": 60.0, "since": NOON}, NOON - timedelta(days=1), [NOON, NOON + MINUTE]),
        ({"every": 60.0, "since": NOON}, NOON + timedelta(seconds=61), [NOON + 2 * MINUTE, NOON + 3 * MINUTE]),
        ({"every": 60.0, "until": NOON + MINUTE}, NOON - MINUTE, [NOON]),
        ({**HOURLY, "since": NOON}, NOON - timedelta(hours=5), [NOON, NOON + timedelta(hours=1)]),
        ({**HOURLY, "until": NOON}, NOON - timedelta(hours=1), []),
        ({**HOURLY, "max_runs": 1}, NOON, [NOON + timedelta(hours=1)]),
        ({"cron": "0 0 29 2 *"}, NOON, [at("2028-02-29 00:00"), at("2032-02-29 00:00")]),
        ({"cron": "0 0 31 2 *"}, NOON, []),
    ],
)
def test_runs_after_a_moment(settings, start, expected):
    assert list(islice(runs(Schedule(**settings), start), 2)) == expected


def test_any_zone_may_name_the_moment_from_which_to_count():
    paris = NOON.astimezone(ZoneInfo("Europe/Paris"))

    assert next_run(Schedule(cron="0 13 * * *"), paris) == at("2026-06-01 13:00")


@pytest.mark.parametrize(
    ("settings", "last", "expected"),
    [
        ({"every": 3600.0}, NOON - MINUTE, NOON),  # a plain pause begins anew
        ({"every": 3600.0}, None, NOON),
        ({"every": 3600.0, "until": NOON}, None, None),
        (HOURLY, None, NOON + timedelta(hours=1)),
        (HOURLY, NOON, NOON + timedelta(hours=1)),
        (HOURLY, NOON - timedelta(hours=2), NOON),  # missed while down
        ({**HOURLY, "misfire": "skip"}, NOON - timedelta(hours=2), NOON + timedelta(hours=1)),
        ({"cron": "59 * * * *", "misfire": "skip"}, NOON - timedelta(minutes=30), NOON),  # late, not missed
        ({**HOURLY, "until": NOON}, NOON - timedelta(hours=2), None),
        ({"every": 3600.0, "since": NOON - 90 * MINUTE}, None, NOON + 30 * MINUTE),
        ({"every": 3600.0, "since": NOON - 90 * MINUTE}, NOON - 90 * MINUTE, NOON),
        ({"every": 3600.0, "since": NOON + MINUTE}, None, NOON + MINUTE),
    ],
)
def test_the_first_run_of_a_process(settings, last, expected):
    assert first_run(Schedule(**settings), NOON, last=last) == expected


@pytest.mark.parametrize("settings", [{"every": 5.0}, HOURLY])
def test_used_up_is_used_up(settings):
    schedule = Schedule(**settings, max_runs=3)

    assert first_run(schedule, NOON, last=NOON - timedelta(days=1), done=3) is None
    assert first_run(schedule, NOON, last=NOON - timedelta(days=1), done=2) is not None


@pytest.mark.parametrize(
    ("settings", "minutes", "expected"),
    [
        ({"every": 300.0}, 1, NOON + 5 * MINUTE),
        ({"every": 300.0}, 7, NOON + 12 * MINUTE),
        ({"every": 300.0, "overlap": "queue"}, 7, NOON + 7 * MINUTE),
        ({"every": 300.0, "since": NOON}, 7, NOON + 10 * MINUTE),
        ({"cron": "*/5 * * * *"}, 7, NOON + 10 * MINUTE),
        ({"cron": "*/5 * * * *", "overlap": "queue"}, 7, NOON + 7 * MINUTE),
        ({"cron": "*/5 * * * *", "overlap": "queue"}, 4, NOON + 5 * MINUTE),
        ({"cron": "*/5 * * * *", "overlap": "queue", "until": NOON + 6 * MINUTE}, 7, None),
    ],
)
def test_a_run_that_comes_due_while_one_is_under_way(settings, minutes, expected):
    assert following(Schedule(**settings), NOON, NOON + minutes * MINUTE) == expected


@pytest.mark.parametrize(
    ("settings", "late", "expected"),
    [
        (HOURLY, 0, 0),
        (HOURLY, 30, 30),
        ({**HOURLY, "misfire": "skip"}, 1, 1),
        ({**HOURLY, "misfire": "skip"}, 30, 60),
        ({**HOURLY, "until": NOON + 20 * MINUTE}, 30, None),
    ],
)
def test_a_run_whose_time_the_process_slept_through(settings, late, expected):
    found = caught_up(Schedule(**settings), NOON, NOON + late * MINUTE)

    assert found == (None if expected is None else NOON + expected * MINUTE)


@pytest.mark.parametrize(
    ("settings", "remembered"),
    [({}, False), ({"until": NOON}, False), ({"since": NOON}, True), (HOURLY, True), ({"max_runs": 1}, True)],
)
def test_only_what_depends_on_earlier_runs_is_put_on_record(settings, remembered):
    assert Schedule(**settings).remembered is remembered
