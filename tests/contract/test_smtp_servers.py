"""Mail handed over to a real Postfix, and what arrives."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailrules.api import (
    NoCredential,
    PasswordCredential,
    Permanent,
    PersonNeeded,
    Place,
    Secret,
    Transient,
    build_options,
)
from mailrules.api.delivery import PartlySent
from mailrules.builtin.action.redirect import REDIRECT
from mailrules.builtin.action.reply import REPLY
from mailrules.builtin.smtp.protocol import SMTP
from mailrules.config.settings import Account
from mailrules.engine.lines import Lines
from mailrules.engine.sending import AccountSender, Errand
from mailrules.model.message import Address
from mailrules.registry import Plugin, Provided
from mailrules.testing.context import RecordingAppender, RecordingLog, action_data, message_of

ALICE = PasswordCredential("alice@tb.test", Secret("pw-alice"))
TEXT = "Grüße aus Köln.\n.\n..\n.a line that starts with a dot\n" + "x" * 900 + "\nend\n"


def mail(**headers):
    made = EmailMessage()
    for name, value in {"From": "alice@tb.test", "To": "jo@tb.test", "Subject": "Größe", **headers}.items():
        made[name] = value
    made.set_content(TEXT)
    made.add_attachment(bytes(range(256)), maintype="application", subtype="pdf", filename="Übersicht.pdf")
    return made


def opened(postfix, security, credential=ALICE):
    port = {"starttls": postfix.submission, "tls": postfix.smtps, "none": postfix.smtp}[security]
    raw = {"host": "localhost", "port": port, "security": security, "certificate": str(postfix.ca), "timeout": "10s"}
    return closing(SMTP.open(build_options(SMTP.options, raw, root=Path()), credential, Place(Path())))


def arrived(mailbox, count=1):
    mailbox.wait(count)
    with mailbox.session() as imap:
        imap.select("INBOX", readonly=True)
        data = imap.fetch("1:*", "(BODY.PEEK[])")[1]
    return [message_from_bytes(item[1], policy=policy.default) for item in data if isinstance(item, tuple)]


@pytest.mark.parametrize(
    ("security", "credential"),
    [("starttls", ALICE), ("tls", ALICE), ("none", NoCredential())],
    ids=lambda value: str(value)[:8],
)
def test_a_message_arrives_as_it_was_made(postfix, mailbox, security, credential):
    with opened(postfix, security, credential) as transport:
        said = transport.send(mail(), "alice@tb.test", [mailbox.user])

    (found,) = arrived(mailbox)
    assert said.startswith("250 ")
    assert found["Subject"] == "Größe"
    assert found.get_body().get_content().replace("\r\n", "\n") == TEXT
    (attached,) = found.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Übersicht.pdf", bytes(range(256)))


def test_the_envelope_decides_who_gets_it_and_from_whom(postfix, dovecot):
    first, second = dovecot.fresh(), dovecot.fresh()
    with opened(postfix, "starttls") as transport:
        transport.send(mail(To="somebody@else.example"), "", [first.user, second.user])

    for mailbox in (first, second):
        (found,) = arrived(mailbox)
        assert (found["To"], found["Return-Path"]) == ("somebody@else.example", "<>")


def test_many_messages_on_one_connection(postfix, mailbox):
    with opened(postfix, "tls") as transport:
        for number in range(5):
            transport.send(mail(Subject=f"Number {number}"), "alice@tb.test", [mailbox.user])

    assert sorted(found["Subject"] for found in arrived(mailbox, 5)) == [f"Number {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("recipients", "kind", "says"),
    [
        (["reject550@tb.test"], Permanent, "550"),
        (["reject451@tb.test"], Transient, "451"),
        (["full@tb.test"], Transient, "452"),
        (["reject550@tb.test", "reject451@tb.test"], Transient, "451"),
        ([], Permanent, "no recipients"),
    ],
)
def test_a_message_that_nobody_gets(postfix, recipients, kind, says):
    with opened(postfix, "starttls") as transport, pytest.raises((Transient, Permanent), match=says) as raised:
        transport.send(mail(), "alice@tb.test", recipients)

    assert type(raised.value) is kind


@pytest.mark.parametrize("code", [550, 451])
def test_some_recipients_refused_and_the_others_have_it_once_and_a_person_decides(postfix, mailbox, code):
    with opened(postfix, "starttls") as transport, pytest.raises(Permanent) as raised:
        transport.send(mail(), "alice@tb.test", [f"reject{code}@tb.test", mailbox.user])

    assert f"sent to {mailbox.user} (250 " in str(raised.value)
    assert f"refused for reject{code}@tb.test ({code} " in str(raised.value)
    assert len(arrived(mailbox)) == 1


def test_after_a_refusal_the_next_message_goes_through(postfix, mailbox):
    with opened(postfix, "starttls") as transport:
        with pytest.raises(Permanent):
            transport.send(mail(), "alice@tb.test", ["reject550@tb.test"])
        transport.send(mail(), "alice@tb.test", [mailbox.user])

    assert len(arrived(mailbox)) == 1


def test_a_wrong_password_needs_a_person_and_is_not_shown(postfix):
    wrong = PasswordCredential("alice@tb.test", Secret("pässword"))
    with opened(postfix, "starttls", wrong) as transport, pytest.raises(PersonNeeded, match="log-in as") as raised:
        transport.send(mail(), "alice@tb.test", ["jo@tb.test"])

    assert "pässword" not in str(raised.value)


def test_who_has_it_and_who_does_not_is_told_by_name(postfix, mailbox):
    recipients = ["reject550@tb.test", mailbox.user, "reject451@tb.test"]
    with opened(postfix, "starttls") as transport, pytest.raises(PartlySent) as raised:
        transport.send(mail(), "alice@tb.test", recipients)

    partly = raised.value
    assert (partly.accepted, list(partly.later), list(partly.refused)) == (
        (mailbox.user,),
        ["reject451@tb.test"],
        ["reject550@tb.test"],
    )
    assert partly.later["reject451@tb.test"].startswith("451 ")


def test_a_mail_with_an_address_in_another_script_is_taken(postfix, mailbox):
    with opened(postfix, "starttls") as transport:
        said = transport.send(mail(To=f"jörg@tb.test, {mailbox.user}"), "", ["jörg@tb.test"])

    assert said.startswith("250 ")


def test_a_mail_larger_than_the_server_takes_is_not_begun(postfix):
    with (
        opened(postfix, "none", NoCredential()) as transport,
        pytest.raises(Permanent, match="takes messages of up to 52,428,800 octets"),
    ):
        transport.send(b"Subject: x\r\n\r\n" + b"x\r\n" * (18 << 20), "alice@tb.test", ["jo@tb.test"])


def sender(postfix, *, lines=None, progress=None, append=None, **more):
    raw = {"host": "localhost", "port": postfix.smtp, "security": "none", "timeout": "10s"}
    send = (Provided(SMTP, Plugin("built-in")), build_options(SMTP.options, raw, root=Path()))
    account = Account("support", send=send, sender=Address("Support", "support@tb.test"), **more)
    work = Errand(
        message=message_of(), append=append or RecordingAppender(), log=RecordingLog(), progress=progress or {}
    )
    return AccountSender(account, Path(), work, lines or Lines(most=1))


def test_recipients_refused_for_now_are_asked_again_and_nobody_gets_it_twice(postfix, dovecot):
    first, second = dovecot.fresh(), dovecot.fresh()
    recipients = [first.user, "reject451@tb.test", second.user]
    progress = {}
    for _ in range(3):
        with pytest.raises(Transient) as raised:
            sender(postfix, progress=progress)(mail(), recipients=recipients)
        progress = raised.value.progress

    assert progress["sending"]["accepted"] == [first.user, second.user]
    time.sleep(0.5)  # whatever might come a second time
    assert [len(arrived(each)) for each in (first, second)] == [1, 1]


def connections(postfix, since):
    """How many clients have connected to the plain port, by Postfix's own log."""
    log = (postfix.place.directory / "log" / "postfix.log").read_text()[since:]
    return sum("postfix/smtpd" in line and ": connect from" in line for line in log.splitlines())


