"""Which rules the index finds worth trying, and what it looks at to find them."""

import pytest
from tests.unit.decide.build import NOW, mail, test

from mailrules.core.index import Index
from mailrules.core.sets import FEW, Literals, Patterns
from mailrules.core.view import View
from mailrules.model.condition import All, AnyOf, NoneOf
from mailrules.model.message import Extent
from mailrules.model.rule import Rule

LETTER = """
    From: jo@acme.com
    To: team@home.example
    Subject: Invoice #42
    List-Id: <dev.lists.example.org>

    Dear reader
"""
ABSENT = test("subject", contains="absent")
PRESENT = test("subject", contains="invoice")
BODY = test("body", contains="dear")
NOT_THERE = test("body", contains="not there")


def candidates(*conditions, extent=Extent.WHOLE):
    letter = LETTER.partition("\n\n")[0] if extent is Extent.HEADER else LETTER
    index = Index([Rule(str(number), condition=condition) for number, condition in enumerate(conditions)])
    return list(index.candidates(View(mail(letter, extent=extent), NOW)))


LEFT_OUT = {
    "another address": test("from", **{"is": "x@acme.com"}),
    "another domain": test("from", domain=["other.example", "*.acme.com"]),
    "another local part": test("from", localpart="x"),
    "another literal": ABSENT,
    "another pattern": test("subject", regex=r"^Order #\d+"),
    "a header that is not there": test("header", names=("X-Spam-Score",), over=5),
    "another body": NOT_THERE,
    "one part of all": All((test("size", over=1), ABSENT)),
    "every part of any": AnyOf((ABSENT, test("from", domain="other.example"), NOT_THERE)),
}


@pytest.mark.parametrize("condition", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_rule_is_left_out_for(condition):
    assert candidates(condition) == []


KEPT_IN = {
    "nothing to look up": test("size", over=1_000_000),
    "none of something": NoneOf((PRESENT,)),
    "any with a part that cannot be looked up": AnyOf((ABSENT, test("size", over=1_000_000))),
    "what must not be there": test("header", names=("List-Id",), exists=False),
    "a pattern that cannot be joined with others": test("subject", regex=r"\QOrder"),
}


@pytest.mark.parametrize("condition", KEPT_IN.values(), ids=KEPT_IN)
def test_a_rule_is_kept_in_for(condition):
    assert candidates(condition) == [0]


def test_a_rule_found_in_header_and_body_is_tried_once():
    both = AnyOf((PRESENT, BODY))

    assert candidates(both, BODY, both) == [0, 1, 2]


def test_without_the_body_only_what_the_header_tells_leaves_a_rule_out():
    assert candidates(All((ABSENT, BODY)), All((PRESENT, BODY)), NOT_THERE, extent=Extent.HEADER) == [1, 2]


def test_a_key_that_many_rules_need_gives_way_to_one_that_few_need():
    mine = test("to", **{"is": "team@home.example"})
    rules = [All((mine, test("subject", contains=f"absent {number}"))) for number in range(50)]

    assert candidates(*rules, All((mine, PRESENT))) == [50]


def test_a_header_key_that_many_rules_need_gives_way_to_the_body_once_it_is_there():
    mine = test("to", **{"is": "team@home.example"})
    rules = [All((mine, test("body", contains=f"absent {number}"))) for number in range(50)]

    assert candidates(*rules) == []
    assert list(range(50)) == candidates(*rules, extent=Extent.HEADER)


def test_the_body_is_not_read_when_a_rule_before_its_first_speaks():
    class Unread:
        def __init__(self, message):
            self._message = message

        def __getattr__(self, name):
            assert name != "text"
            return getattr(self._message, name)

    index = Index([Rule("a", condition=PRESENT), Rule("b", condition=BODY)])

    assert next(iter(index.candidates(View(Unread(mail(LETTER)), NOW)))) == 0


def test_mailboxes_of_one_occurrence_do_not_hide_behind_those_of_all():
    letter = "To: =?utf-8?q?Jo=2C?= <jo@b.example>\nTo: x@y.example\n\n"
    index = Index([Rule("a", condition=test("to", localpart="jo", occurrence=1))])

    assert list(index.candidates(View(mail(letter), NOW))) == [0]


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 500])
def test_literals_are_found_however_many(count):
    literals = Literals({f"word{number}.": [number, 1000 + number] for number in range(count)})
    found = set()
    literals.find(f"xword{count - 1}.\nword0.y word.", found)

    assert {0, 1000, count - 1, 999 + count} == found


def test_patterns_that_do_not_fit_into_one_automaton_are_split():
    patterns = Patterns({rf"word{number}[a-z]{{500}}x{{900}}": [number] for number in range(400)})
    found = set()
    patterns.find("word7" + "q" * 500 + "x" * 900, found)

    assert ({7}, ()) == (found, patterns.refused)
    assert len(patterns._sets) > 1


def test_a_pattern_that_fits_into_none_is_told_of():
    patterns = Patterns({"[0-9]+x": [1], "((((a{100}){100}){100}){100})": [5, 6]})
    found = set()
    patterns.find("42x", found)

    assert ({1}, (5, 6)) == (found, patterns.refused)


def test_of_the_literals_of_a_pattern_the_one_that_fewest_rules_need_is_looked_for():
    rules = [test("subject", regex=rf"^Invoice .*order {number}x") for number in range(5)]

    assert candidates(*rules, test("subject", regex=r"^Invoice .*42")) == [5]
