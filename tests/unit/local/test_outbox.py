from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from mailrules.api import Disposition, NoCredential, Place, Settlement, Transient
from mailrules.builtin.local.maildir import MaildirOptions, open_maildir
from mailrules.builtin.local.outbox import OutboxOptions, open_outbox


@pytest.fixture
def outbox(tmp_path):
    return open_outbox(OutboxOptions(path="out"), NoCredential(), Place(tmp_path))


def letter(subject="Grüße"):
    mail = EmailMessage()
    mail["From"] = "Ada <ada@acme.example>"
    mail["To"] = "jo@desk.example"
    mail["Subject"] = subject
    mail.set_content("Schönen Tag\n")
    return mail


def test_nothing_is_written_before_the_first_mail(outbox, names):
    outbox.close()

    assert names() == []


def test_a_mail_is_one_file_in_new_with_its_envelope_on_top(outbox, names, tmp_path):
    said = outbox.send(letter(), "ada@acme.example", ["jo@desk.example", "kim@desk.example"])

    (name,) = names()
    assert name.startswith("out/new/")
    assert said == f"written to {name}"
    raw = (tmp_path / name).read_bytes()
    assert raw.startswith(
        b"Return-Path: <ada@acme.example>\nX-Envelope-To: <jo@desk.example>\nX-Envelope-To: <kim@desk.example>\nFrom: "
    )
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert (read["Subject"], read.get_content()) == ("Grüße", "Schönen Tag\n")


def test_an_envelope_cannot_write_lines_of_its_own(outbox, names, tmp_path):
    outbox.send(letter(), "ada@acme.example>\nX-Evil: yes", [])

    read = email.message_from_bytes((tmp_path / names()[0]).read_bytes())
    assert read["X-Evil"] is None


def test_what_was_sent_can_be_received_and_settled(outbox, tmp_path):
    for number in range(3):
        outbox.send(letter(f"mail {number}"), "ada@acme.example", ["jo@desk.example"])
    inbox = open_maildir(MaildirOptions(path="out"), NoCredential(), Place(tmp_path))
    refs = inbox.refs(unseen_only=True)

    assert [f"mail {n}".encode() in head.header for n, head in enumerate(inbox.heads(refs))] == [True] * 3
    assert inbox.settle([Settlement(ref, Disposition(delete=True)) for ref in refs]) == {}
    assert inbox.refs(unseen_only=True) == []


def test_a_disk_that_refuses_is_tried_again_later(outbox, put):
    put("out", b"a file is in the way")

    with pytest.raises(Transient, match="outbox out"):
        outbox.send(letter(), "ada@acme.example", ["jo@desk.example"])
