"""Any octets at all are read without an exception, and every string can be stored."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrules.core.parse import fingerprint, parse
from mailrules.model.message import Extent, Trust

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "mail").glob("*.eml"))]
QUICK = settings(max_examples=150, deadline=2_000, suppress_health_check=[HealthCheck.too_slow])
TRUST = Trust(
    authserv_id="mx.example.com",
    own_addresses=frozenset({"desk@example.com"}),
    own_tokens=frozenset({"0" * 32}),
    forwarders=frozenset({"forward.example", "sender.example"}),
)
ATTRIBUTES = ("subject", "author", "date", "message_id", "references", "text", "html", "undecodable", "kind", "size")
ATTRIBUTES += ("original_sender", "original_sender_fact", "reply_text", "authentication", "header_block")
ATTRIBUTES += ("bounce", "calendar", "claimed_sender", "reply_text_fact", "quoted_text", "signature")
HEADERS = ("From", "To", "Subject", "Content-Type", "List-Id", "Received", "", "\ud800", "a\nb", "é")
PIECES = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b";", b",", b"<", b">", b'"', b"\\", b"(", b")", b"@", b"=", b"==",
        b"=?", b"?=", b"=?utf-8?q?=C3?=", b"=?iso-2022-jp?B?GyRC?=", b"=?utf-7?q?+2D0-?=", b"\x00", b"\xff", b"\xc3",
        b"--b", b"--b--", b"From ", b"From: a <b@c.example>", b"Subject: ", b"Date: ", b"Content-Type: multipart/mixed",
        b"boundary=b", b"charset=utf-7", b"charset=utf-16", b"Content-Type: text/html", b"<div hidden>", b"&#xD800;",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"filename*0*=a'b'%FF",
        b"Content-Disposition: attachment", b"Content-Type: message/rfc822", b"\x1b$B", b"begin 644 a", b"> ", b"-- ",
        b"Content-Type: multipart/report; report-type=delivery-status", b"Content-Type: message/delivery-status",
        b"Final-Recipient: rfc822; a@b.example", b"Action: failed", b"Status: 5.1.1",
        b"X-Failed-Recipients: a@b.example",
        b"On 1 May Jo wrote:", b"----- Original Message -----", b"METHOD:REQUEST", b"Content-Type: text/calendar",
    ]
)  # fmt: skip


def strings(raw: bytes, extent: Extent = Extent.WHOLE) -> list[str]:
    """Every string that the message can give, after asking it for everything."""
    message = parse(raw, extent=extent, trust=TRUST)
    found = [str(getattr(message, name)) for name in ATTRIBUTES]
    found += [text for name in HEADERS for text in (message[name], *message.header(name))]
    found += [text for name in HEADERS for a in message.addresses(name) for text in (a.name, a.address)]
    for attachment in message.attachments:
        assert attachment.size == len(attachment.content())
        found += [attachment.name, attachment.type, attachment.kind, attachment.content_id]
    found += [*message.header_names(), *(text for defect in message.defects for text in (defect.word, defect.detail))]
    return [*found, fingerprint(message.header_block, message.size)]


def check(raw: bytes) -> None:
    for extent in (Extent.WHOLE, Extent.CUT):
        for text in strings(raw, extent):
            text.encode("utf-8")


@QUICK
@given(st.binary(max_size=2_000))
def test_random_octets(raw):
    check(raw)


@QUICK
@given(st.lists(PIECES, max_size=60).map(b"".join))
def test_octets_that_look_like_mail(raw):
    check(raw)


@st.composite
def damaged(draw):
    """A sample with a few places cut, doubled, overwritten or spliced with another sample."""
    raw = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        end = min(len(raw), at + draw(st.integers(0, 40)))
        other = draw(st.sampled_from(SAMPLES))
        raw = (
            raw[:at] + draw(st.one_of(PIECES, st.just(b""), st.just(other[at:end]), st.binary(max_size=8))) + raw[end:]
        )
    return raw


@QUICK
@given(damaged())
def test_damaged_mail(raw):
    check(raw)


@QUICK
@given(damaged())
def test_a_header_never_brings_in_a_line_end(raw):
    message = parse(raw, extent=Extent.HEADER)

    for name in message.header_names():
        for value in (*message.header(name), *(text for a in message.addresses(name) for text in (a.name, a.address))):
            assert not set("\r\n\0") & set(value)


@QUICK
@given(damaged())
def test_the_header_alone_says_what_the_whole_says(raw):
    whole = parse(raw)
    head = parse(raw, extent=Extent.HEADER)

    assert head.header_block == whole.header_block
    for name in whole.header_names():
        assert head.header(name) == whole.header(name)
        assert head.addresses(name) == whole.addresses(name)
    assert (head.subject, head.author, head.date) == (whole.subject, whole.author, whole.date)


@QUICK
@given(st.sampled_from(SAMPLES))
def test_line_ends_make_no_difference(raw):
    bare = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    one, other = parse(bare), parse(bare.replace(b"\n", b"\r\n"))

    assert one.text == other.text
    assert one.subject == other.subject
    assert one.addresses("From") == other.addresses("From")
    assert [(a.name, a.type, a.kind) for a in one.attachments] == [(a.name, a.type, a.kind) for a in other.attachments]
    assert fingerprint(one.header_block, None) == fingerprint(other.header_block, None)


@QUICK
@given(damaged())
def test_asking_twice_gives_the_same_values(raw):
    message = parse(raw)

    for name in ATTRIBUTES:
        assert getattr(message, name) is getattr(message, name)
