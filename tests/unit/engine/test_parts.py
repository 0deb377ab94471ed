"""How much of a message a pass fetches: the header block, then parts, and the whole only where these do not tell."""

from dataclasses import dataclass, field

import pytest
from tests.unit.engine.house import MOVE, START, Box, body, subject

from mailrules.model.condition import AnyOf, Operator, Test
from mailrules.model.mailbox import Head, Leaf, Parts, Ref

HEAD = "From: a@x.example\r\nSubject: {0}\r\nMessage-ID: <{0}@x.example>\r\n"
MULTIPART = 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
TEXT = "--b\r\n\r\n{}\r\n--b\r\nContent-Type: application/pdf\r\n\r\n"
PDF = Test("attachment", (Operator("type", (Operator("is", ("application/pdf",)),)),))
BIG = Test("attachment", (Operator("size", (Operator("over", (5,)),)),))
TRUSTED = Test("auth", (Operator("dmarc", ("pass",)),))


def letter(name, text="text"):
    return (HEAD.format(name) + MULTIPART + TEXT.format(text) + "0123456789\r\n--b--\r\n").encode()


def single(name, media_type="text/plain"):
    return (HEAD.format(name) + f"Content-Type: {media_type}\r\n\r\ntext").encode()


@dataclass
class Parted(Box):
    """A mailbox that gives parts, but for what it cannot take apart."""

    asked_parts: list = field(default_factory=list)
    whole: set = field(default_factory=set)
    lies: set = field(default_factory=set)

    def heads(self, refs):
        for ref in self._there(refs):
            raw = self.messages[ref.uid]
            yield Head(ref, raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", size=len(raw), received=START)

    def parts(self, heads, *, text):
        for head in heads:
            self.asked_parts.append((head.ref.uid, text))
            if head.ref.uid not in self.whole:
                yield head.ref, self._parts(head.ref.uid, self.messages[head.ref.uid][len(head.header) :])

    def _parts(self, uid, raw):
        content = len(raw.partition(b"--b\r\n\r\n")[2].partition(b"\r\n--b")[0])
        kind = "text/html" if uid in self.lies else "text/plain"
        return Parts(raw.replace(b"0123456789", b"09"), (Leaf(kind, content), Leaf("application/pdf", 10, 8)))

    def wait(self, timeout):  # noqa: ARG002 - the contract's name
        return False


@pytest.fixture
def box(house):
    house.box = Parted()
    return house.box


def ran(house, *rules):
    return [(entry.rule, entry.state.value) for entry in house.run(house.listener(*rules)).entries]


def test_parts_tell_of_texts_and_attachments(house, box):
    box.messages = {"1": letter("one", "dear"), "2": letter("two")}

    done = ran(house, house.rule("dear", body("dear"), 2), house.rule("pdf", PDF, 2))

    assert done == [("dear", "done"), ("pdf", "done")]
    assert box.asked_parts == [("1", True), ("2", True)]
    assert box.asked_bodies == []


def test_no_texts_are_asked_for_where_no_rule_looks_at_them(house, box):
    box.messages = {"1": letter("one")}

    assert ran(house, house.rule("pdf", PDF, 2)) == [("pdf", "done")]
    assert box.asked_parts == [("1", False)]


@pytest.mark.parametrize("way", ["whole", "lies"])
def test_what_cannot_be_told_from_parts_is_fetched_whole_and_keeps_its_place(house, box, way):
    box.messages = {"1": letter("one"), "2": letter("two"), "3": letter("three")}
    getattr(box, way).add("2")

    done = house.run(house.listener(house.rule("text", body("text"), 2, keep=MOVE)))

    assert [entry.ref.uid for entry in done.entries] == ["1", "2", "3"]
    assert {entry.rule for entry in done.entries} == {"text"}
    assert box.asked_bodies == ["2"]


def test_what_needs_more_than_the_parts_is_fetched_whole(house, box):
    box.messages = {"1": letter("one"), "2": single("two")}

    assert ran(house, house.rule("big", BIG, 2)) == [("big", "done"), (None, "done")]
    assert box.asked_bodies == ["1"]


def test_an_action_that_needs_the_whole_gets_it(house, box):
    box.messages = {"1": letter("one"), "2": letter("dear", "dear")}

    done = ran(house, house.rule("dear", body("dear"), 2, house.step(needs_body=True)))

    assert done == [(None, "done"), ("dear", "done")]
    assert box.asked_bodies == ["2"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/pdf"])
def test_of_a_message_that_holds_no_parts_the_header_block_tells_its_structure(house, box, media_type):
    box.messages = {"1": single("one", media_type)}

    done = ran(house, house.rule("pdf", PDF, 2))

    assert done == [("pdf" if media_type == "application/pdf" else None, "done")]
    assert (box.asked_parts, box.asked_bodies) == ([], [])


def test_nothing_is_fetched_for_what_no_octets_tell(house, box):
    box.messages = {"1": letter("one")}

    (entry,) = house.run(
        house.listener(house.rule("trusted", TRUSTED, 2), house.rule("one", subject("one"), 2))
    ).entries

    assert entry.rule == "one"
    assert entry.reason == "passed over: trusted: no authserv_id is trusted"
    assert (box.asked_parts, box.asked_bodies) == ([], [])


def test_a_mailbox_that_knows_no_parts_is_asked_for_the_whole(house):
    house.box.messages = {"1": letter("one").replace(b"\r\n", b"\n")}

    assert ran(house, house.rule("text", AnyOf((TRUSTED, body("text"))), 2)) == [("text", "done")]
    assert house.box.asked_bodies == ["1"]


def test_the_whole_is_fetched_before_more_parts_are_held_than_fit(house, box, monkeypatch):
    monkeypatch.setattr("mailrules.engine.reading.HELD", 1)
    box.messages = {str(number): letter(f"m{number}") for number in range(5)}
    box.whole = {"1", "3"}

    done = house.run(house.listener(house.rule("text", body("text"), 2)))

    assert [entry.ref.uid for entry in done.entries] == ["0", "1", "2", "3", "4"]
    assert {entry.ref for entry in done.entries} == {Ref("INBOX", "1", str(number)) for number in range(5)}
    assert box.asked_bodies == ["1", "3"]
