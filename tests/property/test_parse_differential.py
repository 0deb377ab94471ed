"""On well-formed mail ours and the standard library's parser, two implementations, read the same."""

from __future__ import annotations

import email
from email.headerregistry import Address as StandardAddress
from email.message import EmailMessage
from email.policy import SMTP, default

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mailrules.core.parse import parse
from mailrules.model.message import Address

QUICK = settings(max_examples=120, deadline=2_000, suppress_health_check=[HealthCheck.too_slow])
CHARACTERS = "abcdefghijklmnopqrstuvwxyz ABCXYZ 0123456789 .,;:!?'-_()@<>\"\\/=+*%&#"
CHARACTERS += "äöüßéèçñøåłžščřığπλжщыñ日本語한국어中文€\u2013“”🎉"
LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789")
WORD = st.text(LETTERS, min_size=1, max_size=12)
LINE = st.text(st.sampled_from(CHARACTERS), max_size=90).map(lambda text: " ".join(text.split()))
NAME = st.text(st.sampled_from(CHARACTERS), max_size=30).map(lambda text: " ".join(text.split()))
MAILBOX = st.builds(lambda name, local, domain: (name, f"{local}@{domain}.example"), NAME, WORD, WORD)
RECIPIENTS = st.lists(MAILBOX, min_size=1, max_size=4)
TEXT = st.lists(LINE, max_size=8).map(lambda lines: "".join(line + "\n" for line in lines))
FILE = st.tuples(
    st.text(st.sampled_from(CHARACTERS), min_size=1, max_size=60).map(lambda text: " ".join(text.split()) or "x"),
    st.sampled_from([("application", "pdf"), ("image", "png"), ("text", "csv"), ("application", "octet-stream")]),
    st.binary(max_size=300),
)


@st.composite
def mail(draw):
    """A message that the standard library itself builds and writes."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = draw(LINE)
    message["From"] = _standard(draw(MAILBOX))
    message["To"] = [_standard(mailbox) for mailbox in draw(RECIPIENTS)]
    message.set_content(draw(TEXT), cte=draw(st.sampled_from(["base64", "quoted-printable"])))
    if draw(st.booleans()):
        message.add_alternative("<p>HTML</p>", subtype="html")
    for name, (maintype, subtype), content in draw(st.lists(FILE, max_size=3)):
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"={number}=")
    return message.as_bytes()


def _standard(mailbox):
    name, address = mailbox
    local, _, domain = address.partition("@")
    return StandardAddress(name, local, domain)


@QUICK
@given(mail())
def test_subject(raw):
    assert parse(raw).subject == str(email.message_from_bytes(raw, policy=default)["Subject"])


@QUICK
@given(mail())
def test_addresses(raw):
    """White space apart: theirs keeps the fold between two encoded words of a name (RFC 2047, section 6.2 drops it).

    It also writes a comma between two addresses encoded, now and then, and then reads one of them.
    """
    assume(b"?q?=2C?=" not in raw)
    theirs = email.message_from_bytes(raw, policy=default)

    for name in ("From", "To"):
        wanted = [(_close(one.display_name), one.addr_spec) for one in theirs[name].addresses]
        assert [(_close(one.name), one.address) for one in parse(raw).addresses(name)] == wanted


@QUICK
@given(RECIPIENTS)
def test_recipients_are_read_as_they_were_written(mailboxes):
    """On one line: folding, the standard library now and then encodes brackets and commas, and loses spaces."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=0))
    message["To"] = [_standard(mailbox) for mailbox in mailboxes]

    found = parse(message.as_bytes()).addresses("To")

    assert found == tuple(Address(*mailbox) for mailbox in mailboxes)


def _close(text):
    return "".join(text.split())


@QUICK
@given(mail())
def test_text(raw):
    wanted = email.message_from_bytes(raw, policy=default).get_body(("plain",)).get_content().replace("\r\n", "\n")

    assert parse(raw).text == wanted or not wanted.strip()


@QUICK
@given(mail())
def test_attachments(raw):
    theirs = list(email.message_from_bytes(raw, policy=default).iter_attachments())

    ours = parse(raw).attachments

    assert [a.name for a in ours] == [part.get_filename() for part in theirs]
    assert [a.type for a in ours] == [part.get_content_type() for part in theirs]
    assert [a.content() for a in ours] == [part.get_payload(decode=True) for part in theirs]
    assert [a.size for a in ours] == [len(part.get_payload(decode=True)) for part in theirs]


@QUICK
@given(mail())
def test_well_formed_mail_has_no_defects(raw):
    message = parse(raw)
    _ = message.subject, message.addresses("To"), message.text, [a.content() for a in message.attachments]

    assert message.defects == ()
