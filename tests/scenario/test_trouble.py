"""What bad input and bad days get: nothing lost, nothing repeated, the others go on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.scenario.workspace import Place

from mailrules.model.entry import State
from mailrules.model.journal import JournalError

HOSTILE = sorted((Path(__file__).parents[1] / "mail").glob("*.eml"))
LOCAL = """
    version: 1
    accounts: {box: {receive: {eml: mail}, send: {outbox: sent}, from: us@x.example}}
    listeners: {inbox: {account: box, start: all, max_emails: -1, rules: [rules/all.yaml]}}
    journal: "sqlite:///journal.sqlite3?timeout=0.1"
"""
EVERY_FIELD = """
    version: 1
    rules:
      - name: never
        match:
          any:
            - {from: zzz1, to: zzz2, cc: zzz3, bcc: zzz4, recipient: zzz5, sender: zzz6, reply_to: zzz7}
            - {any_address: zzz8}
            - {subject: zzz9}
            - {body: zzz10}
            - {header: {X-Nothing: {regex: "zzz(?P<n>11)"}}}
            - {attachment: {name: "zzz12*", size: {over: 1GB}}}
            - {size: {over: 1GB}}
            - {date: {older_than: 9000d}}
            - {received: {older_than: 9000d}}
            - {kind: complaint, reply_text: zzz13, auth: {spf: permerror}}
            - {original_sender: zzz14}
        code: delete
      - name: the rest
        match: {size: {over: 0}}
        actions:
          - log: "{{ message.subject }} {{ message.author }} {{ message.text }} {{ message.reply_text }}"
          - save: {message: true, to: whole}
          - save: {attachments: "*", to: parts}
"""
DELETE_ALL = "version: 1\nrules: [{name: all, code: delete}]\n"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "mail").mkdir()
    return Place(tmp_path).write(mailrules=LOCAL, rules__all=DELETE_ALL)


def put(place, *messages: bytes) -> None:
    for number, message in enumerate(messages):
        (place.root / "mail" / f"{number:03}.eml").write_bytes(message)


def left(place) -> list[str]:
    return sorted(path.name for path in (place.root / "mail").glob("*.eml"))


def mail(number: int) -> bytes:
    return b"From: a@x.example\nSubject: mail %d\nMessage-ID: <%d@x.example>\n\ntext\n" % (number, number)


def test_every_broken_message_is_handled_and_blocks_none(place):
    assert len(HOSTILE) > 40
    put(place, *[path.read_bytes() for path in HOSTILE])
    place.write(rules__all=EVERY_FIELD)

    report = place.run()["inbox"]

    handled = {entry.ref.uid: entry for entry in report.entries}
    assert len(handled) == len(HOSTILE)
    assert {entry.state for entry in report.entries} <= {State.DONE, State.SKIPPED}, [
        (entry.ref.uid, entry.reason) for entry in report.entries if entry.state is not State.DONE
    ]
    assert {entry.rule for entry in report.entries if entry.state is State.DONE} == {"the rest"}


def test_a_locked_journal_leaves_every_message_where_it_is(place):
    put(place, mail(1), mail(2))
    place.rehearse()
    with closing(sqlite3.connect(place.root / "journal.sqlite3", isolation_level=None)) as other:
        place_journal_made(place)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="lock"):
            place.run()
        other.execute("ROLLBACK")

    assert left(place) == ["000.eml", "001.eml"]
    place.run()
    assert left(place) == []


def place_journal_made(place) -> None:
    from mailrules.store.sql import open_journal

    open_journal(place.load().journal).close()


def test_a_full_disk_leaves_the_message_where_it_is(place, monkeypatch):
    from mailrules.store import sqlite

    put(place, *[mail(number) for number in range(400)])
    place_journal_made(place)
    whole = sqlite._prepare

    def full(connection, record):
        whole(connection, record)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite, "_prepare", full)
        with pytest.raises(JournalError, match="full"):
            place.run()

    assert len(left(place)) == 400
    place.run()
    assert left(place) == []
    assert len(place.entries()) == 400


def test_a_plugin_that_raises_keeps_the_message_and_says_where(place):
    (place.root / "plugins").mkdir()
    (place.root / "plugins" / "odd.py").write_text(PLUGIN)
    put(place, mail(1), mail(2))
    place.write(rules__all="version: 1\nrules: [{name: all, code: delete+activate, actions: [{odd: {}}]}]\n")

    report = place.run()["inbox"]

    assert [entry.state for entry in report.entries] == [State.PARKED, State.DONE]
    assert "odd: KeyError: 'what' (in odd.py:10)" in report.entries[0].reason
    assert left(place) == ["000.eml"]


PLUGIN = """from mailrules.api import ActionType, Options, hookimpl


class Odd:
    def describe(self, message, data):
        return "odd"

    def run(self, message, data, context):
        if message.subject == "mail 1":
            {}["what"]


@hookimpl
def mailrules_actions():
    yield ActionType(name="odd", summary="Fails now and then.", options=Options, build=lambda options: Odd())
"""
