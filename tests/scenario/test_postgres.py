"""A workspace whose journal is a PostgreSQL database that several machines share."""

import textwrap
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text
from tests.scenario.workspace import Place
from tests.unit.engine.house import Box, House, Notes, mail

from mailrules.core.decide import Decider
from mailrules.engine.perform import Performed
from mailrules.engine.turn import take_turn
from mailrules.model.action import Transient
from mailrules.model.entry import State, StepState
from mailrules.store import holds
from mailrules.store.sql import open_journal

RULES = """
    version: 1
    rules:
      - {name: all, match: {subject: hello}, code: 4, keep: {seen: true}}
"""


@pytest.fixture
def machines(tmp_path, postgres, mailbox, dovecot):
    """Two workspaces alike on one mailbox and one journal."""
    journal = postgres.fresh()
    reach = f"{{host: localhost, port: {dovecot.imaps}, certificate: {dovecot.ca}}}"
    text = f"""
        version: 1
        journal: {journal}
        accounts:
          a: {{receive: {{imap: {reach}}}, auth: {{password: {{login: {mailbox.user}, password: {mailbox.password}}}}}}}
        listeners:
          l: {{account: a, rules: [rules.yaml], start: all, max_emails: -1}}
    """
    return [Place(tmp_path / name).write(mailrules=textwrap.dedent(text), rules=RULES) for name in ("one", "two")]


def test_what_one_machine_has_handled_another_leaves_alone(machines, mailbox):
    mailbox.load(
        [b"From: jo@x.example\nSubject: hello %d\nMessage-ID: <%d@x.example>\n\nbody\n" % (n, n) for n in range(20)]
    )
    one, two = machines
    handled = [len(one.run()["l"].entries), len(two.run()["l"].entries)]

    assert handled == [20, 0]
    assert {entry.rule for entry in two.entries()} == {"all"}
    assert all("\\Seen" in message.flags for message in mailbox.snapshot()["INBOX"].messages)


def take(house, listener, **edges):
    return take_turn(listener, Decider(listener.rules), house.world(**edges))


@pytest.mark.parametrize("repeatable", [True, False])
def test_what_one_machine_has_in_hand_another_leaves_alone(postgres, monkeypatch, repeatable):
    monkeypatch.setattr(holds, "PATIENCE", 0.2)
    url = postgres.fresh()
    acting, go_on, reports = threading.Event(), threading.Event(), []

    def slow(_attempt):
        acting.set()
        go_on.wait(20)
        return Performed(StepState.SUCCEEDED)

    with closing(open_journal(url)) as journal, closing(open_journal(url)) as same:
        one = House(Box({"1": mail(1)}), Notes(), journal)
        two = replace(one, journal=same)
        listener = one.listener(one.rule("all", None, 2, one.step(repeatable=repeatable)))
        working = threading.Thread(target=lambda: reports.append(take(one, listener, perform=slow)))
        working.start()
        acting.wait(20)
        with pytest.raises(Transient, match="another machine works on listener 'inbox'"):
            take(two, listener)
        go_on.set()
        working.join()
        reports.append(take(two, listener))

    assert [[entry.state for entry in report.entries] for report in reports] == [[State.DONE], []]
    assert one.notes.done == []


def test_what_a_machine_held_that_died_another_takes_and_a_lost_connection_is_replaced(postgres, monkeypatch):
    monkeypatch.setattr(holds, "PATIENCE", 5.0)
    url = postgres.fresh()
    with closing(open_journal(url)) as one, closing(open_journal(url)) as two:
        with one.holding("inbox") as ours:
            assert ours
            break_off(url)
            with two.holding("inbox") as theirs:
                assert theirs
        with one.holding("inbox") as ours:
            assert ours


def break_off(url):
    """What a server sees of a machine that dies."""
    engine = create_engine(url)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    engine.dispose()
