"""Which messages a listener takes at all: `max_size` with `oversize`, and `max_age`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.engine.house import MOVE, START, Transient, body, mail, subject

from mailrules.model.entry import State
from mailrules.model.journal import Query

MB = 1_000_000


@pytest.fixture
def gib(house):
    """Three messages, the second of which the server says is of 6 GB."""
    house.box.messages = {str(n): mail(n, f"mail {n}") for n in (1, 2, 3)}
    house.box.sizes = {"1": 300, "2": 6000 * MB, "3": 300}
    return house


WHY = "it has 6 GB, more than max_size: 25 MB"


@pytest.mark.parametrize(
    ("oversize", "state", "reason"),
    [
        ("skip", State.SKIPPED, WHY),
        ("park", State.PARKED, f"{WHY}; look at it yourself, or write a larger max_size and retry it"),
    ],
)
def test_a_bigger_message_is_left_alone_with_a_row_once_and_keeps_nobody_from_the_others(gib, oversize, state, reason):
    listener = gib.listener(gib.rule("text", body("text"), 1, gib.step()), max_size=25 * MB, oversize=oversize)

    reports = [gib.run(listener), gib.run(listener)]

    assert [len(report.entries) for report in reports] == [3, 0]
    assert (gib.entries()["mail 2"].state, gib.entries()["mail 2"].reason) == (state, reason)
    assert [subject for subject, _ in gib.notes.done] == ["mail 1", "mail 3"]
    assert list(gib.box.messages) == ["2"]
    assert gib.box.asked_bodies == ["1", "3"]


def test_a_message_of_exactly_max_size_is_taken(gib):
    gib.box.sizes["2"] = 25 * MB
    gib.run(gib.listener(gib.rule("all", None, 3), max_size=25 * MB))

    assert gib.box.messages == {}


def test_one_of_which_the_server_does_not_say_the_size_is_taken(gib):
    gib.box.sizes = {}
    gib.run(gib.listener(gib.rule("all", None, 3), max_size=25))

    assert gib.box.messages == {}


def test_a_parked_one_is_handled_when_max_size_has_been_raised_and_it_is_retried(gib):
    rule = gib.rule("all", body("text"), 1)
    gib.run(gib.listener(rule, max_size=25 * MB))
    entry = gib.entries()["mail 2"]
    for most, state in ((25 * MB, State.PARKED), (7000 * MB, State.DONE)):
        gib.journal.save([replace(entry, state=State.RETRY, retry_at=gib.now)])
        gib.run(gib.listener(rule, max_size=most))
        assert gib.entries()["mail 2"].state is state
    assert gib.box.messages == {}


class TestByItsHeaderAlone:
    """`oversize: header`."""

    def handled(self, gib, *rules):
        gib.run(gib.listener(*rules, max_size=25 * MB, oversize="header"))
        assert "2" not in gib.box.asked_bodies
        return gib.entries()["mail 2"]

    def test_a_rule_that_the_header_answers_fires(self, gib):
        entry = self.handled(gib, gib.rule("two", subject("mail 2"), 2, gib.step(), keep=MOVE))

        assert (entry.rule, entry.state) == ("two", State.DONE)
        assert [subject for subject, _ in gib.notes.done] == ["mail 2"]

    def test_a_rule_that_asks_for_the_text_is_passed_over_with_the_reason(self, gib):
        text = gib.rule("text", body("text"), 1)
        entry = self.handled(gib, text, gib.rule("two", subject("mail 2"), 2, keep=MOVE))

        assert (entry.rule, entry.state) == ("two", State.DONE)
        assert entry.reason == "passed over: text: the body is cut off"

    def test_a_step_that_needs_the_whole_message_parks_it_before_anything_is_done(self, gib):
        steps = gib.step("first"), gib.step("save", needs_body=True)
        entry = self.handled(gib, gib.rule("two", subject("mail 2"), 1, *steps))

        assert (entry.rule, entry.state) == ("two", State.PARKED)
        assert entry.reason == f"save needs the whole message, but {WHY}"
        assert gib.notes.done == []
        assert "2" in gib.box.messages


def test_what_was_begun_before_max_size_was_lowered_is_finished(house):
    house.box.messages, house.box.sizes = {"1": mail(1, "bad")}, {"1": 40 * MB}
    rule = house.rule("all", None, 1, house.step("first"), house.step("second"))
    house.notes.fails = {"bad": Transient("away")}
    house.run(house.listener(rule))
    house.notes.fails = {}
    house.later(minutes=2)

    house.run(house.listener(rule, max_size=25 * MB))

    assert house.entries()["bad"].state is State.DONE


class TestMaxAge:
    """`max_age:` by the server's word, else the Date header."""

    @pytest.fixture
    def old(self, house):
        house.box.messages = {str(n): mail(n, f"mail {n}") for n in range(6)}
        house.box.came = {str(n): START - timedelta(days=40 - 10 * n) for n in range(4)}
        return house

    def test_older_ones_are_skipped_each_once_with_the_reason_and_the_limit(self, old):
        listener = old.listener(old.rule("all", None, 3), max_age=timedelta(days=15))

        reports = [old.run(listener), old.run(listener)]

        assert [[e.state for e in report.entries] for report in reports] == [
            [State.SKIPPED] * 3 + [State.DONE] * 3,
            [],
        ]
        assert old.entries()["mail 0"].reason == "it came on 2026-04-22, longer ago than max_age: 15d"
        assert list(old.box.messages) == ["0", "1", "2"]
        assert [report.left for report in reports] == [0, 0]

    def test_they_take_nothing_of_max_emails(self, old):
        report = old.run(old.listener(old.rule("all", None, 3), max_age=timedelta(days=15), max_emails=2))

        assert [e.ref.uid for e in report.entries] == list("01234")
        assert report.left == 1

    def test_without_the_servers_word_the_date_counts(self, old):
        old.box.came = dict.fromkeys(old.box.messages)
        report = old.run(old.listener(max_age=timedelta(hours=1)))

        assert {e.state for e in report.entries} == {State.SKIPPED}

    def test_one_whose_age_nobody_knows_is_taken(self, house):
        house.box.messages, house.box.came = {"1": b"Subject: x\n\nx"}, {"1": None}
        house.run(house.listener(house.rule("all", None, 3), max_age=timedelta(seconds=1)))

        assert house.box.messages == {}

    def test_those_of_many_are_looked_at_only_until_enough_younger_ones_are_met(self, house, monkeypatch):
        monkeypatch.setattr("mailrules.engine.intake.LOOKED_AT", 2)
        house.box.messages = {str(n): mail(n, f"mail {n}") for n in range(8)}
        house.box.came = {"0": START - timedelta(days=9), "6": START - timedelta(days=9)}

        report = house.run(house.listener(max_age=timedelta(days=1), max_emails=2))

        assert [(e.ref.uid, e.state) for e in report.entries] == [
            ("0", State.SKIPPED),
            ("1", State.DONE),
            ("2", State.DONE),
        ]
        assert report.left == 5
        assert len(house.journal.find(Query(limit=None))) == 3
