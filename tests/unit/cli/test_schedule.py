"""`mailrules schedule`: when each listener looks next."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrules.cli.timetable import rhythm, timetable
from mailrules.config.settings import Account, Listener
from mailrules.model.journal import History
from mailrules.model.rule import RuleSet
from mailrules.model.schedule import Schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FORWARD, BACK = "clocks have gone forward by 1 h", "clocks have gone back by 1 h"
MISSING, TWICE = "in place of a time that this day does not have", "this time comes twice, and counts once"


def table(now, history=None, count=3, **settings):
    listener = Listener("inbox", Account("local"), RuleSet(), schedule=Schedule(**settings))
    return timetable(listener, history or History(), now, count=count)


def shown(one):
    return [(run.at.isoformat(timespec="minutes")[5:], run.note) for run in one.runs]


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        (
            "30 2 * * *",
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            [("03-29T03:00+02:00", f"{FORWARD}; {MISSING}"), ("03-30T02:30+02:00", ""), ("03-31T02:30+02:00", "")],
        ),
        (
            "30 2 * * *",
            datetime(2026, 10, 24, 12, tzinfo=UTC),
            [("10-25T02:30+02:00", TWICE), ("10-26T02:30+01:00", BACK), ("10-27T02:30+01:00", "")],
        ),
        (
            "0 * * * *",
            datetime(2026, 3, 29, 0, 0, tzinfo=UTC),
            [("03-29T03:00+02:00", FORWARD), ("03-29T04:00+02:00", ""), ("03-29T05:00+02:00", "")],
        ),
    ],
)
def test_changes_of_the_clock_are_marked(cron, now, expected):
    assert shown(table(now, cron=cron, timezone="Europe/Paris")) == expected


def test_half_an_hour_is_told_in_minutes():
    lord_howe = table(datetime(2026, 10, 3, 12, tzinfo=UTC), cron="0 3 * * *", timezone="Australia/Lord_Howe")

    assert lord_howe.runs[0].note == "clocks have gone forward by 30 min"


def test_a_plain_pause_begins_as_soon_as_it_runs():
    assert shown(table(NOON, every=90.0, count=2)) == [
        ("06-01T12:00+00:00", "as soon as mailrules runs"),
        ("06-01T12:01+00:00", ""),
    ]


def test_a_missed_run_comes_first():
    history = History(3, NOON - timedelta(days=2))

    assert [note for _, note in shown(table(NOON, history, cron="0 3 * * *"))] == ["as soon as mailrules runs", "", ""]


@pytest.mark.parametrize(
    ("settings", "done", "runs", "more", "ended"),
    [
        ({"max_runs": 2}, 0, 2, False, ""),
        ({"max_runs": 3}, 2, 1, False, ""),
        ({"max_runs": 3}, 0, 3, False, ""),
        ({"max_runs": 4}, 0, 3, True, ""),
        ({"max_runs": 3}, 3, 0, False, "it ended: it has run 3 times (max_runs: 3)"),
        ({"until": NOON}, 0, 0, False, "it ended: no run is left before 2026-06-01 12:00 (UTC)"),
    ],
)
def test_the_end_is_told_when_it_is_in_sight(settings, done, runs, more, ended):
    one = table(NOON, History(done), **settings)

    assert (len(one.runs), one.more, one.ended) == (runs, more, ended)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, "every 60 s"), ({"every": 0.5}, "every 0.5 s"), ({"cron": "* * * * *"}, "cron * * * * * (UTC)")],
)
def test_the_rhythm_in_words(settings, said):
    assert rhythm(Schedule(**settings)) == said


def test_the_command_for_people_and_for_programs(run, workspace):
    file = Path("mailrules.yaml")
    schedule = 'schedule: {cron: "30 2 * * *", timezone: Europe/Paris}'
    file.write_text(re.sub(r"schedule: \{.*?\}", schedule, file.read_text()))

    people, programs = run("schedule", "inbox", "--count", "2"), run("schedule", "--json").json

    assert people.out.splitlines()[0] == "inbox: cron 30 2 * * * (Europe/Paris)"
    assert len(people.out.splitlines()) == 3
    assert [one["listener"] for one in programs] == ["inbox"]
    assert len(programs[0]["next"]) == 5
    assert not Path(".mailrules").exists()


def test_a_listener_that_is_not_there_is_wrong_usage(run, workspace):
    assert run("schedule", "nobody").code == 2


EXPIRING = """schedule: {every: 60s}
    expires:
      - {after: 14d, terminate: false, actions: [{log: soon}]}
      - {at: 2099-12-31T18:00}
"""


@pytest.fixture
def expiring(workspace):
    file = Path("mailrules.yaml")
    file.write_text(re.sub(r"schedule: \{.*?\}\n", EXPIRING, file.read_text()))


@pytest.mark.parametrize("command", ["schedule", "dry-run"])
def test_expiries_are_told_with_their_moments_once_these_are_known(run, expiring, command):
    before = run(command)
    run("run", "--once")
    after = run(command)

    assert re.search(r"(?m)^  expires 14d after the start: log$", before.out)
    assert "  Thu 2099-12-31 18:00:00+00:00  expires at 2099-12-31T18:00: then it ends\n" in before.out
    assert re.search(r"  \w{3} \d{4}\S+ \S+  expires 14d after the start: log\n", after.out)


def test_expiries_for_programs_say_how_they_stand(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(re.sub(r"schedule: \{.*?\}\n", "expires: [{at: 2026-01-01}]\n", file.read_text()))

    tried, done = run("dry-run", "--json").json, run("run", "--once", "--json").json["listeners"][0]
    (one,) = run("schedule", "--json").json

    assert [message["rule"] for message in done["messages"]] == ["expires"]
    assert tried["mailboxes"][0]["messages"][0]["rule"] == "expires"
    assert done["ended"].startswith("it expired 2026-01-01 00:00 (UTC)")
    assert (one["ended"], one["next"]) == (done["ended"], [])
    assert [(each["expires"], each["state"]) for each in one["expires"]] == [("at 2026-01-01", "done")]


def test_an_expiry_that_a_dry_run_tries_has_not_come(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(re.sub(r"schedule: \{.*?\}\n", "expires: [{at: 2026-01-01}]\n", file.read_text()))

    done = run("dry-run")

    assert re.search(r"(?m)expires at 2026-01-01: then it ends$", done.out)
    assert not Path(".mailrules").exists()
