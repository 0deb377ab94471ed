"""What holds of any message: laziness, extents, limits, identity."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrules.core import charset, header, html, mime
from mailrules.core.lazy import lazy
from mailrules.core.parse import ParsedMessage, fingerprint, parse
from mailrules.model.message import Address, Extent, NotLoadedError, Trust

ATTRIBUTES = ("subject", "author", "date", "message_id", "references", "text", "html", "undecodable", "attachments")
ATTRIBUTES += ("defects", "kind", "original_sender", "original_sender_fact", "reply_text", "authentication")
ATTRIBUTES += ("header_block", "size", "received", "flags")
ATTRIBUTES += ("bounce", "calendar", "claimed_sender", "reply_text_fact", "quoted_text", "signature")
OF_THE_BODY = ("text", "html", "undecodable", "attachments", "reply_text", "quoted_text", "signature")
SIMPLE = b"From: Ida <ida@sender.example>\r\nSubject: Hi\r\n\r\nHello.\r\n"
PARTS = (
    b"From: ida@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText.\r\n--b\r\n"
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--\r\n"
)


def everything(message):
    found = [getattr(message, name) for name in ATTRIBUTES]
    found += [message.header_names(), message["Subject"], message.header("Received"), message.addresses("To")]
    return found + [(a.name, a.type, a.kind, a.size, a.content_id, a.content()) for a in message.attachments]


def lazy_names(owner):
    return [name for name, value in vars(owner).items() if isinstance(value, lazy)]


@pytest.mark.parametrize("name", lazy_names(ParsedMessage))
def test_each_attribute_is_computed_once(name, monkeypatch):
    calls = []
    wrapped = vars(ParsedMessage)[name]
    counting = lazy(wrapped._compute)
    counting._compute = lambda message: (calls.append(name), wrapped._compute(message))[1]
    monkeypatch.setattr(ParsedMessage, name, counting)

    message = parse(PARTS)
    assert not calls
    everything(message)
    everything(message)

    assert len(calls) <= 1


@pytest.mark.parametrize("name", ["header", "addresses"])
def test_each_header_is_decoded_once(name, monkeypatch):
    message = parse(SIMPLE)
    first = getattr(message, name)("From")
    monkeypatch.setattr(message, "_fields", None)

    assert getattr(message, name)("From") is first
    assert getattr(message, name)("FROM") is first


def test_nothing_is_read_before_it_is_asked_for():
    message = parse(PARTS)

    assert not [name for name in vars(message) if name in lazy_names(ParsedMessage)]


def test_the_header_does_not_touch_the_body(monkeypatch):
    monkeypatch.setattr(mime, "leaves", lambda *_: pytest.fail("walked the parts"))

    message = parse(PARTS)

    assert message.author == Address("", "ida@sender.example")
    assert message.header("Content-Type")


def test_size_of_clean_base64_is_told_without_decoding(monkeypatch):
    attachment = parse(PARTS).attachments[0]
    monkeypatch.setattr(type(attachment), "content", lambda _: pytest.fail("decoded"))

    assert attachment.size == 1


@pytest.mark.parametrize("name", OF_THE_BODY)
def test_of_a_header_block_alone_the_body_is_not_loaded(name):
    with pytest.raises(NotLoadedError):
        getattr(parse(SIMPLE, extent=Extent.HEADER), name)


def test_what_the_server_says_is_kept():
    received = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)

    message = parse(SIMPLE, extent=Extent.HEADER, size=4711, received=received, flags=frozenset({"\\Seen"}))

    assert (message.size, message.received, message.flags) == (4711, received, frozenset({"\\Seen"}))


@pytest.mark.parametrize(("extent", "size"), [(Extent.WHOLE, len(SIMPLE)), (Extent.HEADER, None), (Extent.CUT, None)])
def test_size_unsaid(extent, size):
    assert parse(SIMPLE, extent=extent).size == size


@pytest.mark.parametrize(
    ("content_type", "known"),
    [(b"text/plain", True), (b"text/calendar", True), (b"multipart/alternative; boundary=b", False)],
)
def test_kind_is_known_from_the_header_unless_a_part_could_tell(content_type, known):
    message = parse(b"From: a@b.example\r\nContent-Type: " + content_type + b"\r\n\r\n", extent=Extent.HEADER)

    assert message.kind.known is known


def test_original_sender_of_a_forwarder_takes_the_body():
    raw = b"From: gate@forward.example\r\n\r\nFrom: Ida <ida@sender.example>\r\n"
    trust = Trust(forwarders=frozenset({"forward.example"}))
    head = parse(raw.partition(b"\r\n\r\n")[0], extent=Extent.HEADER, trust=trust)

    assert not head.original_sender_fact.known
    with pytest.raises(NotLoadedError):
        _ = head.original_sender
    assert parse(raw, trust=trust).original_sender == Address("Ida", "ida@sender.example")


def test_what_was_cut_off_may_hold_the_original():
    trust = Trust(forwarders=frozenset({"forward.example"}))

    message = parse(b"From: gate@forward.example\r\n\r\nHello", extent=Extent.CUT, trust=trust)

    assert not message.original_sender_fact.known
    assert message.original_sender == Address("", "gate@forward.example")


def nested(depth):
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return b"".join(levels) + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


def many(count):
    part = b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n"
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * count + b"--b--\r\n"


def test_nesting_within_the_limit_is_read():
    message = parse(nested(mime.DEEPEST - 1))

    assert message.text == "deep\n"
    assert not message.undecodable


def test_nesting_beyond_the_limit_is_said_and_leaves_the_text_unknown():
    message = parse(nested(2_000))

    assert message.text == ""
    assert message.undecodable
    assert "too-deep" in {defect.word for defect in message.defects}


def test_ten_thousand_parts_are_read():
    assert len(parse(many(10_000)).attachments) == 10_000


def test_parts_beyond_the_limit_are_said_and_left_out():
    message = parse(many(mime.MOST + 5))

    assert len(message.attachments) == mime.MOST
    assert "too-many-parts" in {defect.word for defect in message.defects}


def test_a_header_block_beyond_the_limit_is_said_and_read_up_to_it():
    message = parse(
        b"Subject: first\r\n" + b"X-Filler: x\r\n" * (header.LONGEST // 12) + b"To: a@b.example\r\n\r\nbody"
    )

    assert message.subject == "first"
    assert message.addresses("To") == ()
    assert message.text == "body"
    assert "header-too-long" in {defect.word for defect in message.defects}


def test_defects_of_one_word_are_recorded_up_to_a_limit():
    raw = b"".join(b"broken line %d\r\n" % n for n in range(1_000))

    assert len(parse(b"Subject: x\r\n" + raw + b"To: a@b.example\r\n\r\n").defects) == 20


HOSTILE = {
    "fifty megabytes of header": b"X-A: " + b"a" * 50_000_000,
    "many folds": b"Subject: x" + b"\r\n y" * 200_000 + b"\r\n\r\n",
    "encoded words that never end": b"Subject: " + b"=?utf-8?q?x" * 90_000 + b"\r\n\r\n",
    "encoded words": b"Subject: " + b"=?utf-8?q?x?= " * 70_000 + b"\r\n\r\n",
    "open quotes": b'From: "\\"' + b'\\"' * 100_000 + b"\r\n\r\n",
    "open brackets": b"From: " + b"[" * 200_000 + b"\r\n\r\n",
    "open angles": b"From: " + b"<" * 200_000 + b"\r\n\r\n",
    "open comments": b"From: " + b"(" * 200_000 + b"\r\n\r\n",
    "closed comments": b"From: " + b"(" * 100_000 + b")" * 100_000 + b"\r\n\r\n",
    "ats": b"From: " + b"@" * 200_000 + b"\r\n\r\n",
    "commas": b"From: " + b"," * 200_000 + b"\r\n\r\n",
    "spaces": b"From: a" + b" " * 200_000 + b"b\r\n\r\n",
    "parameters": b"Content-Type: text/plain" + b';a="\\"' * 150_000 + b"\r\n\r\nx",
    "boundaries that are none": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b x\r\n" * 100_000,
    "lines that look like boundaries": b"Content-Type: multipart/mixed\r\n\r\n" + b"--b\r\n" * 100_000,
    "nested blocks of HTML": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000,
    "attributes of HTML": b"Content-Type: text/html\r\n\r\n<p " + b"a" * 100_000 + b" b=c" * 200_000,
    "tags of HTML that never end": b"Content-Type: text/html\r\n\r\n" + b"<div a" * 100_000,
    "escapes": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r" * 200_000,
    "paddings": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A=" * 200_000,
    "attributions": b"Subject: x\r\n\r\n" + b"On wrote schrieb On\r\n" * 50_000,
    "quoted headers": b"Subject: x\r\n\r\n" + b"From: \r\n> x\r\n" * 50_000,
    "blank lines": b"Subject: x\r\n\r\n" + b"\r\n> \r\n" * 200_000,
    "nothing": b"",
    "NULs": bytes(200_000),
    "line feeds": b"\n" * 200_000,
    "carriage returns": b"\r" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_costs_seconds_at_most(name):
    start = time.process_time()

    everything(parse(HOSTILE[name]))

    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("octets", "declared", "text"),
    [
        (b"", "", ""),
        (b"\xef\xbb\xbfmark", "utf-8", "mark"),
        (b"\xff\xfeh\x00i\x00", "utf-16", "hi"),
        (b"+AOk-", "UTF-7", "é"),
        (b"caf\xe9", "'ISO-8859-15'", "café"),
        (b"x", "\0bad name\0", "x"),
        (b"x", "base64", "x"),
    ],
)
def test_octets_become_text(octets, declared, text):
    assert charset.to_text(octets, declared, parse(b"")._defects) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b", "a\nb"),
        ("<p>a</p><p>b</p>", "a\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("one\n two", "one two"),
        ("<a href=x>link</a>ed", "linked"),
        ("&lt;b&gt; &#x41; &copy;", "<b> A ©"),
        ("<style>x</style><script>y</script>z", "z"),
        ("<p hidden>x</p>y", "y"),
        ("<textarea>x", ""),
        ("", ""),
        ("plain & simple < text", "plain & simple < text"),
    ],
)
def test_html_becomes_text(source, text):
    assert html.as_text(source) == text


def test_fingerprint_is_of_128_bits_and_of_the_size():
    block = parse(SIMPLE).header_block

    assert len(fingerprint(block, None)) == 32
    assert fingerprint(block, 1) != fingerprint(block, 2) != fingerprint(block, None)


@pytest.mark.parametrize(
    "line",
    [
        b"Status: RO\n",
        b"X-Status: A\n",
        b"X-UID: 7\n",
        b"X-Keywords: \n\tJunk\n",
        b"content-length: 5\n",
        b"Lines: 2\n",
        b"X-IMAP: 1 2\n",
        b"X-IMAPbase: 1 2\n",
    ],
)
def test_fingerprint_leaves_out_what_mail_software_rewrites(line):
    plain = b"From: a@b.example\nSubject: Status: x\n continued\n"

    assert fingerprint(plain + line, None) == fingerprint(line + plain, None) == fingerprint(plain, None)


def test_fingerprint_does_not_depend_on_line_ends():
    block = b"From: a@b.example\nSubject: x\n"

    assert fingerprint(block, 1) == fingerprint(block.replace(b"\n", b"\r\n"), 1) == fingerprint(block[:-1], 1)


TRACES = (
    b"Return-Path: <a@b.example>\r\nReceived: by mx; Mon, 1 Jun 2026 10:00:00 +0000\r\n",
    b"Received: from x\r\n\tby mx; Mon, 1 Jun 2026 11:00:00 +0000\r\nAuthentication-Results: mx; spf=pass\r\n",
    b"",
)
DATE = b"Date: Mon, 1 Jun 2026 09:59:00 +0000\r\n"
IDENTIFIED = b"Message-ID: <1@b.example>\r\n" + DATE + b"Subject: x\r\nX-Mailer: y\r\n\r\n"


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_fingerprint_of_a_message_delivered_twice_is_one(ends):
    blocks = [(trace + IDENTIFIED).replace(b"\r\n", ends) for trace in TRACES]

    assert len({fingerprint(block, len(block) + 100) for block in blocks}) == 1
    assert len({fingerprint(block, None) for block in blocks}) == 1


def test_fingerprint_of_messages_without_an_identifier_tells_them_by_their_way():
    blocks = [trace + b"Subject: alarm\r\n\r\n" for trace in TRACES]

    assert len({fingerprint(block, None) for block in blocks}) == len(TRACES)


@pytest.mark.parametrize("field", [b"Delivered-To", b"X-Original-To", b"Envelope-To"])
def test_fingerprint_tells_the_copies_of_two_recipients_apart(field):
    copies = [field + b": " + whom + b"@d.example\r\n" + IDENTIFIED for whom in (b"sales", b"needs")]

    assert len({fingerprint(copy, len(copy)) for copy in copies}) == len(copies)


def test_fingerprint_does_not_believe_an_identifier_without_a_date():
    """A device without a clock gives each of its alarms the same."""
    blocks = [trace + IDENTIFIED.replace(DATE, b"") for trace in TRACES]

    assert len({fingerprint(block, len(block)) for block in blocks}) == len(blocks)


def test_fingerprint_differs_with_any_other_header():
    assert fingerprint(b"Subject: x\n", None) != fingerprint(b"Subject: y\n", None)


PRIVATE = os.environ.get("MAILRULES_PRIVATE_MAIL", "")


@pytest.mark.skipif(not PRIVATE, reason="MAILRULES_PRIVATE_MAIL names no folder of .eml files")
def test_private_mail_is_read():
    for path in Path(PRIVATE).rglob("*.eml"):
        for value in everything(parse(path.read_bytes())):
            str(value).encode("utf-8")
