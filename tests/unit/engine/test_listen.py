"""The loop: each listener at its interval, failing and recovering on its own."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from tests.unit.engine.house import Transient, mail

from mailrules.engine.listen import LONGEST_BACKOFF, Failure, Loop, backoff
from mailrules.engine.passes import Report
from mailrules.model.action import PersonNeeded
from mailrules.model.entry import State


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
        loop = Loop(listeners, house.world(**edges), told.append)
        thread = threading.Thread(target=loop.run)
        thread.start()
        loops.append((loop, thread))
        return loop, thread, told

    yield start
    for loop, thread in loops:
        loop.stop()
        thread.join(10)


def test_mail_that_comes_later_is_handled_by_a_later_pass(house, running):
    _, _, told = running(house.listener(house.rule("all", None, 3), every=0.01))
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

    listener = house.listener(house.rule("all", None, 4), every=0.01)
    _, _, told = running(replace(listener, name="bad"), replace(listener, name="good"), open=open_)
    until(lambda: sum(report.listener == "good" for report in told) > 5)

    failures = [report for report in told if isinstance(report, Failure)]
    assert {(failure.listener, failure.reason) for failure in failures} == {("bad", "the server is away")}
    assert len(failures) <= 2
    broken[0] = False
    until(lambda: any(isinstance(report, Report) and report.listener == "bad" for report in told))


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
