"""What every mailbox must do: subclass `MailboxContract`, give it a `store`, and pytest runs the lot.

```python
class TestMyMailbox(MailboxContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MyStore(tmp_path)
```
"""

# ruff: noqa: D102  # the name of a test says the behaviour

from __future__ import annotations

from dataclasses import replace
from select import select

import pytest

from mailrules.api import Disposition, Mailbox, Pushing, Ref, Settlement
from mailrules.testing.mailbox_store import A, B, C, Kept, Store, message, needs, opened, plain, settle, subjects

__all__ = ["A", "B", "C", "Kept", "MailboxContract", "Store", "message", "opened", "plain", "settle", "subjects"]


class MailboxContract:
    """Behaviours of `mailrules.model.mailbox.Mailbox`, each a test. A subclass gives the fixture `store`, empty."""

    tells = False
    """Whether it is a `Pushing` on this server, which tells of mail that comes."""

    @pytest.fixture(autouse=True)
    def _able(self, request: pytest.FixtureRequest, store: Store) -> None:
        lacking: frozenset[str] = getattr(request.function, "verbs", frozenset()) - store.protocol.verbs
        if lacking:
            pytest.skip(f"{store.protocol.name} cannot {', '.join(sorted(lacking))}")

    def test_an_empty_mailbox_has_nothing(self, store: Store) -> None:
        with opened(store) as mailbox:
            assert list(mailbox.refs(unseen_only=False)) == []
            assert list(mailbox.heads([])) == []
            assert list(mailbox.bodies([])) == []
            assert not mailbox.settle([])

    def test_messages_are_listed_oldest_first(self, store: Store) -> None:
        store.put(B, A, C)
        with opened(store) as mailbox:
            heads = list(mailbox.heads(mailbox.refs(unseen_only=False)))
        assert subjects(head.header for head in heads) == ["b", "a", "c"]

    def test_references_are_stable_across_connections(self, store: Store) -> None:
        store.put(A, B)
        with opened(store) as mailbox:
            before = list(mailbox.refs(unseen_only=False))
        store.put(C)
        with opened(store) as mailbox:
            after = list(mailbox.refs(unseen_only=False))
        assert after[:2] == before
        assert len(set(after)) == 3

    def test_mail_that_comes_is_listed_next_time_on_the_same_connection(self, store: Store) -> None:
        store.put(A)
        with opened(store) as mailbox:
            before = list(mailbox.refs(unseen_only=False))
            store.put(B)
            after = list(mailbox.refs(unseen_only=False))
        assert (len(after), after[:1]) == (2, before)

    @needs("seen")
    def test_unseen_only_leaves_out_what_was_seen(self, store: Store) -> None:
        store.put(A, seen=True)
        store.put(B)
        with opened(store) as mailbox:
            heads = list(mailbox.heads(mailbox.refs(unseen_only=True)))
        assert subjects(head.header for head in heads) == ["b"]

    def test_a_head_is_the_header_block_alone(self, store: Store) -> None:
        store.put(A)
        with opened(store) as mailbox:
            (head,) = mailbox.heads(mailbox.refs(unseen_only=False))
        assert plain(head.header).rstrip() == A.partition(b"\r\n\r\n")[0]
        assert head.size is None or head.size >= len(plain(A).replace(b"\r\n", b"\n"))
        assert head.received is None or head.received.tzinfo is not None

    def test_a_body_is_the_whole_message(self, store: Store) -> None:
        store.put(A, B)
        with opened(store) as mailbox:
            bodies = [plain(content[:]) for _, content in mailbox.bodies(mailbox.refs(unseen_only=False))]
        assert bodies == [A, B]

    def test_heads_and_bodies_come_in_the_order_asked_for(self, store: Store) -> None:
        store.put(A, B, C)
        with opened(store) as mailbox:
            first, second, third = mailbox.refs(unseen_only=False)
            wanted = [third, first, second]
            assert [head.ref for head in mailbox.heads(wanted)] == wanted
            assert [ref for ref, _ in mailbox.bodies(wanted)] == wanted

    def test_bodies_may_be_read_between_two_heads(self, store: Store) -> None:
        store.put(*(message(f"m{number}") for number in range(30)))
        with opened(store) as mailbox:
            for head in mailbox.heads(mailbox.refs(unseen_only=False)):
                ((_, content),) = mailbox.bodies([head.ref])
                assert plain(content[:]).startswith(plain(head.header).rstrip())

    def test_a_big_message_arrives_whole(self, store: Store) -> None:
        big = message("big", "\r\n".join(["0123456789" * 7] * 30_000))
        store.put(A, big, B)
        with opened(store) as mailbox:
            bodies = [plain(content[:]) for _, content in mailbox.bodies(mailbox.refs(unseen_only=False))]
        assert bodies == [A, big, B]

    def test_a_message_that_went_meanwhile_is_left_out(self, store: Store) -> None:
        store.put(A, B, C)
        with opened(store) as mailbox:
            refs = mailbox.refs(unseen_only=False)
        store.take_away(B)
        with opened(store) as mailbox:
            assert subjects(head.header for head in mailbox.heads(refs)) == ["a", "c"]
            assert subjects(content[:] for _, content in mailbox.bodies(refs)) == ["a", "c"]

    @pytest.mark.parametrize("readonly", [False, True], ids=["to be settled", "readonly"])
    def test_reading_changes_nothing(self, store: Store, *, readonly: bool) -> None:
        store.put(A, B)
        before = store.state()
        with opened(store, readonly=readonly) as mailbox:
            refs = mailbox.refs(unseen_only=False)
            mailbox.refs(unseen_only=True)
            list(mailbox.heads(refs))
            list(mailbox.bodies(refs))
        assert store.state() == before

    def test_a_disposition_that_keeps_changes_nothing(self, store: Store) -> None:
        store.put(A)
        before = store.state()
        assert settle(store, Disposition()) == [None]
        assert store.state() == before

    @needs("delete")
    def test_delete_removes_that_message_only_and_at_once(self, store: Store) -> None:
        store.put(A, B, C)
        with opened(store) as mailbox:
            refs = mailbox.refs(unseen_only=False)
            assert not mailbox.settle([Settlement(refs[1], Disposition(delete=True))])
            assert subjects(kept.content for kept in store.folder()) == ["a", "c"]
            assert list(mailbox.refs(unseen_only=False)) == [refs[0], refs[2]]

    @needs("delete")
    def test_what_was_read_before_a_deletion_and_stays_is_untouched(self, store: Store) -> None:
        store.put(A, B)
        before = store.folder()
        with opened(store) as mailbox:
            refs = mailbox.refs(unseen_only=False)
            list(mailbox.bodies(refs))
            mailbox.settle([Settlement(refs[1], Disposition(delete=True))])
        assert store.folder() == before[:1]

    @needs("delete")
    def test_settling_again_is_no_failure(self, store: Store) -> None:
        store.put(A, B)
        with opened(store) as mailbox:
            wanted = [Settlement(ref, Disposition(delete=True)) for ref in mailbox.refs(unseen_only=False)]
            assert not mailbox.settle(wanted)
            assert not mailbox.settle([replace(one, again=True) for one in wanted])

    @needs("delete")
    def test_a_message_that_is_gone_counts_as_settled_and_the_others_are_done(self, store: Store) -> None:
        store.put(A, B)
        with opened(store) as mailbox:
            refs = mailbox.refs(unseen_only=False)
        store.take_away(A)
        with opened(store) as mailbox:
            assert not mailbox.settle([Settlement(ref, Disposition(delete=True)) for ref in refs])
        assert store.folder() == []

    @needs("delete")
    def test_another_validity_makes_it_a_strangers_message(self, store: Store) -> None:
        store.put(A)
        with opened(store) as mailbox:
            (ref,) = mailbox.refs(unseen_only=False)
            if not ref.validity:
                pytest.skip("its references have no validity")
            stranger = Ref(ref.folder, f"{ref.validity}1", ref.uid)
            assert list(mailbox.heads([stranger])) == []
            assert list(mailbox.bodies([stranger])) == []
            assert not mailbox.settle([Settlement(stranger, Disposition(delete=True))])
        assert subjects(kept.content for kept in store.folder()) == ["a"]

    @needs("seen")
    def test_seen_and_unseen(self, store: Store) -> None:
        store.put(A)
        store.put(B, seen=True)
        assert settle(store, Disposition(seen=True), Disposition(seen=False)) == [None, None]
        assert ["\\Seen" in kept.flags for kept in store.folder()] == [True, False]

    @needs("flags", "seen")
    def test_flags_add_up(self, store: Store) -> None:
        store.put(A, seen=True)
        assert settle(store, Disposition(flags=("\\Flagged",))) == [None]
        assert settle(store, Disposition(flags=("\\Answered",))) == [None]
        assert store.folder()[0].flags >= {"\\Seen", "\\Flagged", "\\Answered"}

    @needs("labels")
    def test_labels_become_keywords_where_there_are_no_labels(self, store: Store) -> None:
        store.put(A)
        assert settle(store, Disposition(labels=("invoice", "to do", "Größe"))) == [None]
        assert store.folder()[0].flags >= {"invoice", "to_do"}
        assert len(store.folder()[0].flags) == 3

    @needs("flags")
    def test_what_fails_is_told_and_does_not_stop_the_others(self, store: Store) -> None:
        store.put(A, B)
        reasons = settle(store, Disposition(flags=("no flag)",)), Disposition(flags=("\\Flagged",)))
        assert (bool(reasons[0]), reasons[1]) == (True, None)
        assert "\\Flagged" in store.folder()[1].flags

    @needs("move")
    def test_move_takes_it_to_another_folder(self, store: Store) -> None:
        store.put(A, B)
        assert settle(store, Disposition(move="Trash")) == [None]
        assert subjects(kept.content for kept in store.folder()) == ["b"]
        assert [plain(kept.content) for kept in store.folder("Trash")] == [A]

    @needs("move", "seen", "flags")
    def test_marks_go_along_with_a_move(self, store: Store) -> None:
        store.put(A)
        assert settle(store, Disposition(move="Trash", seen=True, flags=("\\Flagged",))) == [None]
        assert store.folder("Trash")[0].flags >= {"\\Seen", "\\Flagged"}

    @needs("move", "copy")
    def test_a_folder_that_is_not_there_is_made(self, store: Store) -> None:
        store.put(A, B)
        assert settle(store, Disposition(move="Invoices"), Disposition(copy=("Rückfragen & Co",))) == [None, None]
        assert subjects(kept.content for kept in store.folder("Invoices")) == ["a"]
        assert subjects(kept.content for kept in store.folder("Rückfragen & Co")) == ["b"]

    @needs("move")
    def test_a_move_to_where_it_is_leaves_it_alone(self, store: Store) -> None:
        store.put(A)
        before = store.state()
        assert settle(store, Disposition(move="INBOX")) == [None]
        assert store.state() == before

    @needs("copy")
    def test_copy_keeps_the_message(self, store: Store) -> None:
        store.put(A)
        assert settle(store, Disposition(copy=("One", "Two"))) == [None]
        assert [subjects(kept.content for kept in store.folder(name)) for name in ("INBOX", "One", "Two")] == [
            ["a"]
        ] * 3

    @needs("copy")
    def test_a_copy_that_may_have_been_made_is_looked_for_first(self, store: Store) -> None:
        store.put(A, B)
        assert settle(store, Disposition(copy=("One",))) == [None]
        assert settle(store, Disposition(copy=("One",)), Disposition(copy=("One",)), again=True) == [None, None]
        assert subjects(kept.content for kept in store.folder("One")) == ["a", "b"]

    @needs("copy", "delete", "move")
    def test_copies_are_made_before_the_message_goes(self, store: Store) -> None:
        store.put(A, B)
        assert (
            settle(store, Disposition(copy=("One",), delete=True), Disposition(copy=("One",), move="Two")) == [None] * 2
        )
        assert [subjects(kept.content for kept in store.folder(name)) for name in ("INBOX", "One", "Two")] == [
            [],
            ["a", "b"],
            ["b"],
        ]

    @needs("move", "delete")
    def test_many_at_once(self, store: Store) -> None:
        store.put(*(message(f"m{number}") for number in range(40)))
        many = [Disposition(delete=True), Disposition(move="Odd"), Disposition(move="Even"), Disposition()] * 10
        assert settle(store, *many) == [None] * 40
        assert subjects(kept.content for kept in store.folder()) == [f"m{number}" for number in range(3, 40, 4)]
        assert subjects(kept.content for kept in store.folder("Odd")) == [f"m{number}" for number in range(1, 40, 4)]

    def test_what_comes_while_it_listens_is_heard(self, store: Store) -> None:
        with opened(store) as mailbox:
            listening = self._listening(store, mailbox)
            assert not listening.heard()
            store.put(A)
            while not listening.heard():
                assert select([listening], [], [], 20)[0], "it tells nothing"
            listening.resume()
            assert len(mailbox.refs(unseen_only=False)) == 1

    def test_after_listening_in_vain_everything_may_be_asked(self, store: Store) -> None:
        store.put(A)
        with opened(store) as mailbox:
            listening = self._listening(store, mailbox)
            listening.resume()
            assert subjects(head.header for head in mailbox.heads(mailbox.refs(unseen_only=False))) == ["a"]

    def test_listening_goes_on_when_it_is_renewed(self, store: Store) -> None:
        with opened(store) as mailbox:
            listening = self._listening(store, mailbox)
            assert not listening.heard()
            select([listening], [], [], 1)  # the answer to its beginning
            listening.heard()
            listening.renew()
            store.put(A)
            while not listening.heard():
                assert select([listening], [], [], 20)[0], "it tells nothing"

    def _listening(self, store: Store, mailbox: Mailbox) -> Pushing:
        if not self.tells:
            pytest.skip(f"{store.protocol.name} is not told of new mail")
        assert isinstance(mailbox, Pushing)
        mailbox.refs(unseen_only=False)
        assert mailbox.pushes
        mailbox.listen()
        return mailbox

    def test_close_may_be_called_twice(self, store: Store) -> None:
        mailbox = store.open()
        mailbox.close()
        mailbox.close()
