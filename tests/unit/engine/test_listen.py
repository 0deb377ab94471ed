"""The loop: each listener at its interval, failing and recovering on its own."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.engine.house import START, Transient, mail

from mailrules.engine import listen
from mailrules.engine.agenda import LONGEST_BACKOFF, backoff
from mailrules.engine.listen import Failure, Loop
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle
from mailrules.engine.world import system_clock
from mailrules.model.action import PersonNeeded
from mailrules.model.entry import State
from mailrules.model.health import Health
from mailrules.model.journal import History, JournalError
from mailrules.model.schedule import Schedule

OFTEN = Schedule(every=0.01)


def until(happened, limit=10.0):
    end = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def running(house):
    loops = []

    def start(*listeners, **edges):
        told: list[Report | Failure] = []
        loop = Loop(listeners, house.world(**{"clock": system_clock} | edges), told.append)
        thread = threading.Thread(target=loop.run)
        thread.start()
        loops.append((loop, thread))
        return loop, thread, told

    yield start
    for loop, thread in loops:
        loop.stop()
        thread.join(10)


def test_mail_that_comes_later_is_handled_by_a_later_pass(house, running):
    _, _, told = running(house.listener(house.rule("all", None, 3), schedule=OFTEN))
    until(lambda: told)

    house.box.messages = {"1": mail(1)}

    until(lambda: house.box.messages == {})
    until(lambda: any(isinstance(report, Report) and report.entries for report in told))


def test_a_listener_that_fails_does_not_delay_the_others_and_recovers(house, running):
    broken = [True]

    def open_(listener):
        if listener.name == "bad" and broken[0]:
            raise Transient("the server is away")
        return house.box

    listener = house.listener(house.rule("all", None, 4), schedule=OFTEN)
    _, _, told = running(replace(listener, name="bad"), replace(listener, name="good"), open=open_)
    until(lambda: sum(report.listener == "good" for report in told) > 5)

    failures = [report for report in told if isinstance(report, Failure)]
    assert {(failure.listener, failure.reason) for failure in failures} == {("bad", "the server is away")}
    assert len(failures) <= 2
    broken[0] = False
    until(lambda: any(isinstance(report, Report) and report.listener == "bad" for report in told))


def test_a_schedule_that_is_used_up_ends_its_listener_which_is_said_once_and_then_the_loop_ends(house, running):
    twice, thrice = Schedule(every=0.01, max_runs=2), Schedule(every=0.01, max_runs=3)
    one = house.listener(schedule=twice)

    _, thread, told = running(one, replace(one, name="other", schedule=thrice))
    thread.join(10)

    assert not thread.is_alive()
    assert [
        sum(isinstance(each, Report) and each.listener == name for each in told) for name in ("inbox", "other")
    ] == [2, 3]
    assert [(idle.listener, idle.reason) for idle in told if isinstance(idle, Idle)] == [
        ("inbox", "it ended: it has run 2 times (max_runs: 2)"),
        ("other", "it ended: it has run 3 times (max_runs: 3)"),
    ]


def test_runs_of_earlier_processes_count(house, running):
    listener = house.listener(schedule=Schedule(every=0.01, max_runs=3))
    house.run(listener)
    house.run(listener)

    _, thread, told = running(listener)
    thread.join(10)

    assert [type(each) for each in told] == [Report, Idle]
    assert house.journal.history("inbox").runs == 3


def test_a_cron_schedule_follows_the_clock_and_each_run_is_on_record(house, running, monkeypatch):
    monkeypatch.setattr(listen, "LONGEST_SLEEP", 0.005)
    asked = []
    listener = house.listener(schedule=Schedule(cron="0 * * * *"))
    _, _, told = running(listener, clock=lambda: asked.append(house.now) or house.now)
    until(lambda: len(asked) > 3)

    for hour in (1, 2):
        house.now = START + timedelta(hours=hour, seconds=1)
        until(lambda hour=hour: len(told) == hour)

    assert house.journal.history("inbox") == History(2, START + timedelta(hours=2, seconds=1))


def test_a_run_that_was_broken_off_is_made_up_for_by_the_next_process(house):
    listener = house.listener(schedule=Schedule(cron="0 * * * *"))
    house.run(listener, stopping=lambda: True)

    assert house.journal.history("inbox") == History()


def test_stopping_waits_for_the_message_in_hand(house, running):
    house.box.messages = {"1": mail(1)}
    acting, go_on = threading.Event(), threading.Event()

    def slow(*_args):
        from mailrules.engine.perform import Performed
        from mailrules.model.entry import StepState

        acting.set()
        go_on.wait(10)
        return Performed(StepState.SUCCEEDED)

    loop, thread, told = running(house.listener(house.rule("all", None, 1, house.step())), perform=slow)
    acting.wait(10)
    loop.stop()
    go_on.set()
    thread.join(10)

    assert not thread.is_alive()
    assert [entry.state for report in told for entry in report.entries] == [State.DONE]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Transient("connection refused"), "connection refused"),
        (
            PersonNeeded("wrong password", remedy="change it in mailrules.yaml"),
            "wrong password; change it in mailrules.yaml",
        ),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_a_failure_says_cause_and_remedy_in_one_line(error, reason):
    assert Failure("inbox", error, 1).reason == reason


def test_back_off_doubles_within_bounds():
    waits = [backoff(failed, 1) for failed in range(1, 20)]

    assert 0.75 <= waits[0] <= 1.25
    assert all(wait <= LONGEST_BACKOFF * 1.25 for wait in waits)
    assert waits[-1] >= LONGEST_BACKOFF * 0.75


def test_other_listeners_take_the_place_of_those_there_and_none_in_hand_is_lost(house, running):
    house.box.messages = {"1": mail(1)}
    acting, go_on = threading.Event(), threading.Event()

    def slow(*_args):
        from mailrules.engine.perform import Performed
        from mailrules.model.entry import StepState

        acting.set()
        go_on.wait(10)
        return Performed(StepState.SUCCEEDED)

    old = house.listener(house.rule("all", None, 1, house.step()), schedule=OFTEN)
    loop, _, told = running(old, perform=slow)
    acting.wait(10)
    loop.replace([replace(house.listener(schedule=OFTEN), name="new")], house.world(clock=system_clock))
    until(lambda: any(each.listener == "new" for each in told))
    go_on.set()
    until(lambda: any(each.listener == "inbox" for each in told))
    house.box.messages = {"2": mail(2)}
    until(lambda: [each for each in told if each.listener == "new" and each.entries])

    assert [entry.state for each in told if each.listener == "inbox" for entry in each.entries] == [State.DONE]
    assert [each.listener for each in told].count("inbox") == 1
    until(lambda: house.journal.health()["inbox"].ended == "it is not in the files any more")


class Failing:
    """A journal that cannot say how often listeners ran."""

    def __init__(self, journal, times):
        self.journal, self.times = journal, times

    def history(self, listener):
        if self.times:
            self.times -= 1
            raise JournalError("the database is away")
        return self.journal.history(listener)

    def __getattr__(self, name):
        return getattr(self.journal, name)


def test_a_journal_that_fails_while_other_listeners_are_taken_up_is_waited_for(house, running, monkeypatch, caplog):
    monkeypatch.setattr(listen, "PUT_OFF", 0.01)
    loop, thread, told = running(house.listener(schedule=OFTEN))
    until(lambda: told)
    first, second = (replace(house.listener(schedule=OFTEN), name=name) for name in ("first", "second"))

    loop.replace([first, second], house.world(clock=system_clock, journal=Failing(house.journal, 3)))

    until(lambda: {"first", "second"} <= {each.listener for each in told})
    assert thread.is_alive()
    assert caplog.messages.count("nothing is begun until the journal can be read: the database is away") == 1


def test_how_a_listener_fares_is_on_record(house, running):
    broken = [PersonNeeded("wrong password", remedy="change it")]

    def open_(_listener):
        if broken:
            raise broken[0]
        return house.box

    loop, _, _ = running(house.listener(schedule=OFTEN), open=open_)
    until(lambda: house.journal.health().get("inbox", Health()).failures)
    record = house.journal.health()["inbox"]
    assert (record.error, record.remedy, record.person) == ("wrong password", "change it", True)
    assert record.next_run > record.since
    assert record.last_success is None
    assert record.overdue > record.since

    broken.clear()
    loop.replace([house.listener(schedule=OFTEN)], house.world(clock=system_clock))
    until(lambda: house.journal.health()["inbox"].last_success)
    assert house.journal.health()["inbox"].error == ""


def test_the_loop_shows_that_it_is_alive_though_nothing_is_due(house):
    beats = []
    loop = Loop(
        [house.listener(schedule=Schedule(every=3600.0))],
        house.world(clock=system_clock),
        lambda _outcome: None,
        alive=lambda: beats.append(1) or (len(beats) > 5 and loop.stop()),
        longest=0.01,
    )

    loop.run()

    assert len(beats) == 6
