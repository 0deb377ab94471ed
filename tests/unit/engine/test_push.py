"""Push: what a server tells on a parked connection starts a pass at once, and what goes wrong there is made good."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.engine.test_listen import until

from mailrules.api import PasswordCredential, Place, Secret, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.config.settings import Account
from mailrules.engine import push
from mailrules.engine.listen import Failure, Loop
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle
from mailrules.engine.world import system_clock
from mailrules.model.schedule import Schedule
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_server import CLOSE, HANG

SELDOM = Schedule(every=3600.0)
FOUND = '* ESEARCH (TAG "{{tag}}") UID ALL {}\r\n{{tag}} OK done\r\n'
LATER = {"uid search 1": [FOUND.format("1:3")], "uid search": [FOUND.format("1:4")]}


def fetched(uid):
    return (
        f'* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE "21-Nov-2026 20:41:44 +0000" RFC822.SIZE 10 '
        f"BODY[HEADER] {{16}}\r\nSubject: n {uid}\r\n\r\n)\r\n"
    )


FETCHES = {"uid fetch": [*(fetched(uid) for uid in (1, 2, 3, 4)), "{tag} OK done\r\n"]}


def open_imap(port, timeout="2s"):
    raw = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": timeout}
    options = build_options(IMAP.options, raw, root=Path())
    return IMAP.open(options, PasswordCredential("jo", Secret("x")), Place(Path()))


@contextmanager
def loop_on(house, ports, *listeners, **edges):
    told = []
    opener = edges.pop("open", lambda listener: open_imap(ports[listener.name]))
    loop = Loop(listeners, house.world(open=opener, clock=system_clock, **edges), told.append)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield loop, told
    finally:
        loop.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def idle(house):
    return house.listener(house.rule("all", None, 4), schedule=SELDOM, idle=True)


def handled(told):
    return [entry.subject for each in told if isinstance(each, Report) for entry in each.entries]


def heard(server, command):
    return sum(line.partition(" ")[2] == command for line in server.heard)


NOTICES = {
    "a moment later": ["+ idling\r\n", 0.2, "* 4 EXISTS\r\n"],
    "in the packet of the +": ["+ idling\r\n* 4 EXISTS\r\n"],
    "before the +": ["* 4 EXISTS\r\n+ idling\r\n"],
    "in two packets": ["+ idling\r\n", 0.1, "* 4 EXI", 0.1, "STS\r\n"],
    "after other news": [
        "+ idling\r\n",
        0.1,
        "* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n",
        0.1,
        "* 4 EXISTS\r\n",
    ],
}


@pytest.mark.parametrize("steps", NOTICES.values(), ids=NOTICES)
def test_a_notice_starts_a_pass_on_the_same_connection(house, idle, steps):
    with (
        BadImap({**FETCHES, **LATER, "idle 1": steps}) as server,
        loop_on(house, {"inbox": server.port}, idle) as (_, told),
    ):
        until(lambda: "n 4" in handled(told))
        until(lambda: heard(server, "IDLE") == 2)

    assert handled(told) == ["n 1", "n 2", "n 3", "n 4"]
    assert heard(server, 'LOGIN "jo" "x"') == 1


def test_mail_that_comes_during_a_pass_makes_another_one(house, idle):
    script = {**FETCHES, **LATER, "uid fetch 1": [*FETCHES["uid fetch"][:3], "* 4 EXISTS\r\n{tag} OK done\r\n"]}
    with BadImap(script) as server, loop_on(house, {"inbox": server.port}, idle) as (_, told):
        until(lambda: "n 4" in handled(told))

    assert handled(told) == ["n 1", "n 2", "n 3", "n 4"]


LOSSES = {
    "it closes": ["+ idling\r\n", 0.1, CLOSE],
    "it says goodbye": ["+ idling\r\n* BYE shutting down\r\n", HANG],
    "it talks nonsense": ["+ idling\r\n", "%$!&\r\n", HANG],
    "it ends the IDLE unasked": ["+ idling\r\n{tag} OK enough\r\n", HANG],
    "a line without end": ["+ idling\r\n", {"repeat": "x" * 1000, "times": 100}, HANG],
}


@pytest.mark.parametrize("steps", LOSSES.values(), ids=LOSSES)
def test_a_connection_that_is_lost_is_told_and_opened_again_after_a_while(house, idle, steps):
    with BadImap({**FETCHES, "idle 1": steps}) as server, loop_on(house, {"inbox": server.port}, idle) as (_, told):
        until(lambda: house.journal.health().get("inbox") and house.journal.health()["inbox"].failures == 1)
        until(lambda: heard(server, "IDLE") == 2)
        until(lambda: house.journal.health()["inbox"].failures == 0)

    assert [type(each) for each in told] == [Report, Failure, Report]
    assert 0.5 < told[1].retry_in < 2
    assert handled(told) == ["n 1", "n 2", "n 3"]


def test_a_server_that_closes_every_idle_is_left_alone_for_longer_and_longer(house, idle):
    with (
        BadImap({**FETCHES, "idle": ["+ idling\r\n", CLOSE]}) as server,
        loop_on(house, {"inbox": server.port}, idle) as (_, told),
    ):
        until(lambda: sum(isinstance(each, Failure) for each in told) == 3)

    waits = [each.retry_in for each in told if isinstance(each, Failure)]
    assert waits[2] > 2 * waits[0]
    assert heard(server, "IDLE") == 3


WITHOUT = {
    "no IDLE": {"capability": ["* CAPABILITY IMAP4rev1 ESEARCH\r\n{tag} OK done\r\n"]},
    "an IDLE that is refused": {"idle": ["{tag} NO not now\r\n"]},
}


@pytest.mark.parametrize("script", WITHOUT.values(), ids=WITHOUT)
def test_without_idle_the_kept_connection_is_polled_which_is_said_once(house, idle, script, caplog):
    often = replace(idle, schedule=Schedule(every=0.1))
    with BadImap({**FETCHES, **LATER, **script}) as server, loop_on(house, {"inbox": server.port}, often) as (_, told):
        until(lambda: len(told) > 5)

    assert heard(server, 'LOGIN "jo" "x"') == 1
    assert handled(told) == ["n 1", "n 2", "n 3", "n 4"]
    assert [record.message for record in caplog.records if "IDLE" in record.message] == [
        "its server has no IDLE: it is looked at by its schedule only, whatever `idle: true` says"
    ]


def test_a_kept_connection_that_is_dead_is_replaced_at_once(house, idle, monkeypatch):
    """The line is dead without a word, as behind a router that forgot it: only the end of the IDLE shows it."""
    often = replace(idle, schedule=Schedule(every=0.3))
    script = {**FETCHES, "done 1": [HANG]}
    with (
        BadImap(script) as server,
        loop_on(house, {"inbox": server.port}, often, open=lambda _: open_imap(server.port, "500ms")) as (_, told),
    ):
        until(lambda: len(told) > 2)

    assert {type(each) for each in told} == {Report}
    assert heard(server, 'LOGIN "jo" "x"') == 2


def test_an_idle_is_renewed_before_the_server_forgets_it(house, idle, monkeypatch):
    monkeypatch.setattr(push, "RENEWAL", (0.1, 0.2))
    script = {**FETCHES, **LATER, "idle 3": ["+ idling\r\n", "* 4 EXISTS\r\n"]}
    with BadImap(script) as server, loop_on(house, {"inbox": server.port}, idle) as (_, told):
        until(lambda: "n 4" in handled(told))

    assert server.heard.count("DONE") == 3
    assert heard(server, 'LOGIN "jo" "x"') == 1


def test_a_server_that_answers_no_renewal_is_given_up(house, idle, monkeypatch):
    monkeypatch.setattr(push, "RENEWAL", (0.1, 0.2))
    with BadImap({**FETCHES, "done 1": [HANG]}) as server, loop_on(house, {"inbox": server.port}, idle) as (_, told):
        until(lambda: any(isinstance(each, Failure) for each in told))
        until(lambda: heard(server, 'LOGIN "jo" "x"') == 2)

    assert "no answer within 2 s" in next(each.reason for each in told if isinstance(each, Failure))


def test_a_listener_that_leaves_the_files_lets_its_connection_go(house, idle):
    with BadImap(FETCHES) as server, loop_on(house, {"inbox": server.port}, idle) as (loop, _):
        until(lambda: heard(server, "IDLE") == 1)
        loop.replace([replace(idle, name="other", idle=False)], house.world(clock=system_clock))
        until(lambda: heard(server, "LOGOUT") == 1)


def test_a_listener_that_stays_as_it_is_keeps_its_connection(house, idle):
    with BadImap(FETCHES) as server, loop_on(house, {"inbox": server.port}, idle) as (loop, _):
        until(lambda: heard(server, "IDLE") == 1)
        loop.replace(
            [replace(idle, max_emails=7)], house.world(open=lambda _: open_imap(server.port), clock=system_clock)
        )
        time.sleep(0.3)
        assert heard(server, "LOGOUT") == 0
    assert heard(server, "LOGOUT") == 1


def test_one_thread_watches_all_of_them(house, idle):
    names = [f"inbox{number}" for number in range(20)]
    servers = {name: BadImap(FETCHES) for name in names}
    with ExitStack() as running:
        for server in servers.values():
            running.enter_context(server)
        ports = {name: server.port for name, server in servers.items()}
        before = threading.active_count()
        running.enter_context(loop_on(house, ports, *(replace(idle, name=n, account=Account(n)) for n in names)))
        until(lambda: all(heard(server, "IDLE") for server in servers.values()))
        until(lambda: len(house.journal.health()) == 20)
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("pass")]

        assert threading.active_count() - before == 1 + len(workers)
        assert len(workers) < len(names)  # of passes that are over


def test_of_more_listeners_than_connections_the_first_ones_keep_theirs_and_the_others_are_polled(house, idle, caplog):
    account = Account("small", max_connections=3)
    names = [f"inbox{number}" for number in range(5)]
    servers = {name: BadImap(FETCHES) for name in names}
    with ExitStack() as running:
        for server in servers.values():
            running.enter_context(server)
        ports = {name: server.port for name, server in servers.items()}
        _, told = running.enter_context(loop_on(house, ports, *(replace(idle, name=n, account=account) for n in names)))
        until(lambda: len(told) == 5)
        until(lambda: all(heard(servers[name], "IDLE") for name in names[:2]))
        until(lambda: all(heard(servers[name], "LOGOUT") for name in names[2:]))
        assert not any(heard(servers[name], "LOGOUT") for name in names[:2])

    said = "its account has no connection left to keep (max_connections: 3)"
    assert [record.name for record in caplog.records if said in record.message] == [f"mailrules.{n}" for n in names[2:]]


def test_what_a_pass_leaves_for_the_next_one_does_not_wait_for_another_notice(house, idle):
    with BadImap(FETCHES) as server, loop_on(house, {"inbox": server.port}, replace(idle, max_emails=2)) as (_, told):
        until(lambda: "n 3" in handled(told))

    assert [[entry.subject for entry in each.entries] for each in told] == [["n 1", "n 2"], ["n 3"]]


def test_a_listener_that_is_turned_to_another_folder_gets_another_connection(house, idle):
    with BadImap(FETCHES) as server, loop_on(house, {"inbox": server.port}, idle) as (loop, _):
        until(lambda: heard(server, "IDLE") == 1)
        world = house.world(open=lambda _: open_imap(server.port), clock=system_clock)
        loop.replace([replace(idle, folder="Other")], world)
        until(lambda: heard(server, "LOGOUT") == 1)


def test_a_listener_that_ends_lets_its_connection_go(house, idle):
    ends = datetime.now(UTC) + timedelta(seconds=1)
    with BadImap(FETCHES) as server:
        once = replace(idle, schedule=replace(SELDOM, until=ends))
        stays = house.listener(schedule=SELDOM)
        with loop_on(
            house,
            {"inbox": server.port, "other": server.port},
            once,
            replace(stays, name="other"),
            open=lambda one: open_imap(server.port) if one.name == "inbox" else house.box,
        ) as (_, told):
            until(lambda: any(isinstance(each, Idle) for each in told))
            until(lambda: heard(server, "LOGOUT") >= 1)
