"""Expiries: each once, in time order, late ones too, on record like a message."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.engine.house import START, Permanent, Transient, mail

from mailrules.core.decide import Decider
from mailrules.core.expiry import ExpiryError
from mailrules.engine import listen
from mailrules.engine.expire import next_expiry
from mailrules.engine.listen import Failure, Loop
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle
from mailrules.engine.turn import take_turn
from mailrules.model.entry import State
from mailrules.model.schedule import Expiry, Schedule

HOUR = timedelta(hours=1)


def expiry(key, hours, *steps, **settings):
    """Comes so many hours after the first pass, and does not end the listener."""
    return Expiry(f"{hours}h after the start", key, delay=hours * HOUR, steps=steps, **{"terminate": False, **settings})


def turn(house, listener, **edges):
    return take_turn(listener, Decider(listener.rules), house.world(**edges))


def noted(house):
    return [said for said, _ in house.notes.done]


@pytest.fixture
def listener(house):
    return house.listener(expires=(expiry("b", 2, house.step()), expiry("a", 1, house.step())))


def test_each_comes_once_at_its_time(house, listener):
    turn(house, listener)
    for _ in range(6):
        house.later(minutes=30)
        turn(house, listener)

    assert noted(house) == [
        "expired 2026-06-01 13:00 (UTC): 1h after the start",
        "expired 2026-06-01 14:00 (UTC): 2h after the start",
    ]


def test_late_ones_come_once_in_time_order_and_say_how_late(house, listener):
    turn(house, listener)
    house.later(hours=27, minutes=5)
    turn(house, listener)
    turn(house, listener)

    assert noted(house) == [
        "expired 2026-06-01 13:00 (UTC), 1 d 2 h 5 min late: 1h after the start",
        "expired 2026-06-01 14:00 (UTC), 1 d 1 h 5 min late: 2h after the start",
    ]


def test_it_is_on_record_with_its_steps(house, listener):
    turn(house, listener)
    house.later(hours=1)
    (entry,) = turn(house, listener).entries

    assert (entry.state, entry.rule, entry.date) == (State.DONE, "expires", START + HOUR)
    assert [step.name for step in entry.steps] == ["note", "note"]
    assert house.seen[-1] == entry


def test_one_that_ends_the_listener_keeps_it_from_looking_and_later_ones_from_coming(house):
    listener = house.listener(
        house.rule("all", None, 3), expires=(expiry("a", 1, house.step(), terminate=True), expiry("b", 2, house.step()))
    )
    turn(house, listener)
    house.box.messages = {"1": mail(1)}
    house.later(hours=3)

    first, second = turn(house, listener), turn(house, listener)

    assert first.ended == second.ended == "it expired 2026-06-01 13:00 (UTC): 1h after the start"
    assert (len(first.entries), second.entries) == (1, ())
    assert list(house.box.messages) == ["1"]
    assert next_expiry(listener, house.world()) is None


def test_what_fails_is_tried_again_although_the_listener_has_ended(house):
    subject = "expired 2026-06-01 13:00 (UTC): 1h after the start"
    listener = house.listener(expires=(expiry("a", 1, house.step("a"), house.step("b"), terminate=True),))
    turn(house, listener)
    house.later(hours=1)
    house.notes.fails = {subject: Transient("away")}
    (entry,) = turn(house, listener).entries
    assert (entry.state, next_expiry(listener, house.world())) == (State.RETRY, house.now + timedelta(minutes=1))

    house.notes.fails = {}
    assert turn(house, listener).entries == ()
    house.later(minutes=1)
    turn(house, listener)

    assert noted(house) == [subject, subject]
    assert next_expiry(listener, house.world()) is None


def test_what_cannot_succeed_is_parked_and_a_retry_takes_it_up(house, listener):
    turn(house, listener)
    house.later(hours=1)
    house.notes.fails = {"expired 2026-06-01 13:00 (UTC): 1h after the start": Permanent("no")}
    (entry,) = turn(house, listener).entries
    assert entry.state is State.PARKED

    house.notes.fails = {}
    house.journal.save([replace(entry, state=State.RETRY, retry_at=house.now)])

    assert [again.state for again in turn(house, listener).entries] == [State.DONE]


def test_a_step_that_a_crash_cut_off_is_not_repeated(house, listener):
    turn(house, listener)
    house.later(hours=1)

    def crash(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn(house, listener, perform=crash)
    assert next_expiry(listener, house.world()) <= house.now
    (entry,) = turn(house, listener).entries

    assert entry.state is State.PARKED
    assert "nobody knows whether it happened" in entry.reason
    assert noted(house) == []


def test_the_mailbox_is_not_needed(house, listener):
    turn(house, listener)
    house.later(hours=1)
    house.box.breaks = True
    with pytest.raises(Transient):
        turn(house, listener)

    assert len(noted(house)) == 1


def test_waiting_for_a_message_until_a_moment_ends_with_the_message(house):
    listener = house.listener(
        house.rule("all", None, 1), stop_after_first=True, expires=(expiry("a", 1, house.step(), terminate=True),)
    )
    house.box.messages = {"1": mail(1)}
    turn(house, listener)
    house.later(hours=2)
    turn(house, listener)

    assert noted(house) == []
    assert next_expiry(listener, house.world()) is None


@pytest.mark.parametrize("answer", [lambda _: 1 / 0, lambda _: "soon", lambda start: start.replace(tzinfo=None)])
def test_a_script_that_cannot_say_when_keeps_the_listener_from_running(house, answer):
    listener = house.listener(house.rule("all", None, 3), expires=(Expiry("script end.py", "a", script=answer),))
    house.journal.begin("inbox", house.now, [])
    house.box.messages = {"1": mail(1)}

    with pytest.raises(ExpiryError, match=r"expires: script end\.py"):
        turn(house, listener)

    assert list(house.box.messages) == ["1"]


def test_the_loop_wakes_for_expiries_alone_and_ends_with_the_last(house, monkeypatch):
    monkeypatch.setattr(listen, "LONGEST_SLEEP", 0.005)
    house.journal.begin("inbox", house.now, [])
    listener = house.listener(
        schedule=Schedule(cron="0 0 1 1 *"),
        expires=(expiry("a", 1, house.step()), expiry("b", 2, house.step(), terminate=True)),
    )
    told: list[Report | Failure | Idle] = []

    def hear(outcome):
        told.append(outcome)
        house.later(hours=1)

    loop = Loop([listener], house.world(), hear)
    house.later(hours=1)
    thread = threading.Thread(target=loop.run)
    thread.start()
    thread.join(10)
    loop.stop()

    assert [type(each) for each in told] == [Report, Report, Idle]
    assert len(noted(house)) == 2
    assert house.journal.history("inbox").runs == 0
