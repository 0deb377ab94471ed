"""Facts about mail that is made to cost: seconds at most for a million characters, and never an exception."""

from __future__ import annotations

import time

import pytest

from mailrules.core.parse import parse
from mailrules.model.message import Trust

FACTS = ("kind", "bounce", "calendar", "original_sender_fact", "claimed_sender", "reply_text_fact", "quoted_text")
FACTS += ("signature", "authentication", "attachments")
TRUST = Trust(authserv_id="mx", own_addresses=frozenset({"a@b.example"}), forwarders=frozenset({"forward.example"}))
PLAIN = b"From: x@forward.example\r\nAuthentication-Results: mx; "
REPORT = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
STATUS = b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"

HOSTILE = {
    "quote marks": PLAIN + b"\r\n\r\n" + b">" * 1_000_000,
    "attributions": PLAIN + b"\r\n\r\n" + b"On 1 May Jo wrote:\r\n" * 100_000,
    "attributions and blanks": PLAIN + b"\r\n\r\n" + (b"On 1 May Jo wrote:" + b"\r\n" * 20) * 20_000,
    "senders": PLAIN + b"\r\n\r\n" + b"From: x\r\n" * 100_000,
    "angle brackets": PLAIN + b"\r\n\r\nFrom: " + b"<" * 1_000_000,
    "rules": PLAIN + b"\r\n\r\n" + b"--- x ---\r\n" * 100_000,
    "blanks": PLAIN + b"\r\n\r\n" + b" " * 1_000_000,
    "last words": PLAIN + b"\r\n\r\n" + b"Sent from my x\r\n" * 60_000,
    "results": PLAIN + b"spf=pass;" * 100_000 + b"\r\n\r\n",
    "comments in results": PLAIN + b"(" * 1_000_000 + b"\r\n\r\n",
    "quotes in results": PLAIN + b'"\\' * 500_000 + b"\r\n\r\n",
    "a subject": b"Subject: " + b"automatic reply " * 60_000 + b"\r\n\r\n",
    "recipients": REPORT + STATUS + b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n" * 50_000,
    "reports": REPORT + (STATUS + b"Action: x\r\n\r\n") * 20_000,
    "failed recipients": b"X-Failed-Recipients: "
    + b"a@b.example, " * 50_000
    + b"\r\n\r\n"
    + b"a@b.example 550 " * 60_000,
    "addresses in a letter": b"From: postmaster\r\nSubject: undeliverable\r\n\r\n" + b"a@b.c.d.e " * 100_000,
    "messages within": b"From: x@forward.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: nobody\r\n\r\n" * 15_000,
    "messages within messages": b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
    "calendars": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: text/calendar\r\n\r\nMETHOD\r\n" * 15_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_costs_seconds_at_most(name):
    start = time.process_time()
    message = parse(HOSTILE[name], trust=TRUST)
    for fact in FACTS:
        getattr(message, fact)

    assert time.process_time() - start < 8
