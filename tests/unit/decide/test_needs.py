"""What an undecided message needs: no more than can tell, and nothing where nothing can."""

import pytest
from tests.unit.decide.build import NOW, mail, test

from mailrules.core.decide import Decider
from mailrules.model.code import Code
from mailrules.model.condition import All, AnyOf, NoneOf
from mailrules.model.message import Extent
from mailrules.model.rule import Rule, RuleSet, Script

HEADER = "From: a@gate.example\nContent-Type: multipart/mixed; boundary=b\nDate: some time\n"
BODY = test("body", contains="dear")
PDF = test("attachment", type={"is": "application/pdf"})
BIG = test("attachment", size={"over": 1000})
TRUSTED = test("auth", dmarc="pass")
RECEIVED = test("received", newer_than=NOW - NOW)
YES, NO = test("from", contains="gate"), test("from", contains="acme")
SCRIPT = Script("s.py", lambda _message: 4)


def needs(*rules, extent=Extent.HEADER):
    return Decider(RuleSet(rules)).decide(mail(HEADER, extent=extent), NOW).needs


NEEDS = {
    "text": (BODY, Extent.TEXT),
    "the text without quotes": (test("reply_text", contains="dear"), Extent.TEXT),
    "an attachment's type": (PDF, Extent.STRUCTURE),
    "that there is an attachment": (test("attachment", exists=True), Extent.STRUCTURE),
    "how many attachments there are": (test("attachment", count={"over": 2}), Extent.STRUCTURE),
    "an attachment's size, of which there may be none": (BIG, Extent.STRUCTURE),
    "an invitation": (test("kind", **{"is": "calendar"}), Extent.STRUCTURE),
    "text or an attachment": (AnyOf((PDF, BODY)), Extent.TEXT),
    "text and an attachment": (All((PDF, BODY)), Extent.TEXT),
    "no such text": (NoneOf((BODY,)), Extent.TEXT),
    "no such text beside what is known": (All((YES, NoneOf((BODY, NO)))), Extent.TEXT),
    "the size, which the server did not say": (test("size", over=1), Extent.WHOLE),
    "the cheaper of two": (AnyOf((test("size", over=1), BODY)), Extent.TEXT),
    "the results of a server that nobody trusts": (TRUSTED, None),
    "when it came, which the server did not say": (RECEIVED, None),
    "a date that cannot be read": (test("date", older_than=NOW - NOW), None),
    "text, beside what nothing tells": (All((TRUSTED, BODY)), None),
    "text, or what nothing tells": (AnyOf((TRUSTED, BODY)), Extent.TEXT),
    "none of text and of what nothing tells": (NoneOf((TRUSTED, BODY)), None),
    "none of both, twice denied": (NoneOf((NoneOf((TRUSTED, BODY)),)), Extent.TEXT),
}


@pytest.mark.parametrize(("condition", "needed"), NEEDS.values(), ids=NEEDS)
def test_a_header_block_needs(condition, needed):
    assert needs(Rule("a", condition=condition)) is needed


def test_what_nothing_tells_is_passed_over_at_once():
    decision = Decider(RuleSet((Rule("a", condition=TRUSTED), Rule("b", Code.DELETE)))).decide(
        mail(HEADER, extent=Extent.HEADER), NOW
    )

    assert decision.rule == "b"
    assert decision.passed_over == ("a: no authserv_id is trusted",)


def test_structure_comes_with_the_text_where_a_later_rule_looks_at_that():
    assert needs(Rule("a", condition=PDF), Rule("b", condition=BODY)) is Extent.TEXT


def test_a_script_needs_the_whole_once_its_match_holds():
    assert needs(Rule("a", script=SCRIPT)) is Extent.WHOLE
    assert needs(Rule("a", condition=BODY, script=SCRIPT)) is Extent.TEXT
    assert needs(Rule("a", condition=All((TRUSTED, BODY)), script=SCRIPT)) is None


@pytest.mark.parametrize("extent", [Extent.WHOLE, Extent.CUT])
def test_nothing_is_needed_of_what_has_no_more(extent):
    assert needs(Rule("a", condition=AnyOf((TRUSTED, BODY, BIG))), extent=extent) is None
