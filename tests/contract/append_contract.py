"""What every mailbox that takes messages must do with one that is put there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrules.api import NewMessage, PersonNeeded, Place

RECEIVED = datetime(2026, 1, 5, 6, 7, 8, tzinfo=UTC)
PLAIN = (
    b"From: Jo <jo@sender.example>\r\nSubject: kept as is\r\nMessage-ID: <kept@sender.example>\r\n"
    b"Date: Mon, 05 Jan 2026 07:07:08 +0100\r\n\r\nTwo lines,\r\nFrom here to there.\r\n"
)
NAMELESS = PLAIN.replace(b"Message-ID: <kept@sender.example>\r\n", b"")
OTHERS = {
    "another Message-ID": PLAIN.replace(b"kept@", b"held@"),
    "another size": PLAIN + b"More.\r\n",
    "no Message-ID": NAMELESS,
    "another text of the same length": PLAIN.replace(b"Two", b"Six"),
}


class AppendContract:
    """Subclass it, and give it a `store` whose protocol has `append`, and `shown`, the credential."""

    keeps_flags = True

    def put(self, store, new, *, folder="INBOX", must_exist=()):
        place = Place(getattr(store, "root", Path()), folder, must_exist=must_exist)
        return store.protocol.append(self.options(store), self.shown(store), place, new)

    def options(self, store):
        return store.options

    def contents(self, store, folder="INBOX"):
        return [kept.content.replace(b"\r\n", b"\n") for kept in store.folder(folder)]

    def test_a_message_lies_in_the_folder_as_it_was_given(self, store):
        self.put(store, NewMessage(PLAIN))

        assert [PLAIN.replace(b"\r\n", b"\n")] == self.contents(store)

    def test_where_it_is_now_is_told_as_the_mailbox_tells_it(self, store):
        ref = self.put(store, NewMessage(PLAIN))

        mailbox = store.open(readonly=True)
        assert [ref] == list(mailbox.refs(unseen_only=False))
        mailbox.close()

    def test_when_it_was_received_is_kept(self, store):
        ref = self.put(store, NewMessage(PLAIN, received=RECEIVED))

        mailbox = store.open(readonly=True)
        (head,) = mailbox.heads([ref])
        mailbox.close()
        assert head.received == RECEIVED

    def test_its_flags_are_kept_where_the_mailbox_keeps_any(self, store):
        self.put(store, NewMessage(PLAIN, flags=("\\Seen", "\\Flagged")))

        (kept,) = store.folder()
        assert kept.flags == ({"\\Seen", "\\Flagged"} if self.keeps_flags else frozenset())

    @pytest.mark.parametrize("raw", [PLAIN, NAMELESS], ids=["with a Message-ID", "without"])
    def test_the_same_message_is_put_there_once_however_often_it_is_tried(self, store, raw):
        first = self.put(store, NewMessage(raw))
        again = self.put(store, NewMessage(raw, flags=("\\Seen",)))

        assert first == again
        assert len(store.folder()) == 1

    @pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
    def test_another_message_is_put_beside_it(self, store, other):
        self.put(store, NewMessage(PLAIN))
        self.put(store, NewMessage(other))

        assert len(store.folder()) == 2

    def test_a_missing_folder_is_made(self, store):
        self.put(store, NewMessage(PLAIN), folder="Filed")

        assert [PLAIN.replace(b"\r\n", b"\n")] == self.contents(store, "Filed")

    def test_a_missing_folder_that_must_exist_asks_for_a_person(self, store):
        with pytest.raises(PersonNeeded, match="Filed"):
            self.put(store, NewMessage(PLAIN), folder="Filed", must_exist=("Filed",))

        assert list(store.folder("Filed")) == []

    def test_what_arrives_on_a_folder_by_role_lies_where_that_role_is(self, store):
        self.put(store, NewMessage(PLAIN), folder="\\Archive")

        assert len(store.folder("Archive")) == 1

    def test_lines_end_as_the_mailbox_wants_them(self, store):
        bare = replace(NewMessage(PLAIN), raw=PLAIN.replace(b"\r\n", b"\n"))
        self.put(store, bare)

        assert [bare.raw] == self.contents(store)
