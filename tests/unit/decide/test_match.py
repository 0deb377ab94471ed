"""What every field and operator of a condition means."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.decide.build import NOW, mail, test

from mailrules.core.index import Index
from mailrules.core.match import captures, evaluate, explain
from mailrules.core.view import View
from mailrules.model.condition import All, AnyOf, NoneOf, Verdict
from mailrules.model.message import Extent
from mailrules.model.rule import Rule

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN

LETTER = """
    From: "Jo Miller" <Jo.Miller+news@Mail.Acme.com>
    Sender: robot@relay.example
    Reply-To: Desk <desk@acme.com>
    To: A Friend <friend@home.example>, team@home.example
    Cc: =?utf-8?q?J=C3=BCrgen?= <jk@home.example>
    Delivered-To: hidden@home.example
    Subject: =?utf-8?q?Stra=C3=9Fe?= Invoice #42
    Date: Sat, 13 Jun 2026 23:30:00 +0200
    Received: from one.example
    Received: from two.example
    X-Spam-Score: 5.2 / 10
    X-Size: 12 KB of mail
    X-Expires: Wed, 01 Jul 2026 00:00:00 +0000
    List-Id: The list <dev.lists.example.org>
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary=b

    --b
    Content-Type: text/plain; charset=utf-8

    Dear reader,
    the second Reminder.
    --b
    Content-Type: application/pdf
    Content-Disposition: attachment; filename="Invoice 42.pdf"

    %PDF-1.7
    --b
    Content-Type: image/png
    Content-Disposition: attachment; filename=logo.png

    PNG
    --b--
