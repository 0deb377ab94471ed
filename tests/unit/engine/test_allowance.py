"""Limits of what a rule or a listener may do within a time."""

from datetime import timedelta

import pytest
from tests.unit.engine.house import MOVE, Transient, mail, subject

from mailrules.model.entry import State
from mailrules.model.limits import Limits

HOUR = timedelta(hours=1)


def fill(house, number, subject="go"):
    first = len(house.box.messages) + 1000 * len(house.entries()) + 1
    house.box.messages |= {str(at): mail(at, f"{subject} {at}") for at in range(first, first + number)}


def states(house):
    return [entry.state for entry in house.entries().values()]


RULES = {
    "deletes": (lambda house, limits: house.rule("r", subject("go"), 3, limits=limits), Limits(deletes=3, within=HOUR)),
    "moves": (
        lambda house, limits: house.rule("r", subject("go"), 4, keep=MOVE, limits=limits),
        Limits(moves=3, within=HOUR),
    ),
    "sends": (
        lambda house, limits: house.rule("r", subject("go"), 1, house.step(sends=True), limits=limits),
        Limits(sends=3, within=HOUR),
    ),
}


@pytest.mark.parametrize("what", RULES)
def test_over_its_limit_a_rule_leaves_the_message_alone_and_says_so(house, caplog, what):
    rule, limits = RULES[what]
    fill(house, 5)
    report = house.run(house.listener(rule(house, limits)))

    assert len(house.box.messages) == 2
    assert [entry.state for entry in report.entries] == [State.DONE] * 3 + [State.RETRY] * 2
    reason = report.entries[-1].reason
    assert "rule 'r' of listener 'inbox' is paused" in reason
    assert f"3 within 1h (limits: {what})" in reason
    assert caplog.messages.count(reason) == 1


@pytest.mark.parametrize("what", RULES)
def test_when_the_time_is_over_it_goes_on_by_itself(house, what):
    rule, limits = RULES[what]
    fill(house, 5)
    listener = house.listener(rule(house, limits))
    house.run(listener)
    house.later(minutes=59)
    house.run(listener)
    assert len(house.box.messages) == 2

    house.later(minutes=1, seconds=1)
    house.run(listener)
    assert not house.box.messages
    assert set(states(house)) == {State.DONE}


def test_what_was_done_in_earlier_passes_counts(house):
    listener = house.listener(house.rule("r", subject("go"), 3, limits=Limits(deletes=3, within=HOUR)))
    for _ in range(5):
        fill(house, 1)
        house.run(listener)

    assert len(house.box.messages) == 2


def test_other_rules_and_messages_go_on(house):
    fill(house, 5)
    fill(house, 2, "other")
    limited = house.rule("limited", subject("go"), 3, limits=Limits(deletes=1))
    house.run(house.listener(limited, house.rule("other", subject("other"), 3)))

    assert len(house.box.messages) == 4


def test_a_limit_of_the_listener_counts_all_of_its_rules(house):
    fill(house, 3)
    fill(house, 3, "other")
    rules = house.rule("a", subject("go"), 3), house.rule("b", subject("other"), 3)
    house.run(house.listener(*rules, limits=Limits(deletes=4)))

    assert len(house.box.messages) == 2


def test_a_share_of_the_folder_may_go_but_ten_always_may(house):
    rule = house.rule("r", subject("go"), 3, limits=Limits(share=0.2))
    fill(house, 12)
    house.run(house.listener(rule))
    assert len(house.box.messages) == 2

    house.later(days=2)
    fill(house, 100)
    house.run(house.listener(rule))
    assert len(house.box.messages) == 102 - 20


def test_a_message_let_through_is_finished_however_often_it_is_tried(house):
    fill(house, 1)
    rule = house.rule("r", subject("go"), 1, house.step(sends=True), limits=Limits(sends=1, deletes=1))
    house.notes.fails = {"go 1": Transient("away")}
    listener = house.listener(rule)
    house.run(listener)
    house.later(minutes=1)
    house.notes.fails = {}
    house.run(listener)

    assert states(house) == [State.DONE]


def test_a_limit_of_none_stops_it_altogether(house):
    fill(house, 2)
    house.run(house.listener(house.rule("r", subject("go"), 3, limits=Limits(deletes=0))))
    assert len(house.box.messages) == 2


def test_a_paused_rule_does_not_end_a_listener_that_stops_after_its_first_message(house):
    fill(house, 1)
    rule = house.rule("r", subject("go"), 1, house.step(), limits=Limits(deletes=0))
    assert house.run(house.listener(rule, stop_after_first=True)).ended == ""
