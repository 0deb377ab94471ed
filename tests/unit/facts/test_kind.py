"""What sort of mail it is, and the evidence: headers first, then parts, the subject last."""

from __future__ import annotations

import pytest

from mailrules.api.guard import loop_token
from mailrules.core.parse import parse
from mailrules.model.message import Extent, Trust

OURS = Trust(own_addresses=frozenset({"desk@example.com"}), own_tokens=frozenset({loop_token("desk@example.com")}))


def kind(*headers: str, trust: Trust = OURS, body: str = "Hi."):
    return parse("\r\n".join([*headers, "", body]).encode(), trust=trust).kind


@pytest.mark.parametrize(
    ("headers", "value", "evidence"),
    [
        (["From: Desk <DESK@example.com>"], "own", "From is desk@example.com"),
        (["From: a@b.example", f"X-Loop-Token: {loop_token('desk@example.com')}"], "own", "X-Loop-Token is ours"),
        (
            ["From: a@b.example", f"X-Loop-Token: {loop_token('x@y.example')} {loop_token('Desk@example.com')}"],
            "own",
            "X-Loop-Token is ours",
        ),
        (
            ["From: a@b.example", f"Message-ID: <{'0' * 32}.mailrules@example.com>"],
            "own",
            f"Message-ID: <{'0' * 32}.mailrules@example.com>",
        ),
        (["From: a@b.example", f"Message-ID: <{'0' * 32}.mailrules@b.example>"], "person", "nothing says otherwise"),
        (
            [
                "From: sales@example.com",
                f"Message-ID: <{'0' * 32}.mailrules@example.com>",
                f"X-Loop-Token: {loop_token('sales@example.com')}",
            ],
            "person",
            "nothing says otherwise",
        ),
        (["From: a@b.example", f"X-Loop-Token: {loop_token('a@b.example')}"], "person", "nothing says otherwise"),
    ],
)
def test_our_own_mail_is_known_when_it_comes_back(headers, value, evidence):
    fact = kind(*headers)

    assert (fact.value, fact.evidence) == (value, evidence)


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Type: multipart/report; report-type=delivery-status; boundary=b"],
        ["Subject: Undeliverable: your mail"],
        ["X-Failed-Recipients: jo@acme.example"],
    ],
)
def test_what_our_own_postmaster_writes_about_delivery_is_a_bounce(headers):
    trust = Trust(own_addresses=frozenset({"postmaster@example.com"}))

    assert kind("From: postmaster@example.com", *headers, trust=trust).value == "bounce"
    assert kind("From: postmaster@example.com", "Subject: Hello", trust=trust).value == "own"


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("Automatic reply: Your order", "out-of-office"),
        ("AUTOMATISCHE ANTWORT: Ihre Bestellung", "out-of-office"),
        ("Réponse automatique : votre commande", "out-of-office"),
        ("Auto-reply: we have your mail", "auto-reply"),
        ("自動応答: ご注文", "out-of-office"),
        ("Your automatic reply", "person"),
        ("Re: Automatic reply: Your order", "person"),
    ],
)
def test_a_subject_that_only_programs_write_is_the_last_to_tell(subject, value):
    assert kind("From: a@b.example", f"Subject: {subject}").value == value


def test_the_headers_come_before_the_subject():
    fact = kind("From: a@b.example", "Subject: Automatic reply: x", "List-Id: <x.example>")

    assert (fact.value, fact.evidence) == ("list", "List-Id: <x.example>")


def test_the_subjects_are_the_accounts_to_choose():
    mine = Trust(auto_reply_subjects=("[ticket #*] received*",))
    subject = "Subject: [TICKET #7] Received: your mail"

    assert kind("From: a@b.example", "Subject: Auto-reply: hello", trust=mine).value == "person"
    assert kind("From: a@b.example", subject, trust=mine).value == "person"
    assert kind(
        "From: a@b.example", "Subject: Ticket 7 received", trust=Trust(auto_reply_subjects=("ticket*",))
    ).value == ("auto-reply")


def test_no_subject_tells_where_there_are_no_patterns():
    assert (
        kind("From: a@b.example", "Subject: Automatic reply: x", trust=Trust(auto_reply_subjects=())).value == "person"
    )


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        (["Content-Type: multipart/report; report-type=disposition-notification; boundary=b"], "receipt"),
        (["Content-Type: multipart/report; report-type=feedback-report; boundary=b"], "complaint"),
        (["From: MAILER-DAEMON@x.example", "Subject: Warning: could not send message for past 4 hours"], "delay"),
        (["Return-Path: <>", "Subject: Delivery Status Notification (Delay)"], "delay"),
        (["Return-Path: <>", "Subject: Unzustellbar: Rechnung"], "bounce"),
        (["From: postmaster@x.example", "Subject: Our new address"], "person"),
        (["Auto-Submitted: auto-generated (rejected)"], "auto-reply"),
        (["X-Autorespond: yes"], "auto-reply"),
        (["Auto-Submitted: no"], "person"),
        (["Precedence: bulk"], "bulk"),
    ],
)
def test_headers_tell_machines_from_people(headers, value):
    assert kind(*headers).value == value


INVITATION = (
    "From: a@b.example\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nCome!\r\n--b\r\n"
    "Content-Type: text/calendar; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    "BEGIN:VCALENDAR\r\n{}\r\nEND:VCALENDAR\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("line", "method"),
    [("METHOD:REQUEST", "request"), ("method;x=y: Reply", "reply"), ("METHOD:CANCEL", "cancel"), ("X-METHOD:ADD", "")],
)
def test_an_invitation_says_what_it_asks_for(line, method):
    message = parse(INVITATION.format(line).encode())

    assert (message.kind.value, message.calendar.value) == ("calendar", method)


def test_the_header_of_a_bare_invitation_says_it_too():
    message = parse(b"Content-Type: text/calendar; method=CANCEL\r\n\r\n", extent=Extent.HEADER)

    assert (message.calendar.value, message.calendar.evidence) == ("cancel", "method of the Content-Type")


@pytest.mark.parametrize(("content_type", "known"), [("text/plain", True), ("multipart/mixed; boundary=b", False)])
def test_whether_an_invitation_is_among_the_parts_takes_the_body(content_type, known):
    message = parse(f"Content-Type: {content_type}\r\n\r\n".encode(), extent=Extent.HEADER)

    assert message.calendar.known is known
