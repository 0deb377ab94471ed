"""A server that asks to be left alone is: by all listeners of the account, and by what it sends."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
from tests.unit.engine.test_listen import until
from tests.unit.engine.test_push import FETCHES, heard, idle, loop_on  # noqa: F401 - a fixture

from mailrules.builtin.line.hints import asked_pause
from mailrules.config.settings import Account
from mailrules.engine.listen import Failure
from mailrules.engine.passes import Report
from mailrules.engine.pauses import LONGEST, ObedientSender, Pauses
from mailrules.model.action import Transient
from mailrules.model.schedule import Schedule
from mailrules.testing.bad_imap import BadImap

HINTS = {
    "Request is throttled. Suggested Backoff Time: 299923 milliseconds": 299.923,
    "[THROTTLED] slow down, try again in 5 minutes": 300,
    "4.7.0 Too many messages, please try again in 90 seconds": 90,
    "4.3.2 busy; retry after 30 s": 30,
    "[UNAVAILABLE] Wait 2 hours": 7200,
    "try again later": None,
    "[LIMIT] too many connections": None,
    "no whole answer after 120 s": None,
    "retry after 99999999999999 s": None,
    "": None,
}


@pytest.mark.parametrize(("said", "seconds"), HINTS.items(), ids=HINTS)
def test_a_number_that_a_server_names_is_understood(said, seconds):
    assert asked_pause(said) == (None if seconds is None else pytest.approx(seconds))


def test_an_account_is_left_alone_for_as_long_as_was_asked_and_never_longer_than_a_day():
    pauses = Pauses()
    pauses.ask("a", 100)
    pauses.ask("a", 10)
    pauses.ask("b", 10 * LONGEST)

    assert (99 < pauses.left("a") <= 100, LONGEST - 1 < pauses.left("b") <= LONGEST, pauses.left("c")) == (
        True,
        True,
        0,
    )


def test_nothing_is_sent_as_an_account_that_is_left_alone():
    pauses, sent = Pauses(), []
    pauses.ask("a", 100)
    sender = ObedientSender(lambda mail, **_: sent.append(mail) or "done", "a", pauses)

    with pytest.raises(Transient, match=r"account 'a' is left alone until .*, as its server asked") as raised:
        sender(b"mail")

    assert sent == []
    assert 99 < raised.value.after <= 100
    assert ObedientSender(sender.send, "b", pauses)(b"mail") == "done"


def test_what_a_sending_server_asks_counts_for_the_account():
    pauses = Pauses()

    def throttled(_mail, **_how):
        raise Transient("421 4.7.0 try again in 60 seconds", after=60)

    with pytest.raises(Transient, match="421"):
        ObedientSender(throttled, "a", pauses)(b"mail")

    assert 59 < pauses.left("a") <= 60


def test_all_listeners_of_the_account_wait_and_those_of_others_do_not(house, idle):  # noqa: F811 - the fixture
    often, throttle = Schedule(every=0.1), "{tag} NO [THROTTLED] Suggested Backoff Time: 200000 milliseconds\r\n"
    script = {**FETCHES, "uid search": [throttle]}
    with ExitStack() as running:
        one, two, other = (running.enter_context(BadImap(each)) for each in (script, FETCHES, FETCHES))
        ports = {"one": one.port, "two": two.port, "other": other.port}
        plain = replace(idle, idle=False, schedule=often)
        loop, told = running.enter_context(loop_on(house, ports, replace(plain, name="one", account=Account("a"))))
        until(lambda: told)
        more = [replace(plain, name=name, account=Account(name[:1])) for name in ("two", "other")]
        more = [replace(more[0], account=Account("a")), more[1]]
        world = house.world(open=loop._plan.world.open, clock=loop._plan.world.clock, pauses=loop._plan.world.pauses)
        loop.replace([replace(plain, name="one", account=Account("a")), *more], world)
        until(lambda: sum(isinstance(each, Report) for each in told) > 3)
        until(lambda: any(each.listener == "two" for each in told))

    failed = {each.listener: each for each in told if isinstance(each, Failure)}
    assert failed.keys() == {"one", "two"}
    assert all(190 < each.retry_in < 205 for each in failed.values())
    assert failed["two"].reason.startswith("account 'a' is left alone until ")
    assert two.heard == []
    assert sum("UID SEARCH" in line for line in one.heard) == 1
    assert house.journal.health()["two"].error == failed["two"].reason


def test_a_notice_on_a_parked_connection_does_not_break_the_pause(house, idle):  # noqa: F811 - the fixture
    with BadImap({**FETCHES, "idle": ["+ idling\r\n", 0.3, "* 4 EXISTS\r\n"]}) as server:
        loop_ = loop_on(house, {"inbox": server.port}, idle)
        with loop_ as (loop, told):
            until(lambda: heard(server, "IDLE") == 1)
            loop._plan.world.pauses.ask("local", 60)
            until(lambda: any(isinstance(each, Failure) for each in told))
            time.sleep(0.3)

    assert len(told) == 2
    assert heard(server, "DONE") == 0
