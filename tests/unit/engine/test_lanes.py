"""Which turns may run: the pool is bounded, and what is slow waits for its like."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
from tests.unit.engine.test_listen import until
from tests.unit.engine.test_push import loop_on, open_imap

from mailrules.config.settings import Account, Listener
from mailrules.engine import lanes as lanes_module
from mailrules.engine.agenda import Turn
from mailrules.engine.lanes import YOUNG, Lanes
from mailrules.engine.passes import Report
from mailrules.model.rule import RuleSet
from mailrules.model.schedule import Schedule
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_server import HANG


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(lanes_module.time, "monotonic", lambda: now[0])
    return now


def turn(name, account=None):
    return Turn(Listener(name, Account(account or name), RuleSet(())), looks=True)


def started(lanes, may=lambda _listener: True):
    return [one.listener.name for one in lanes.start(may)]


def filled(*names):
    lanes = Lanes()
    for name in names:
        lanes.add(turn(name))
    return lanes


@pytest.mark.usefixtures("clock")
def test_as_many_run_as_the_bound_says_in_the_order_in_which_they_became_due():
    lanes = filled(*(f"l{number}" for number in range(12)))

    assert started(lanes) == [f"l{number}" for number in range(8)]
    assert started(lanes) == []
    lanes.over(turn("l3"), well=True)
    assert started(lanes) == ["l8"]


def test_runs_that_are_not_young_any_more_give_their_place_to_others(clock):
    lanes = filled(*(f"l{number}" for number in range(12)))
    started(lanes)
    clock[0] += YOUNG / 4

    assert lanes.wait() == pytest.approx(YOUNG * 3 / 4)
    clock[0] += YOUNG
    assert started(lanes) == ["l8", "l9", "l10", "l11"]


def test_there_is_an_end_to_the_threads(clock):
    lanes = filled(*(f"l{number}" for number in range(300)))
    count = 0
    for _ in range(100):
        count += len(started(lanes))
        clock[0] += YOUNG

    assert count == 96
    assert lanes.most == 128


@pytest.mark.parametrize(("well", "seconds"), [(False, 0.1), (True, 5.0)], ids=["it failed", "it took long"])
def test_what_failed_or_took_long_has_a_lane_of_its_own_until_it_is_well_again(clock, well, seconds):
    bad = [f"bad{number}" for number in range(8)]
    lanes = filled(*bad)
    started(lanes)
    clock[0] += seconds
    for name in bad:
        lanes.over(turn(name), well=well)

    for name in bad:
        lanes.add(turn(name))
    for number in range(8):
        lanes.add(turn(f"good{number}"))

    assert started(lanes) == [f"good{number}" for number in range(8)] + bad[:4]
    for name in bad[:4]:
        lanes.over(turn(name), well=True)
    assert started(lanes) == bad[4:]
    lanes.add(turn("bad0"))
    lanes.over(turn("good0"), well=True)
    assert started(lanes) == ["bad0"]


@pytest.mark.usefixtures("clock")
def test_an_account_without_a_connection_left_holds_up_its_own_turns_only():
    lanes = Lanes()
    for name in ("a1", "a2", "a3", "b1"):
        lanes.add(turn(name, account=name[0]))

    def may(listener):
        return lanes.connections[listener.account.name] < 1

    assert started(lanes, may) == ["a1", "b1"]
    lanes.over(turn("a1", account="a"), well=True)
    assert started(lanes, may) == ["a2"]


@pytest.mark.usefixtures("clock")
def test_what_waits_can_be_withdrawn():
    lanes = filled(*(f"l{number}" for number in range(10)))
    started(lanes)

    assert [one.listener.name for one in lanes.withdraw()] == ["l8", "l9"]
    assert started(lanes) == []


def test_hung_servers_do_not_delay_a_healthy_one(house):
    """Twenty that say nothing, where eight young passes may run: the other one keeps its pace."""
    names = [f"hung{number}" for number in range(20)]
    with ExitStack() as running:
        ports = {name: running.enter_context(BadImap({"greeting": [HANG]})).port for name in names}
        plain = house.listener(schedule=Schedule(every=0.1))
        listeners = [replace(plain, name=name, account=Account(name)) for name in names]

        def open_(listener):
            return house.box if listener.name == "healthy" else open_imap(ports[listener.name], "3s")

        healthy = replace(plain, name="healthy", account=Account("healthy"))
        began = time.monotonic()
        _, told = running.enter_context(loop_on(house, ports, *listeners, healthy, open=open_))
        until(lambda: sum(isinstance(each, Report) for each in told) > 30)
        took = time.monotonic() - began

    assert took < 3 * YOUNG + 31 * 0.5
    assert {each.listener for each in told if isinstance(each, Report)} == {"healthy"}


def test_two_thousand_listeners_share_a_few_threads_and_each_comes_to_its_turn(house):
    plain = house.listener(schedule=Schedule(every=3600.0))
    listeners = [replace(plain, name=f"l{number}", account=Account(f"a{number % 700}")) for number in range(2000)]
    threads = []

    def open_(_listener):
        threads.append(threading.current_thread().name)
        return house.box

    with loop_on(house, {}, *listeners, open=open_) as (_, told):
        until(lambda: len(told) == 2000, limit=60)

    assert {each.listener for each in told if isinstance(each, Report)} == {listener.name for listener in listeners}
    assert len(set(threads)) <= 96
