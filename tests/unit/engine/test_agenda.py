"""What runs when, by a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailrules.config.settings import Account, Listener
from mailrules.engine.agenda import LONGEST_BACKOFF, Agenda
from mailrules.model.rule import RuleSet
from mailrules.model.schedule import Schedule
from mailrules.store.overlay import OverlayJournal

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOURLY = {"cron": "0 * * * *"}


class Day:
    """A clock, a journal, and an agenda of one process after another."""

    def __init__(self):
        self.now = NOON
        self.journal = OverlayJournal()
        self.turns = {}
        self.start()

    def start(self, *listeners):
        self.agenda = Agenda(lambda: self.now)
        for listener in listeners:
            self.journal.begin(listener.name, self.now, [])
            self.agenda.enter(listener, self.journal)

    def after(self, **delta):
        self.now += timedelta(**delta)
        turns = list(self.agenda.take())
        self.turns |= {turn.listener.name: turn for turn in turns}
        return [turn.listener.name for turn in turns]

    def run(self, name="inbox"):
        self.agenda.ran(self.turns[name])
        self.journal.ran(name, self.now)

    def fail(self, name="inbox", **said):
        return self.agenda.failed(self.turns[name], **said)

    def ended(self):
        return [(idle.listener, idle.reason) for idle in self.agenda.ended()]


@pytest.fixture
def day():
    return Day()


def listener(name="inbox", **settings):
    return Listener(name, Account("local"), RuleSet(), schedule=Schedule(**settings))


def test_listeners_run_by_their_pauses(day):
    day.start(listener("often", every=10.0), listener("seldom", every=25.0))
    taken = []
    for second in range(61):
        for name in day.after(seconds=1 if second else 0):
            day.run(name)
            taken.append((second, name))

    assert [second for second, name in taken if name == "often"] == [0, 10, 20, 30, 40, 50, 60]
    assert [second for second, name in taken if name == "seldom"] == [0, 25, 50]


def test_what_runs_is_not_taken_again(day):
    day.start(listener(every=10.0))

    assert [day.after(), day.after(seconds=60)] == [["inbox"], []]


def test_until_the_next_run_there_is_time_to_sleep(day):
    day.start(listener(every=10.0))
    assert day.agenda.wait(30.0) == 0
    day.after()
    assert day.agenda.wait(30.0) == 30
    day.run()

    assert (day.agenda.wait(30.0), day.agenda.wait(3.0)) == (10, 3)


@pytest.mark.parametrize(("overlap", "runs"), [("skip", []), ("queue", ["inbox"])])
def test_a_run_that_comes_due_during_another(day, overlap, runs):
    day.start(listener(every=60.0, overlap=overlap))
    day.after()
    day.now += timedelta(seconds=150)
    day.run()

    assert day.after() == runs


@pytest.mark.parametrize(("misfire", "runs"), [("skip", []), ("once", ["inbox"])])
@pytest.mark.parametrize("restart", [True, False])
def test_runs_missed_by_a_process_that_was_down_or_asleep(day, misfire, runs, restart):
    schedule = {**HOURLY, "misfire": misfire}
    day.start(listener(**schedule))
    day.after(hours=1)
    day.run()
    day.now += timedelta(hours=5, minutes=30)
    if restart:
        day.start(listener(**schedule))

    assert day.after() == runs
    if runs:
        day.run()
    assert day.after(minutes=29) == []
    assert day.after(minutes=1) == ["inbox"]


def test_a_restart_repeats_no_run(day):
    day.start(listener(**HOURLY))
    assert day.after(hours=1) == ["inbox"]
    day.run()
    day.start(listener(**HOURLY))

    assert day.after(seconds=20) == []


def test_a_run_that_did_not_end_is_run_again_after_a_restart(day):
    day.journal.begin("inbox", NOON, [])
    day.journal.ran("inbox", NOON)
    day.start(listener(**HOURLY))
    assert day.after(hours=1) == ["inbox"]
    day.start(listener(**HOURLY))

    assert day.after(minutes=5) == ["inbox"]


@pytest.mark.parametrize(
    ("settings", "runs", "reason"),
    [
        ({"every": 60.0, "max_runs": 2}, 2, "it ended: it has run 2 times (max_runs: 2)"),
        ({"every": 60.0, "max_runs": 1}, 1, "it ended: it has run 1 time (max_runs: 1)"),
        (
            {"every": 60.0, "until": NOON + timedelta(minutes=3), "timezone": "Europe/Paris"},
            3,
            "it ended: no run is left before 2026-06-01 14:03 (Europe/Paris)",
        ),
        ({**HOURLY, "until": NOON}, 0, "it ended: no run is left before 2026-06-01 12:00 (UTC)"),
    ],
)
def test_an_end_is_told_once_with_its_reason_and_then_there_is_nothing_to_do(day, settings, runs, reason):
    day.start(listener(**settings))
    told, taken = day.ended(), 0
    for _ in range(10):
        for name in day.after():
            day.run(name)
            taken += 1
        told += day.ended()
        day.now += timedelta(minutes=1)

    assert (taken, told) == (runs, [("inbox", reason)])
    assert not day.agenda.busy
    assert day.agenda.wait(30.0) == 0


def test_a_listener_that_fails_is_tried_again_ever_later_and_recovers(day):
    day.start(listener(**HOURLY))
    day.after(hours=1)
    waits = []
    for _ in range(12):
        waits.append(day.agenda.failed(day.turns["inbox"]))
        assert day.after(seconds=waits[-1]) == ["inbox"]
    day.run()

    assert 45 <= waits[0] <= 75
    assert all(wait <= LONGEST_BACKOFF * 1.25 for wait in waits)
    assert day.agenda.wait(1e6) > 0
    assert day.journal.history("inbox").runs == 1


def test_a_failure_holds_up_expiries_that_could_not_be_told(day):
    day.journal.begin("inbox", NOON, [])
    day.agenda.enter(listener(every=60.0), day.journal, expires=NOON)
    day.after()
    pause = day.agenda.failed(day.turns["inbox"])

    assert day.after(seconds=pause - 1) == []
    assert day.after(seconds=1) == ["inbox"]


def test_an_expiry_wakes_a_listener_without_a_look(day):
    day.journal.begin("inbox", NOON, [])
    day.agenda.enter(listener(**HOURLY), day.journal, expires=NOON + timedelta(minutes=5))

    assert day.after(minutes=5) == ["inbox"]
    assert not day.turns["inbox"].looks
    day.agenda.ran(day.turns["inbox"])
    assert day.after(minutes=54) == []
    assert day.after(minutes=1) == ["inbox"]
    assert day.turns["inbox"].looks


def test_a_failure_does_not_lead_beyond_the_end(day):
    day.start(listener(every=60.0, until=NOON + timedelta(seconds=30)))
    day.after()
    day.agenda.failed(day.turns["inbox"])

    assert not day.agenda.busy
    assert day.ended() == [("inbox", "it ended: no run is left before 2026-06-01 12:00 (UTC)")]


def test_a_clock_that_is_set_back_does_not_hold_up_a_pause(day):
    day.start(listener(every=60.0))
    day.after()
    day.run()
    day.now -= timedelta(days=30)

    assert day.after() == []
    assert day.after(seconds=60) == ["inbox"]


def test_a_listener_written_anew_with_the_same_rhythm_keeps_it(day):
    day.start(listener(every=60.0))
    day.after()
    day.run()
    day.now += timedelta(seconds=40)

    day.agenda.change(listener(every=60.0, overlap="skip"), day.journal)

    assert [day.after(), day.after(seconds=20)] == [[], ["inbox"]]


def test_a_listener_with_another_rhythm_begins_it(day):
    day.start(listener(every=6000.0))
    day.after()
    day.run()

    day.agenda.change(listener(every=60.0), day.journal)

    assert day.after() == ["inbox"]


def test_a_listener_that_failed_and_is_written_anew_is_tried_at_once(day):
    day.start(listener(every=60.0))
    day.after()
    day.fail()

    day.agenda.change(listener(every=60.0), day.journal)

    assert day.after() == ["inbox"]


def test_an_ended_listener_stays_ended_until_its_rhythm_changes(day):
    day.start(listener(every=60.0, max_runs=1))
    day.after()
    day.run()
    assert len(day.ended()) == 1

    day.agenda.change(listener(every=60.0, max_runs=1), day.journal)
    assert (day.ended(), day.agenda.busy) == ([], False)
    day.agenda.change(listener(every=60.0, max_runs=2), day.journal)
    assert day.after() == ["inbox"]


def test_a_listener_that_leaves_runs_no_more_and_one_under_way_is_let_go(day):
    day.start(listener(every=60.0), listener("other", every=60.0))
    assert sorted(day.after()) == ["inbox", "other"]
    day.run("other")

    day.agenda.leave("inbox")
    day.agenda.leave("other")
    day.run()

    assert not day.agenda.busy
    assert day.after(days=1) == []


@pytest.mark.parametrize("comes_back", [True, False])
def test_what_is_changed_while_it_runs_goes_on_by_the_new_rhythm_and_never_runs_beside_itself(day, comes_back):
    day.start(listener(every=60.0))
    day.after()
    if comes_back:
        day.agenda.leave("inbox")
    day.agenda.change(listener(every=10.0), day.journal)
    assert day.after(seconds=5) == []

    day.run()

    assert [day.after(), day.after(seconds=10)] == [[], ["inbox"]]


@pytest.mark.parametrize("comes_back", [True, False])
def test_what_is_changed_while_nothing_but_an_expiry_runs_goes_on_by_the_new_rhythm(day, comes_back):
    day.start()
    day.agenda.enter(listener(every=3600), day.journal, expires=NOON + timedelta(minutes=1))
    day.after()
    day.agenda.ran(day.turns["inbox"], expires=NOON + timedelta(minutes=1))
    assert day.after(minutes=1) == ["inbox"]

    if comes_back:
        day.agenda.leave("inbox")
    day.agenda.change(listener(every=60), day.journal)
    day.agenda.ran(day.turns["inbox"])

    assert day.after(seconds=1) == ["inbox"]
    assert day.turns["inbox"].looks


def test_what_needs_a_person_is_tried_once_more_and_then_seldom(day):
    day.start(listener(every=5.0))
    waits = []
    for _ in range(3):
        day.after(hours=1)
        waits.append(day.fail(hopeless=True))

    assert waits[0] < 10
    assert all(wait >= LONGEST_BACKOFF * 0.75 for wait in waits[1:])


def test_an_idle_listener_can_be_hastened_until_its_schedule_is_over(day):
    until = NOON + timedelta(minutes=90)
    day.start(replace(listener(every=3600.0, until=until), idle=True), listener("polled", every=3600.0, until=until))
    assert day.after() == ["inbox", "polled"]
    for name in ("inbox", "polled"):
        day.run(name)
    assert day.after(hours=1) == ["inbox", "polled"]
    for name in ("inbox", "polled"):
        day.run(name)
    assert [name for name, _ in day.ended()] == ["polled"]

    day.now += timedelta(minutes=10)
    day.agenda.hasten("inbox")
    day.agenda.hasten("polled")
    assert day.after() == ["inbox"]
    day.run()
    assert day.after(minutes=21) == []
    assert [name for name, _ in day.ended()] == ["inbox"]


def test_one_that_failed_is_not_hastened_and_one_in_hand_neither(day):
    day.start(listener(every=3600.0))
    day.after()
    day.agenda.hasten("inbox")
    assert day.after() == []
    pause = day.fail(after=600.0)

    day.agenda.hasten("inbox")
    assert pause >= 600
    assert day.after(seconds=599) == []


def test_a_lost_connection_is_replaced_soon_and_ever_later_where_it_does_not_hold(day):
    day.start(replace(listener(every=3600.0), idle=True))
    day.after()
    day.run()

    waits = [day.agenda.lost("inbox", held) for held in (3600.0, 1.0, 1.0, 1.0, 3600.0)]

    assert [round(wait / ideal, 3) for wait, ideal in zip(waits, (1, 2, 4, 8, 1), strict=True)] == [
        pytest.approx(1, abs=0.26)
    ] * 5
    assert day.after(seconds=2) == ["inbox"]


def test_a_turn_that_was_given_back_is_due_again(day):
    day.start(listener(every=60.0))
    day.after()
    day.agenda.give_back(day.turns["inbox"])

    assert day.after() == ["inbox"]