def test_many_mails_need_one_connection(postfix, mailbox):
    lines, log = Lines(), postfix.place.directory / "log" / "postfix.log"
    since = len(log.read_text()) if log.exists() else 0
    for number in range(10):
        sender(postfix, lines=lines)(mail(Subject=f"Number {number}"), recipients=[mailbox.user])
    lines.close()

    assert len(arrived(mailbox, 10)) == 10
    assert connections(postfix, since) == 1


SIGNED = (
    "From: Ada Field <ada@acme.example>\r\nTo: support@tb.test\r\n"
    "Subject:  Invoice   =?utf-8?q?M=C3=A4rz?=\r\n\tfolded\r\n"
    "Message-ID: <signed@acme.example>\r\nDate: Mon, 02 Mar 2026 10:15:00 +0100\r\nX-Odd:no blank\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Grüße  \r\n.dot\r\n..\r\nend\r\n\r\n"
).encode()
"""What a DKIM signature by simple canonicalization (RFC 6376, section 3.4) must find again."""


def test_a_redirect_leaves_what_is_signed_untouched(postfix, mailbox):
    message = message_of(b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=acme.example; b=x\r\n" + SIGNED)
    built = REDIRECT.build(build_options(REDIRECT.options, mailbox.user, root=Path()))
    data = {**action_data(message), "account": {"name": "support", "address": "support@tb.test"}}

    sender(postfix)(built.preview(message, data, "key"), recipients=[mailbox.user])

    mailbox.wait(1)
    with mailbox.session() as imap:
        imap.select("INBOX", readonly=True)
        raw = imap.fetch("1", "(BODY.PEEK[])")[1][0][1]
    at = raw.index(b"DKIM-Signature:")
    signed = raw[raw.index(b"From: Ada", at) :]
    assert hashlib.sha256(signed).hexdigest() == hashlib.sha256(SIGNED).hexdigest()
    assert raw.index(b"Resent-From: support@tb.test") < at
    assert raw.startswith(b"Return-Path: <support@tb.test>")


def test_an_answer_arrives_once_in_its_conversation(postfix, mailbox):
    message = message_of(SIGNED.replace(b"ada@acme.example", mailbox.user.encode()))
    built = REPLY.build(build_options(REPLY.options, {"text": "Danke für März."}, root=Path()))
    data = {**action_data(message), "account": {"name": "support", "address": "support@tb.test"}}

    mail_out = message_from_bytes(built.preview(message, data, "key"), policy=policy.SMTP)
    sender(postfix)(mail_out, recipients=[mailbox.user])

    (found,) = arrived(mailbox)
    assert (found["In-Reply-To"], found["References"]) == ("<signed@acme.example>", "<signed@acme.example>")
    assert found["Auto-Submitted"] == "auto-replied"
    assert found["Subject"].split() == ["Re:", "Invoice", "März", "folded"]
    assert found.get_content().strip() == "Danke für März."
