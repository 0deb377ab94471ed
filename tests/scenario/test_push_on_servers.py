"""Push on real servers: what arrives is handled at once, and a server that goes comes back into use by itself."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager

import pytest
from tests.scenario.workspace import Place, account

from mailrules.engine.listen import Failure, Loop
from mailrules.engine.passes import Report
from mailrules.engine.worlds import live_world
from mailrules.store.sql import open_journal

RULES = """
    version: 1
    rules:
      - name: invoices
        match: {subject: Invoice}
        keep: {move: Filed}
        actions: [{log: "{{ message.subject }}"}]
"""
LISTENERS = """
version: 1
accounts:
{account}
listeners:
  inbox: {{account: box, start: all, idle: true, schedule: {{every: 1h}}, rules: [rules/all.yaml]}}
  filed: {{account: box, folder: Filed, start: all, idle: true, schedule: {{every: 1h}}, flow: note}}
flows:
  note: [{{log: "filed {{{{ message.subject }}}}"}}]
"""


def mail(number):
    return f"From: a@x.example\nSubject: Invoice {number}\nMessage-ID: <{number}@x.example>\n\nhello\n".encode()


@pytest.fixture(params=["dovecot", "cyrus"])
def store(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def box(store):
    mailbox = store.fresh()
    with mailbox.session() as session:
        session.create("Filed")
    return mailbox


@contextmanager
def listening(folder, store, box):
    place = Place(folder).write(
        mailrules=LISTENERS.format(account=account("box", "imap", store, box)), rules__all=RULES
    )
    workspace, told = place.load(), []
    with closing(open_journal(workspace.journal)) as journal:
        loop = Loop(workspace.listeners.values(), live_world(workspace, journal), told.append)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield told
        finally:
            loop.stop()
            thread.join(20)
    assert not thread.is_alive()


def until(happened, told, limit=30.0):
    end = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < end, told
        time.sleep(0.01)


def handled(told, name):
    return [entry.subject for one in told if isinstance(one, Report) and one.listener == name for entry in one.entries]


def test_what_arrives_is_handled_by_the_listeners_of_both_folders(tmp_path, store, box):
    with listening(tmp_path, store, box) as told:
        until(lambda: len(told) == 2, told)
        for number in (1, 2, 3):
            box.deliver(mail(number))
            until(lambda number=number: f"Invoice {number}" in handled(told, "filed"), told)

    expected = ["Invoice 1", "Invoice 2", "Invoice 3"]
    assert (handled(told, "inbox"), handled(told, "filed")) == (expected, expected)
    assert [one for one in told if isinstance(one, Failure)] == []


def test_what_arrives_one_right_after_the_other_is_handled_once_each(tmp_path, store, box):
    """Some of them in the middle of a pass, some between two, most in the middle of an IDLE that begins or ends."""
    with listening(tmp_path, store, box) as told:
        until(lambda: len(told) == 2, told)
        for number in range(30):
            box.deliver(mail(number))
        until(lambda: len(handled(told, "filed")) == 30, told)

    assert sorted(handled(told, "inbox")) == sorted(f"Invoice {number}" for number in range(30))
    assert len(set(handled(told, "filed"))) == 30


def test_after_a_restart_of_the_server_push_works_again(tmp_path, testbed, store, box):
    with listening(tmp_path, store, box) as told:
        until(lambda: len(told) == 2, told)
        testbed.stop(store.name)
        until(lambda: {one.listener for one in told if isinstance(one, Failure)} == {"inbox", "filed"}, told)
        testbed.start(store.name)
        before = len(told)
        until(lambda: {one.listener for one in told[before:] if isinstance(one, Report)} == {"inbox", "filed"}, told)
        box.deliver(mail(1))
        until(lambda: "Invoice 1" in handled(told, "filed"), told)

    assert handled(told, "inbox") == ["Invoice 1"]
