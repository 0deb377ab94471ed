"""The laws of schedules, in every zone and year: nothing runs twice, nothing is skipped for ever."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from croniter import croniter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mailrules.core.schedule import next_run, runs
from mailrules.model.schedule import Schedule

FIRST, LAST = 1985, 2037
zones = st.sampled_from(sorted(available_timezones() - {"localtime", "posixrules"}))
moments = st.integers(0, 24 * 60 * 365 * (LAST - FIRST)).map(
    lambda minute: datetime(FIRST, 1, 2, tzinfo=UTC) + timedelta(minutes=minute)
)
minutes = st.sampled_from(["*", "*/5", "7", "0,30", "10-20/3", "59"])
hours = st.sampled_from(["*", "*/6", "2", "0", "1-3", "23", "8-18"])
crons = st.builds(
    "{} {} {}".format,
    minutes,
    hours,
    st.sampled_from(["* * *", "1 * *", "L * *", "29 feb *", "* 3,10 sun", "* * sun#1", "1 * mon-fri", "* * L5"]),
)
DAY = timedelta(days=1)


def offsets(zone, begin, end):
    """The offsets of *zone* between the two, hour by hour."""
    number = (end - begin) // timedelta(hours=1) + 1
    return {(begin + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in range(number)}


def local_days(zone, year):
    """The days of *year* that there were in *zone*."""
    begin = datetime(year, 1, 1, tzinfo=UTC) - DAY
    hours = ((begin + timedelta(hours=hour)).astimezone(zone) for hour in range(24 * 368))
    return sorted({moment.date() for moment in hours if moment.year == year})


@settings(max_examples=60, deadline=None)
@given(zones, moments, crons)
@example("Europe/Paris", datetime(2026, 3, 28, 20, tzinfo=UTC), "*/5 * * * *")
@example("Europe/Paris", datetime(2026, 10, 24, 20, tzinfo=UTC), "*/5 * * * *")
@example("Antarctica/Troll", datetime(2026, 10, 24, 20, tzinfo=UTC), "* 1-3 * * *")
@example("Australia/Lord_Howe", datetime(2026, 4, 4, 10, tzinfo=UTC), "*/5 * * * *")
@example("Africa/Casablanca", datetime(2026, 2, 14, 20, tzinfo=UTC), "* * * * *")
def test_runs_grow_and_no_local_minute_comes_twice(name, start, cron):
    found = list(islice(runs(Schedule(cron=cron, timezone=name), start), 400))

    walls = Counter(run.astimezone(ZoneInfo(name)).replace(tzinfo=None) for run in found)
    assert all(earlier < later for earlier, later in pairwise([start, *found]))
    assert all(run.tzinfo is UTC and not run.second for run in found)
    assert not [wall for wall, count in walls.items() if count > 1]


@settings(max_examples=40, deadline=None)
@given(zones, st.integers(FIRST, LAST), st.integers(0, 23), st.integers(0, 59))
@example("Europe/Paris", 2026, 2, 30)
@example("Australia/Lord_Howe", 2026, 2, 15)
@example("Antarctica/Troll", 2026, 1, 59)
@example("America/Sao_Paulo", 2018, 0, 30)  # clocks go forward at midnight
@example("America/Nuuk", 2024, 22, 30)
@example("Africa/Casablanca", 2026, 2, 0)
@example("Pacific/Apia", 2011, 12, 0)  # without its 30 December
@example("Pacific/Kwajalein", 1993, 12, 0)
@example("Asia/Pyongyang", 2018, 23, 45)  # 4 May ended half an hour early
def test_a_daily_schedule_runs_exactly_once_for_each_local_day(name, year, hour, minute):
    zone, begin = ZoneInfo(name), datetime(year, 1, 1, tzinfo=ZoneInfo(name)).astimezone(UTC)
    schedule = Schedule(cron=f"{minute} {hour} * * *", timezone=name)
    found = runs(schedule, begin - timedelta(seconds=1))
    of_year = [run.astimezone(zone) for run in takewhile(lambda run: run.astimezone(zone).year == year, found)]

    # What a day lacks of its end runs as the next one begins.
    counted = [run.date() - DAY if (run.hour, run.minute) < (hour, minute) else run.date() for run in of_year]
    assert counted == local_days(zone, year)


@settings(max_examples=60, deadline=None)
@given(zones, moments, crons)
def test_away_from_changes_of_the_clock_it_is_what_croniter_says(name, start, cron):
    zone = ZoneInfo(name)
    named = croniter(cron, start.astimezone(zone))
    expected = [named.get_next(datetime).astimezone(UTC) for _ in range(20)]
    end = min(expected[-1], start + timedelta(days=60))
    assume(len(offsets(zone, start - DAY, end + DAY)) == 1)

    found = list(islice(runs(Schedule(cron=cron, timezone=name), start), 20))

    assert [run for run in found if run <= end] == [run for run in expected if run <= end]


rhythms = st.one_of(
    st.builds(lambda seconds: {"every": seconds}, st.sampled_from([0.5, 5.0, 90.0, 3600.0, 86400.0])),
    st.builds(lambda cron, zone: {"cron": cron, "timezone": zone}, crons, zones),
)


@settings(max_examples=60, deadline=None)
@given(rhythms, moments, st.integers(-90, 90), st.integers(1, 90), st.none() | st.integers(1, 30), st.integers(0, 30))
def test_runs_keep_to_their_window_and_their_number(rhythm, start, shift, length, most, done):
    since = start + timedelta(days=shift)
    bounded = Schedule(**rhythm, since=since, until=since + timedelta(days=length), max_runs=most)

    found = list(islice(runs(bounded, start, done=done), 50))

    assert all(bounded.since <= run < bounded.until and run > start for run in found)
    assert most is None or len(found) <= max(0, most - done)
    if bounded.cron and found:
        free = islice(runs(Schedule(**rhythm), max(start, since) - timedelta.resolution), len(found) + 1)
        assert found == [run for run in free if run > start][: len(found)]


@settings(max_examples=60, deadline=None)
@given(rhythms, moments, st.booleans())
def test_one_after_another_they_are_the_same_runs(rhythm, start, anchored):
    schedule = Schedule(**rhythm, since=start if anchored else None)
    found = list(islice(runs(schedule, start), 30))

    stepped, at = [], start
    while len(stepped) < len(found) and (at := next_run(schedule, at)):
        stepped.append(at)

    assert stepped == found


@pytest.mark.parametrize("done", [0, 1])
def test_the_runs_of_a_schedule_end_with_the_calendar(done):
    late = datetime(9999, 12, 31, 23, 58, tzinfo=UTC)

    assert len(list(runs(Schedule(every=60.0), late, done=done))) == 1
    assert len(list(runs(Schedule(cron="* * * * *"), late, done=done))) == 1
