"""A listener that is to stop after the first message that fires."""

from __future__ import annotations

import threading

import pytest
from tests.unit.engine.house import Transient, mail, subject

from mailrules.engine.listen import Loop
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle, standing
from mailrules.model.entry import State


@pytest.fixture
def listener(house):
    """Fires for mail that says go."""
    house.box.messages = {"1": mail(1, "other"), "2": mail(2, "go"), "3": mail(3, "go 2"), "4": mail(4, "other 2")}
    go = house.rule("go", subject("go"), 1, house.step())
    return house.listener(go, stop_after_first=True)


def noted(house):
    return [said for said, _ in house.notes.done]


def test_one_message_fires_and_the_rest_stays_on_the_server(house, listener):
    first, second = house.run(listener), house.run(listener)

    assert noted(house) == ["go"]
    assert list(house.box.messages) == ["1", "3", "4"]
    assert (first.left, second.left, second.entries) == (0, 0, ())
    assert first.ended == second.ended == "it ended: #2 was its first message (stop_after_first)"
    assert set(house.entries()) == {"other", "go"}


def test_a_message_may_fire_without_any_step(house):
    house.box.messages = {"1": mail(1, "a"), "2": mail(2, "b")}
    house.run(house.listener(house.rule("all", None, 1), stop_after_first=True))

    assert list(house.box.messages) == ["2"]


def test_as_long_as_none_fires_it_goes_on(house, listener):
    del house.box.messages["2"], house.box.messages["3"]
    assert house.run(listener).ended == ""

    house.box.messages |= {"5": mail(5, "go")}

    assert house.run(listener).ended == "it ended: #3 was its first message (stop_after_first)"


def test_the_message_that_fails_is_tried_again_and_no_other_is_taken(house, listener):
    house.notes.fails = {"go": Transient("away")}
    assert house.run(listener).ended == ""
    assert standing(listener, house.journal, house.now) is None

    house.later(minutes=1)
    house.notes.fails = {}
    done = house.run(listener)

    assert noted(house) == ["go"]
    assert [entry.state for entry in done.entries] == [State.DONE]
    assert done.ended


def test_a_crash_before_it_acted_leaves_it_to_be_the_first_again(house, listener, monkeypatch):
    with monkeypatch.context() as crash:
        crash.setattr(house.journal, "stop", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            house.run(listener)
    house.box.messages = {"0": mail(0, "go, too"), **house.box.messages}

    house.run(listener)

    assert noted(house) == ["go"]


def test_a_loop_ends_with_it_and_the_next_process_does_not_begin(house, listener):
    for expected in ([Report, Idle], [Idle]):
        told = []
        loop = Loop([listener], house.world(), told.append)
        thread = threading.Thread(target=loop.run)
        thread.start()
        thread.join(10)
        loop.stop()

        assert [type(each) for each in told] == expected
    assert noted(house) == ["go"]


def test_without_it_the_end_on_record_does_not_count(house, listener):
    house.run(listener)
    house.run(house.listener(*listener.rules.rules))

    assert noted(house) == ["go", "go 2"]
