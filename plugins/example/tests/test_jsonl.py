"""The protocol `jsonl`: the contract of every mailbox, and what is special to it."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime

import pytest
from mailrules_example import JSONL, JsonlOptions

from mailrules.api import NoCredential, PersonNeeded, Place, Transient
from mailrules.testing.mailbox_contract import Kept, MailboxContract


class JsonlStore:
    """The file as another program writes and reads it."""

    protocol = JSONL

    def __init__(self, root):
        self.root = root
        self.path = root / "mail.jsonl"
        self.path.touch()
        self.ids = itertools.count(1)

    def append(self, **entry):
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def put(self, *messages, seen=False):
        assert not seen
        for content in messages:
            raw = base64.b64encode(content).decode()
            self.append(id=next(self.ids), received=datetime(2026, 3, 2, tzinfo=UTC).isoformat(), raw=raw)

    def take_away(self, message):
        entries = [json.loads(line) for line in self.path.read_text().splitlines()]
        (uid,) = [one["id"] for one in entries if base64.b64decode(one["raw"]) == message]
        self.append(id=uid, deleted=True)

    def open(self, *, readonly=False):
        return JSONL.open(JsonlOptions(path="mail.jsonl"), NoCredential(), Place(self.root, readonly=readonly))

    def folder(self, name="INBOX"):
        left = {}
        for line in self.path.read_text().splitlines():
            entry = json.loads(line)
            left[str(entry["id"])] = entry
        return [Kept(base64.b64decode(e["raw"])) for e in left.values() if name == "INBOX" and "raw" in e]

    def state(self):
        return self.path.read_bytes(), self.path.stat().st_mtime_ns


@pytest.fixture
def store(tmp_path):
    return JsonlStore(tmp_path)


class TestJsonl(MailboxContract):
    """Every mailbox does this."""


def test_a_line_that_is_still_being_written_waits(store):
    store.put(b"Subject: whole\n\n")
    with store.path.open("a") as file:
        file.write('{"id": 2, "raw": "U3Vi')

    assert [ref.uid for ref in store.open().refs(unseen_only=False)] == ["1"]


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"id": 1}', "7", '{"id": 1, "raw": "eA=="}'])
def test_a_line_that_is_no_message_is_named_and_needs_a_person(store, line):
    store.put(b"Subject: whole\n\n")
    with store.path.open("a") as file:
        file.write(line + "\n")

    with pytest.raises(PersonNeeded, match=r"mail\.jsonl:2: not a message"):
        store.open().refs(unseen_only=False)


def test_a_file_that_is_not_there_may_come_later(store):
    store.path.unlink()

    with pytest.raises(Transient, match=r"mail\.jsonl: No such file"):
        store.open().refs(unseen_only=False)
