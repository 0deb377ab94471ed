"""A message from some of its parts: what it knows, what it does not, and when it is not believed."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrules.core.match import evaluate
from mailrules.core.parse import parse
from mailrules.core.skeleton import assembled, leaf
from mailrules.model.condition import Operator, Test, Verdict
from mailrules.model.mailbox import Head, Leaf, Parts, Ref
from mailrules.model.message import Extent, NotLoadedError, Trust

NOW = datetime(2026, 6, 15, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parents[2] / "mail").glob("*.eml"))
HEADER = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
TEXT = b"--b\r\nContent-Type: text/plain\r\n\r\nDear reader\r\n"
FILE = b'--b\r\nContent-Type: application/pdf; name="a.pdf"\r\n\r\n'
LEAVES = (Leaf("text/plain", 11), Leaf("application/pdf", 9000, 8990))
PARTS = Parts(TEXT + FILE + b"0123456789\r\n--b--\r\n", LEAVES)
HEAD = Head(Ref("", "", "1"), HEADER, size=len(HEADER) + len(PARTS.body) + 8990)


def made(parts=PARTS, head=HEAD, *, text=True):
    return assembled(head, parts, by_header(head), text=text, trust=Trust())


def by_header(head):
    return parse(head.header, extent=Extent.HEADER)


def asks(field, **operators):
    return Test(field, tuple(Operator(name, operands) for name, operands in operators.items()))


def test_the_text_and_what_is_attached_are_known():
    message = made()

    assert message.extent is Extent.TEXT
    assert message.text == "Dear reader"
    assert [(each.name, each.type, each.kind) for each in message.attachments] == [("a.pdf", "application/pdf", "file")]
    assert (message.kind.value, message.kind.known) == ("person", True)


@pytest.mark.parametrize("ask", [lambda file: file.size, lambda file: file.content()])
def test_what_is_left_out_is_not_known(ask):
    with pytest.raises(NotLoadedError):
        ask(made().attachments[0])


SIZES = {
    "a size": (asks("attachment", size=(Operator("over", (1000,)),)), Verdict.UNKNOWN),
    "the size of another type": (
        asks("attachment", type=(Operator("is", ("image/png",)),), size=(Operator("over", (1000,)),)),
        Verdict.NO,
    ),
    "a type": (asks("attachment", type=(Operator("is", ("application/pdf",)),)), Verdict.YES),
}


@pytest.mark.parametrize(("condition", "verdict"), SIZES.values(), ids=SIZES)
def test_of_what_is_left_out_a_condition_knows(condition, verdict):
    assert evaluate(condition, made(), NOW) is verdict


def test_where_nothing_is_left_out_it_is_whole():
    whole = TEXT + b"--b--\r\n"

    assert made(Parts(whole), replace(HEAD, size=len(HEADER + whole))).extent is Extent.WHOLE


DOUBTED = {
    "another size": (PARTS, replace(HEAD, size=HEAD.size + 1)),
    "no size": (PARTS, replace(HEAD, size=None)),
    "another type": (replace(PARTS, leaves=(Leaf("text/html", 11), LEAVES[1])), HEAD),
    "a part too few": (replace(PARTS, leaves=LEAVES[1:]), HEAD),
    "a part of another length": (
        replace(PARTS, leaves=(Leaf("text/plain", 12), replace(LEAVES[1], octets=8999))),
        HEAD,
    ),
    "a delimiter that is none": (
        replace(PARTS, body=TEXT + FILE.replace(b"--b\r\n", b"--bx\r\n") + b"012345678\r\n--b--\r\n"),
        HEAD,
    ),
    "a whole of another size": (Parts(PARTS.body), HEAD),
}


@pytest.mark.parametrize(("parts", "head"), DOUBTED.values(), ids=DOUBTED)
def test_a_server_that_sees_it_otherwise_is_not_believed(parts, head):
    assert made(parts, head) is None


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_any_message_without_its_insides_says_what_the_whole_says(path):
    """Every part that is no text is cut, in the midst, where our own scanner sees it."""
    raw = path.read_bytes()
    whole = parse(raw)
    start = len(raw) - whole.root.octets
    pieces, at, leaves = [], start, []
    for part in whole.leaves:
        cut = part.octets - 2 if part in whole.attachments and part.octets > 2 and part._octets is whole._octets else 0
        if cut:
            pieces.append(raw[at : part._body + 1])
            at = part._body + 1 + cut
        leaves.append(Leaf(part.type, part.octets, cut))
    head = Head(Ref("", "", "1"), raw[:start], size=len(raw))
    parts = made(Parts(b"".join(pieces) + raw[at:], leaves), head)

    for name in ("text", "html", "reply_text", "undecodable") if parts is not None else ():
        assert getattr(parts, name) == getattr(whole, name), name
    assert parts is None or len(parts.attachments) == len(whole.attachments)


@pytest.mark.parametrize("content_type", [b"", b"Content-Type: text/html\r\n", b"Content-Type: application/pdf\r\n"])
def test_a_message_that_holds_no_parts_shows_its_structure_by_its_header(content_type):
    head = Head(Ref("", "", "1"), b"From: a@b.example\r\n" + content_type + b"\r\n")
    message = leaf(head, by_header(head), text=False, trust=Trust())

    assert [each.type for each in message.attachments] == (["application/pdf"] if b"pdf" in content_type else [])
    with pytest.raises(NotLoadedError):
        message.attachments[0].size if message.attachments else message.text


def test_a_multipart_does_not():
    assert leaf(HEAD, by_header(HEAD), text=False, trust=Trust()) is None


def test_what_was_read_of_the_header_block_is_taken_over():
    header = parse(HEADER.replace(b"a@b.example", b"=?utf-8?q?J=F6?= <a@b.example>"), extent=Extent.HEADER)
    message = parse(header.raw + PARTS.body)
    assert header["From"] == "Jö <a@b.example>"

    message.know_header(header)

    assert message.header("From") is header.header("From")
    assert set(header.defects) <= set(message.defects)


def test_nothing_is_taken_over_from_another_header_block():
    message = parse(HEADER)

    message.know_header(parse(HEADER.replace(b"a@b", b"c@d"), extent=Extent.HEADER))

    assert message.author.address == "a@b.example"


@pytest.mark.parametrize(("media_type", "text"), [(b"application/pdf", ""), (b"text/html", None)])
def test_of_a_message_that_is_a_file_alone_the_text_is_known_to_be_none(media_type, text):
    head = Head(Ref("", "", "1"), b"Content-Type: " + media_type + b"\r\n\r\n")

    message = leaf(head, by_header(head), text=True, trust=Trust())

    assert (message and message.text) == text
