"""How listeners fare, as it is put on record."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.engine.house import START, Transient

from mailrules.engine.chart import Chart
from mailrules.engine.passes import Report
from mailrules.model.action import PersonNeeded
from mailrules.model.health import Health
from mailrules.model.journal import JournalError
from mailrules.model.schedule import Schedule

MINUTE = timedelta(minutes=1)
SOON = START + MINUTE


@pytest.fixture
def chart(house):
    return Chart(house.journal, lambda: house.now)


@pytest.fixture
def listener(house):
    return house.listener(schedule=Schedule(every=600))


def on_record(house):
    return house.journal.health().get("inbox")


def test_a_success_says_when_when_next_and_what_was_left(house, chart, listener):
    chart.succeeded(listener, Report("inbox", left=3), SOON)
    chart.write()

    assert on_record(house) == Health(START, next_run=SOON, overdue=START + 30 * MINUTE, waiting=3)


def test_failures_are_counted_from_the_first_with_the_cause_and_remedy_of_the_latest(house, chart, listener):
    chart.succeeded(listener, Report("inbox"), SOON)
    house.later(minutes=1)
    chart.failed(listener, Transient("it is away"), SOON)
    house.later(minutes=1)
    chart.failed(listener, PersonNeeded("refused", remedy="log in"), SOON + MINUTE)
    chart.write()

    assert on_record(house) == Health(
        last_success=START,
        failures=2,
        since=START + MINUTE,
        error="refused",
        remedy="log in",
        person=True,
        next_run=SOON + MINUTE,
        overdue=START + 30 * MINUTE,
    )


def test_a_success_heals(house, chart, listener):
    chart.failed(listener, PersonNeeded("refused", remedy="log in"), SOON)
    chart.succeeded(listener, Report("inbox"), SOON)
    chart.write()

    assert on_record(house) == Health(START, next_run=SOON, overdue=START + 30 * MINUTE)


def test_without_a_next_run_nothing_is_promised(house, chart, listener):
    chart.taken_up(listener, SOON)
    chart.succeeded(listener, Report("inbox"))
    chart.write()

    assert on_record(house) == Health(START)


def test_a_process_that_takes_a_listener_up_again_begins_to_promise_then(house, chart, listener):
    house.journal.note({"inbox": Health(START - 99 * MINUTE, overdue=START - MINUTE, ended="it ended")})
    chart.taken_up(listener, SOON)
    house.later(minutes=1)
    chart.taken_up(listener, SOON)
    chart.write()

    assert on_record(house) == Health(START - 99 * MINUTE, next_run=SOON, overdue=START + 30 * MINUTE)


def test_an_end_promises_nothing(house, chart, listener):
    chart.succeeded(listener, Report("inbox"), SOON)
    chart.ended("inbox", "it has run 1 time")
    chart.write()

    assert on_record(house) == Health(START, ended="it has run 1 time")


def test_what_is_no_news_is_written_every_few_seconds_only(house, chart, listener):
    written = []
    for second in range(12):
        chart.succeeded(listener, Report("inbox"), house.now + MINUTE)
        chart.write()
        if on_record(house).last_success == house.now:
            written.append(second)
        house.later(seconds=1)

    assert written == [0, 5, 10]


def test_news_are_written_at_once(house, chart, listener):
    chart.succeeded(listener, Report("inbox"), SOON)
    chart.write()
    chart.failed(listener, Transient("away"), SOON)
    chart.write()

    assert on_record(house).failures == 1


def test_all_is_written_at_the_end(house, chart, listener):
    chart.succeeded(listener, Report("inbox"), SOON)
    chart.write()
    house.later(seconds=1)
    chart.succeeded(listener, Report("inbox"), SOON)
    chart.write(everything=True)

    assert on_record(house).last_success == house.now


def test_a_journal_that_takes_nothing_is_told_once_and_gets_it_later(house, chart, listener, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "mailrules")

    def full(_health):
        raise JournalError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(house.journal, "note", full)
        for _ in range(3):
            chart.failed(listener, Transient("away"), SOON)
            chart.write()
            house.later(seconds=6)
    chart.write()

    assert caplog.messages == ["how the listeners fare is not on record: disk full"]
    assert on_record(house).failures == 3


def test_a_secret_in_a_failure_is_struck_out(house, chart, listener):
    from mailrules.api import Secret

    Secret.holding("kept-from-everybody").reveal()
    chart.failed(replace(listener), ValueError("no kept-from-everybody here"), SOON)
    chart.write()

    assert on_record(house).error == "ValueError: no *** here"


def test_the_first_success_is_news(house, chart, listener):
    chart.taken_up(listener, SOON)
    chart.write()
    chart.succeeded(listener, Report("inbox"), SOON)
    chart.write()

    assert on_record(house).last_success == START