"""

BROKEN = """
    From: jo@acme.com (not closed <<oops
    Subject: none
    Date: some day

    text
"""

OF_THE_LETTER = {
    "address of a mailbox, ignoring case": (test("from", contains="jo.miller"), YES),
    "display name": (test("from", **{"is": "jo miller"}), YES),
    "name and address together": (test("from", **{"is": "Jo Miller <jo.miller+news@mail.acme.com>"}), YES),
    "the header text itself": (test("from", starts='"jo'), YES),
    "case when it matters": (test("from", contains="jo.miller", case_sensitive=True), NO),
    "end of an address": (test("from", ends="acme.com"), YES),
    "domain is that domain": (test("from", domain="mail.acme.com"), YES),
    "domain is not its parent": (test("from", domain="acme.com"), NO),
    "domain of subdomains": (test("from", domain="*.acme.com"), YES),
    "subdomains without the domain itself": (test("reply_to", domain="*.acme.com"), NO),
    "local part with its detail": (test("from", localpart="jo.miller+news"), YES),
    "local part without its detail": (test("from", localpart="jo.miller"), YES),
    "part of a local part": (test("from", localpart="jo"), NO),
    "detail": (test("from", detail="news"), YES),
    "detail that is not there": (test("sender", detail="news"), NO),
    "regex on an address": (test("from", regex=r"^Jo\.Miller\+"), YES),
    "all operators of one mailbox": (test("to", contains="friend", domain="home.example"), YES),
    "operators of two mailboxes": (test("to", contains="friend", localpart="team"), NO),
    "recipient takes Delivered-To": (test("recipient", contains="hidden@"), YES),
    "recipient leaves out From": (test("recipient", contains="acme"), NO),
    "any address takes Sender": (test("any_address", domain="relay.example"), YES),
    "any address leaves out Delivered-To": (test("any_address", contains="hidden"), NO),
    "decoded display name": (test("cc", contains="Jürgen"), YES),
    "any operand will do": (test("subject", contains=["dunning", "invoice"]), YES),
    "no operand does": (test("subject", contains=["dunning", "refund"]), NO),
    "folding that changes the length": (test("subject", contains="STRASSE invoice"), YES),
    "glob over the whole": (test("subject", glob=r"(?i)\A.*INVOICE #[0-9]+\z"), YES),
    "regex case as written": (test("subject", regex="INVOICE"), NO),
    "header, any of its names": (test("header", names=("X-None", "List-Id"), contains="dev.lists"), YES),
    "header, any occurrence": (test("header", names=("received",), contains="two.example"), YES),
    "first occurrence": (test("header", names=("received",), contains="two.example", occurrence=1), NO),
    "last occurrence": (test("header", names=("received",), contains="two.example", occurrence=-1), YES),
    "occurrence that is not there": (test("header", names=("received",), exists=True, occurrence=3), NO),
    "mailbox of any header": (test("header", names=("delivered-to",), domain="home.example"), YES),
    "number at the start over": (test("header", names=("X-Spam-Score",), over=5), YES),
    "number at the start under": (test("header", names=("X-Spam-Score",), under=5.2), NO),
    "size with its unit": (test("header", names=("X-Size",), over=11_999), YES),
    "text that is no number": (test("header", names=("List-Id",), over=0), NO),
    "date in a header": (test("header", names=("X-Expires",), under=datetime(2026, 7, 2, tzinfo=UTC)), YES),
    "text that is no date": (test("header", names=("List-Id",), under=datetime(2026, 7, 2, tzinfo=UTC)), NO),
    "exists": (test("header", names=("List-Id",), exists=True), YES),
    "does not exist": (test("header", names=("List-Id",), exists=False), NO),
    "a missing header does not exist": (test("bcc", exists=False), YES),
    "count of mailboxes": (test("to", count={"is": 2}), YES),
    "count over": (test("recipient", count={"over": 3}), YES),
    "count under": (test("to", count={"under": 2}), NO),
    "count and another operator": (test("to", count={"over": 1}, contains="nobody"), NO),
    "body": (test("body", contains="second reminder"), YES),
    "not in the body": (test("body", contains="third reminder"), NO),
    "body exists": (test("body", exists=True), YES),
    "attachment by type": (test("attachment", type={"is": "application/pdf"}), YES),
    "attachment by name": (test("attachment", name={"ends": ".PDF"}), YES),
    "operators of one attachment": (test("attachment", name={"ends": ".pdf"}, type={"is": "image/png"}), NO),
    "attachment by size": (test("attachment", size={"over": 1000}), NO),
    "attachment by kind": (test("attachment", kind={"is": "file"}), YES),
    "count of attachments": (test("attachment", count={"over": 1}), YES),
    "count of attachments that satisfy": (test("attachment", type={"starts": "image/"}, count={"is": 1}), YES),
    "none that satisfies": (test("attachment", type={"starts": "video/"}, count={"under": 1}), YES),
    "attachment exists": (test("attachment", exists=False), NO),
    "size over": (test("size", over=100), YES),
    "size under": (test("size", under=100), NO),
    "before": (test("date", before=datetime(2026, 6, 14, tzinfo=UTC)), YES),
    "after takes the moment itself": (test("date", after=datetime(2026, 6, 13, 21, 30, tzinfo=UTC)), YES),
    "older than": (test("date", older_than=timedelta(days=1)), YES),
    "newer than": (test("date", newer_than=timedelta(days=1)), NO),
    "weekday in the account's zone": (test("date", weekday=[5, 6]), YES),
    "weekday in another zone": (test("date", weekday=6, timezone="Asia/Tokyo"), YES),
    "time of day": (test("date", time=[(21 * 60, 22 * 60)]), YES),
    "time past midnight": (test("date", time=[(18 * 60, 8 * 60)]), YES),
    "time in another zone": (test("date", time=[(23 * 60, 24 * 60)], timezone="Europe/Paris"), YES),
    "outside the time": (test("date", time=[(8 * 60, 18 * 60)]), NO),
    "received unknown to the server": (test("received", newer_than=timedelta(days=1)), UNKNOWN),
    "kind": (test("kind", **{"is": "list"}), YES),
    "kind that it is not": (test("kind", **{"is": ["bounce", "person"]}), NO),
    "original sender": (test("original_sender", domain="*.acme.com"), YES),
    "reply text": (test("reply_text", contains="reminder"), YES),
}


@pytest.mark.parametrize(("condition", "verdict"), OF_THE_LETTER.values(), ids=OF_THE_LETTER)
def test_on_a_whole_message(condition, verdict):
    assert verdict is evaluate(condition, mail(LETTER), NOW)


@pytest.mark.parametrize(("condition", "verdict"), OF_THE_LETTER.values(), ids=OF_THE_LETTER)
def test_the_index_leaves_out_only_what_says_no(condition, verdict):
    others = [Rule("other", condition=test("subject", contains=f"absent {number}")) for number in range(20)]
    index = Index([*others, Rule("asked", condition=condition)])

    assert list(index.candidates(View(mail(LETTER), NOW))) == [20] or verdict is NO


OF_THE_BROKEN = {
    "a malformed address still matches": (test("from", contains="jo@acme.com"), YES),
    "its header text too": (test("from", contains="<<oops"), YES),
    "an unreadable date": (test("date", older_than=timedelta(days=1)), UNKNOWN),
    "an unreadable date exists": (test("date", exists=True), YES),
    "no header, no": (test("to", contains=""), NO),
}


@pytest.mark.parametrize(("condition", "verdict"), OF_THE_BROKEN.values(), ids=OF_THE_BROKEN)
def test_on_a_broken_message(condition, verdict):
    assert verdict is evaluate(condition, mail(BROKEN), NOW)


HEADER_ALONE = {
    "body": (test("body", contains="x"), UNKNOWN),
    "body exists": (test("body", exists=False), UNKNOWN),
    "attachment": (test("attachment", type={"is": "application/pdf"}), UNKNOWN),
    "count of attachments": (test("attachment", count={"is": 0}), UNKNOWN),
    "reply text": (test("reply_text", contains="x"), UNKNOWN),
    "size": (test("size", over=5), UNKNOWN),
    "date": (test("date", weekday=5), YES),
    "subject": (test("subject", contains="invoice"), YES),
}


@pytest.mark.parametrize(("condition", "verdict"), HEADER_ALONE.values(), ids=HEADER_ALONE)
def test_on_the_header_block_alone(condition, verdict):
    header = LETTER.partition("\n\n")[0]

    assert verdict is evaluate(condition, mail(header, extent=Extent.HEADER), NOW)


CUT_OFF = {
    "what is found counts": (test("body", contains="dear"), YES),
    "what is not found is unknown": (test("body", contains="kind regards"), UNKNOWN),
    "the end is unknown": (test("body", ends="reminder."), UNKNOWN),
    "an attachment that is there": (test("attachment", name={"ends": "pdf"}), YES),
    "one that may be": (test("attachment", name={"ends": "zip"}), UNKNOWN),
    "no fewer than there are": (test("attachment", count={"under": 2}), NO),
    "at least as many": (test("attachment", count={"over": 1}), YES),
    "perhaps more": (test("attachment", count={"over": 2}), UNKNOWN),
    "perhaps no more": (test("attachment", count={"is": 2}), UNKNOWN),
}


@pytest.mark.parametrize(("condition", "verdict"), CUT_OFF.values(), ids=CUT_OFF)
def test_on_a_message_cut_off(condition, verdict):
    assert verdict is evaluate(condition, mail(LETTER, extent=Extent.CUT), NOW)


def test_what_the_server_says_of_size_and_arrival_counts_without_the_body():
    message = mail("Subject: x\n", extent=Extent.HEADER, size=5_000_000, received=NOW - timedelta(hours=2))

    assert evaluate(test("size", over=4_000_000), message, NOW) is YES
    assert evaluate(test("received", newer_than=timedelta(hours=3)), message, NOW) is YES
    assert evaluate(test("received", older_than=timedelta(hours=3)), message, NOW) is NO


def test_text_that_is_not_found_in_an_undecodable_body_is_unknown():
    message = mail("Content-Type: text/plain\nContent-Transfer-Encoding: x-unknown\n\nhello\n")

    assert evaluate(test("body", contains="hello"), message, NOW) is YES
    assert evaluate(test("body", contains="goodbye"), message, NOW) is UNKNOWN


IS_YES, IS_NO = test("subject", contains="x"), test("subject", contains="y")
IS_UNKNOWN = test("body", contains="x")

TRUTH = {
    "all of nothing": (All(()), YES),
    "all yes": (All((IS_YES, IS_YES)), YES),
    "all with a no": (All((IS_UNKNOWN, IS_NO)), NO),
    "all with an unknown": (All((IS_YES, IS_UNKNOWN)), UNKNOWN),
    "any of nothing": (AnyOf(()), NO),
    "any no": (AnyOf((IS_NO, IS_NO)), NO),
    "any with a yes": (AnyOf((IS_UNKNOWN, IS_YES)), YES),
    "any with an unknown": (AnyOf((IS_NO, IS_UNKNOWN)), UNKNOWN),
    "none of nothing": (NoneOf(()), YES),
    "none of no": (NoneOf((IS_NO,)), YES),
    "none of yes": (NoneOf((IS_UNKNOWN, IS_YES)), NO),
    "none of unknown": (NoneOf((IS_NO, IS_UNKNOWN)), UNKNOWN),
}


@pytest.mark.parametrize(("condition", "verdict"), TRUTH.values(), ids=TRUTH)
def test_three_values_combine(condition, verdict):
    assert verdict is evaluate(condition, mail("Subject: x\n", extent=Extent.HEADER), NOW)


def test_named_groups_come_from_patterns_that_made_it_hold():
    condition = All(
        (
            test("subject", regex=r"#(?P<number>\d+)"),
            AnyOf((test("from", regex=r"(?P<who>nobody)"), test("from", regex=r"^(?P<who>[^@+]+)\+(?P<tag>\w+)@"))),
            NoneOf((test("subject", regex=r"(?P<not>refund)"),)),
        )
    )

    assert captures(condition, mail(LETTER), NOW) == {"number": "42", "who": "Jo.Miller", "tag": "news"}


def test_of_two_groups_of_one_name_the_first_counts():
    condition = All((test("subject", regex=r"(?P<it>Invoice)"), test("subject", regex=r"(?P<it>#42)")))

    assert captures(condition, mail(LETTER), NOW) == {"it": "Invoice"}


def test_a_trace_shows_what_was_seen_and_why():
    condition = All((test("from", domain="acme.com"), test("bcc", contains="x"), test("body", contains="x")))
    trace = explain(condition, mail(LETTER.partition("\n\n")[0], extent=Extent.HEADER), NOW)

    assert (trace.label, trace.verdict) == ("all", NO)
    assert [(child.label, child.verdict, child.reason) for child in trace.children] == [
        ("from domain acme.com", NO, ""),
        ("bcc contains x", NO, "no bcc"),
        ("body contains x", UNKNOWN, "body not loaded"),
    ]
    assert "Jo.Miller+news@Mail.Acme.com" in trace.children[0].seen


def test_a_trace_shows_the_value_that_satisfied():
    trace = explain(test("header", names=("Received",), contains="two"), mail(LETTER), NOW)

    assert (trace.label, trace.verdict, trace.seen) == ("Received contains two", YES, "from two.example")


def test_the_trace_agrees_with_the_verdict_everywhere():
    for condition, verdict in OF_THE_LETTER.values():
        assert verdict is explain(condition, mail(LETTER), NOW).verdict
