"""Mail handed over to a real Postfix, and what arrives."""

from __future__ import annotations

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
from mailrules.builtin.smtp.protocol import SMTP

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
