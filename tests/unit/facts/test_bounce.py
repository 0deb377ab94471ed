"""What a delivery report says of its recipients, and of what was sent."""

from __future__ import annotations

import pytest

from mailrules.core.parse import parse
from mailrules.model.bounce import Bounced
from mailrules.model.message import Extent, NotLoadedError

REPORT = """From: Mail Delivery <MAILER-DAEMON@mx.example.com>
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Somebody did not get it.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

{groups}
--b
{original}
--b--
"""
GONE = """Final-Recipient: rfc822; gone@x.example
Original-Recipient: rfc822; alias@x.example
Action: failed
Status: 5.1.1 (bad destination)
Diagnostic-Code: smtp; 550 5.1.1
 no such; user"""
LATE = "Final-Recipient: rfc822;late@x.example\nAction: Delayed\nStatus: 4.4.1"
THERE = "Final-Recipient: rfc822; there@x.example\nAction: delivered\nStatus: 2.0.0"
ATTACHED = (
    "Content-Type: message/rfc822\n\nFrom: desk@example.com\nSubject: =?utf-8?q?Rechnung_f=C3=BCr?=\n"
    "Message-ID: <7@example.com>\n\nHi."
)
HEADERS = "Content-Type: text/rfc822-headers\n\nSubject: Order\nMessage-ID: <8@example.com>"


def report(*groups, original=ATTACHED, extent=Extent.WHOLE):
    text = REPORT.format(groups="\n\n".join(groups), original=original)
    return parse(text.replace("\n", "\r\n").encode(), extent=extent)


@pytest.mark.parametrize(
    ("groups", "kind"),
    [
        ([GONE], "bounce"),
        ([LATE], "delay"),
        ([THERE], "receipt"),
        ([GONE, LATE, THERE], "bounce"),
        ([LATE, THERE], "delay"),
        (["Final-Recipient: rfc822; x@x.example"], "bounce"),
    ],
)
def test_what_became_of_the_recipients_tells_a_bounce_from_a_delay_and_a_receipt(groups, kind):
    assert report(*groups).kind.value == kind


def test_each_recipient_is_read_with_its_code_and_the_words_of_the_server():
    bounce = report(GONE, LATE).bounce

    assert bounce.recipients == (
        Bounced("gone@x.example", "failed", "5.1.1", "550 5.1.1 no such; user"),
        Bounced("late@x.example", "delayed", "4.4.1", ""),
    )
    assert bounce.evidence.startswith("Final-Recipient in the part message/delivery-status")


@pytest.mark.parametrize(
    ("original", "message_id", "subject"),
    [(ATTACHED, "<7@example.com>", "Rechnung für"), (HEADERS, "<8@example.com>", "Order"), ("\n\nNo more.", "", "")],
)
def test_what_was_sent_is_told_by_the_part_that_encloses_it(original, message_id, subject):
    bounce = report(GONE, original=original).bounce

    assert (bounce.message_id, bounce.subject) == (message_id, subject)


def test_the_header_alone_knows_that_it_is_a_report_but_not_of_what():
    head = report(GONE, extent=Extent.HEADER)

    assert (head.kind.value, head.kind.known) == ("bounce", False)
    with pytest.raises(NotLoadedError):
        _ = head.bounce


def test_other_mail_bounces_nobody():
    message = parse(b"From: jo@acme.example\r\nSubject: 5.1.1\r\n\r\n<ida@x.example>: 550 5.1.1 no such user\r\n")

    assert message.bounce.recipients == ()
    assert message.bounce.evidence == "it is no delivery report: nothing says otherwise"


QMAIL = """Hi. This is the mail program at mx.example.com.
I could not deliver your message to the following addresses.

<gone@x.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 no mailbox here
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <desk@example.com>
Subject: Order
Message-ID: <9@example.com>
"""
EXIM = """A message that you sent could not be delivered.

  full@x.example
    host mx.x.example [192.0.2.1]
    SMTP error after end of data: 452 mailbox is full
"""


@pytest.mark.parametrize(
    ("text", "recipient", "message_id"),
    [
        (QMAIL, ("gone@x.example", "failed", "5.1.1"), "<9@example.com>"),
        (EXIM, ("full@x.example", "delayed", "4.0.0"), ""),
    ],
    ids=["qmail", "exim"],
)
def test_a_letter_of_a_mail_server_is_read_line_by_line(text, recipient, message_id):
    head = "From: MAILER-DAEMON@mx.example.com\nSubject: failure notice\n\n"
    bounce = parse((head + text).encode()).bounce

    (found,) = bounce.recipients
    assert (found.address, found.action, found.status) == recipient
    assert bounce.message_id == message_id
    assert "line 4 of the text" in bounce.evidence or "line 3 of the text" in bounce.evidence


def test_failed_recipients_of_a_header_take_their_reason_from_the_text():
    raw = (
        "From: mailer-daemon@mx.example.com\nX-Failed-Recipients: gone@x.example, other@x.example\n\n"
        "Delivery failed:\n\n    gone@x.example\n\nTechnical details: 550 5.1.1 unknown\n"
    )
    found = parse(raw.encode()).bounce.recipients

    assert [(each.address, each.action, each.status) for each in found] == [
        ("gone@x.example", "failed", "5.1.1"),
        ("other@x.example", "failed", ""),
    ]


def test_ten_thousand_recipients_are_told_up_to_a_limit():
    groups = "\n\n".join(f"Final-Recipient: rfc822; a{number}@x.example\nAction: failed" for number in range(10_000))

    assert 0 < len(report(groups).bounce.recipients) <= 100
