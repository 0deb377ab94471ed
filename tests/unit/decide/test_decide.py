"""From rules to a decision: order, codes, what adds up, scripts, and what is unknown."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.unit.decide.build import NOW, mail, test

from mailrules.core.decide import Decider
from mailrules.model.code import Code
from mailrules.model.condition import All, NoneOf, Verdict
from mailrules.model.message import Extent
from mailrules.model.rule import UNTOUCHED, Active, Disposition, Rule, RuleSet, Script, Step
from mailrules.model.span import Span

LETTER = """
    From: jo@acme.com
    Subject: Invoice #42

    Dear reader
"""
YES, NO = test("subject", contains="invoice"), test("subject", contains="refund")
BODY = test("body", contains="dear")


@dataclass(frozen=True)
class Silent:
    """An action that is only named."""

    def describe(self, message, data):  # noqa: ARG002 - the contract's names
        return ""

    def run(self, message, data, context):  # noqa: ARG002 - as above
        return None


def steps(*names, needs_body=False):
    return tuple(Step(name, Silent(), needs_body=needs_body) for name in names)


def decide(*rules, extent=Extent.WHOLE, letter=LETTER, **ruleset):
    """The decision, which is the same with the index and when everything is traced."""
    if extent is Extent.HEADER:
        letter = letter.partition("\n\n")[0]
    decider = Decider(RuleSet(rules, **ruleset))
    decision = decider.decide(mail(letter, extent=extent), NOW)
    traced = decider.decide(mail(letter, extent=extent), NOW, trace=True)
    assert decision == replace(traced, trace=())
    return decision


def outcome(decision):
    return decision.rule, decision.code, str(decision.disposition), [step.name for step in decision.steps]


def test_the_first_rule_that_matches_speaks():
    decision = decide(Rule("a", condition=NO), Rule("b", condition=YES, span=Span("r.yaml", 5, 3)), Rule("c"))

    assert ("b", Span("r.yaml", 5, 3)) == (decision.rule, decision.span)


def test_a_rule_without_condition_matches_everything():
    assert decide(Rule("a")).rule == "a"


def test_unmatched_speaks_when_none_does():
    unmatched = Rule("unmatched", Code.DELETE_ACTIVATE, steps=steps("log"))

    assert outcome(decide(Rule("a", condition=NO), unmatched=unmatched)) == (
        None,
        Code.DELETE_ACTIVATE,
        "delete",
        ["log"],
    )


def test_by_default_an_unmatched_message_is_left_untouched():
    assert outcome(decide()) == (None, Code.KEEP, "keep", [])


KEPT = Disposition(move="Invoices", seen=True)
CODES = {
    Code.DELETE_ACTIVATE: ("delete", ["log", "flow"]),
    Code.KEEP_ACTIVATE: ("move to Invoices, mark seen", ["log", "flow"]),
    Code.DELETE: ("delete", []),
    Code.KEEP: ("move to Invoices, mark seen", []),
}


@pytest.mark.parametrize("code", Code)
def test_the_code_says_what_becomes_of_the_copy_and_whether_the_transition_fires(code):
    rule = Rule("a", code, keep=KEPT, steps=steps("log"))

    assert ("a", code, *CODES[code]) == outcome(decide(rule, transition=steps("flow")))


@pytest.mark.parametrize("code", Code)
def test_a_script_answers_with_the_code(code):
    rule = Rule("a", script=Script("s.py", lambda _: code.value), keep=KEPT, steps=steps("log"))

    assert ("a", code, *CODES[code]) == outcome(decide(rule, transition=steps("flow")))


def test_continuing_rules_add_marks_and_steps_and_the_last_one_moves():
    marks = Disposition(seen=True, flags=("urgent",), copy=("All",), move="Ignored")
    decision = decide(
        Rule("a", Code.KEEP_ACTIVATE, condition=YES, keep=marks, steps=steps("log"), continues=True),
        Rule("no", condition=NO, keep=Disposition(flags=("never",)), continues=True),
        Rule("b", Code.KEEP, condition=YES, keep=Disposition(move="Invoices", flags=("paid",))),
        transition=steps("flow"),
    )

    assert decision.continued == ("a",)
    assert outcome(decision) == (
        "b",
        Code.KEEP_ACTIVATE,
        "move to Invoices, copy to All, mark seen, flag urgent, flag paid",
        ["log", "flow"],
    )


def test_unmatched_is_the_last_after_continuing_rules():
    decision = decide(
        Rule("a", Code.KEEP_ACTIVATE, keep=Disposition(seen=True), steps=steps("log"), continues=True),
        unmatched=Rule("unmatched", Code.DELETE),
    )

    assert outcome(decision) == (None, Code.DELETE_ACTIVATE, "delete, mark seen", ["log"])


def test_a_continuing_rule_does_not_delete():
    decision = decide(Rule("a", Code.DELETE, continues=True), Rule("b", Code.KEEP))

    assert outcome(decision) == ("b", Code.KEEP, "keep", [])


def test_captures_reach_templates_from_every_rule_that_speaks():
    decision = decide(
        Rule("a", condition=test("subject", regex=r"#(?P<number>\d+)"), continues=True),
        Rule("b", condition=test("subject", regex=r"^(?P<what>\w+)")),
    )

    assert decision.captures == {"number": "42", "what": "Invoice"}


def test_the_header_block_is_enough_where_it_tells():
    rules = [Rule("a", condition=NO), Rule("b", condition=YES), Rule("c", condition=BODY)]

    assert decide(*rules, extent=Extent.HEADER).rule == "b"


BODY_NEEDED = {
    "an earlier rule on the body": [Rule("a", condition=BODY), Rule("b", condition=YES)],
    "part of a rule": [Rule("a", condition=All((YES, BODY)))],
    "none of the body": [Rule("a", condition=NoneOf((BODY,)))],
    "a step of the rule": [Rule("a", Code.KEEP_ACTIVATE, steps=steps("save", needs_body=True))],
    "a script": [Rule("a", script=Script("s.py", lambda _: 4))],
    "a continuing rule's step": [
        Rule("a", Code.KEEP_ACTIVATE, steps=steps("save", needs_body=True), continues=True),
        Rule("b", Code.KEEP),
    ],
}


@pytest.mark.parametrize("rules", BODY_NEEDED.values(), ids=BODY_NEEDED)
def test_the_body_is_asked_for_by(rules):
    assert decide(*rules, extent=Extent.HEADER).needs_body
    assert not decide(*rules).needs_body


BODY_NOT_NEEDED = {
    "a step that does not fire": [Rule("a", Code.KEEP, steps=steps("save", needs_body=True))],
    "a body test beside one that fails": [Rule("a", condition=All((NO, BODY)))],
    "a script whose match fails": [Rule("a", condition=NO, script=Script("s.py", lambda _: 4))],
    "a rule not in force": [Rule("a", condition=BODY, active=Active(since=NOW + timedelta(1)))],
}


@pytest.mark.parametrize("rules", BODY_NOT_NEEDED.values(), ids=BODY_NOT_NEEDED)
def test_the_body_is_not_asked_for_by(rules):
    assert not decide(*rules, extent=Extent.HEADER).needs_body


def test_what_stays_unknown_is_passed_over_and_named():
    decision = decide(Rule("late", condition=test("received", newer_than=timedelta(days=1))), Rule("b"))

    assert decision.rule == "b"
    assert decision.passed_over == ("late: the server did not say when it came",)


def test_a_body_that_is_cut_off_passes_over_what_it_does_not_show():
    rules = [Rule("a", condition=test("body", contains="regards")), Rule("b", condition=BODY)]
    decision = decide(*rules, extent=Extent.CUT)

    assert (decision.rule, decision.passed_over) == ("b", ("a: the body is cut off",))


def test_a_script_that_answers_none_leaves_the_message_to_the_next_rule():
    assert decide(Rule("a", script=Script("s.py", lambda _: None)), Rule("b")).rule == "b"


NONSENSE = {
    "zero": (0, "0"),
    "five": (5, "5"),
    "true": (True, "True"),
    "text": ("2", "'2'"),
    "float": (2.0, "2.0"),
}


@pytest.mark.parametrize(("answer", "shown"), NONSENSE.values(), ids=NONSENSE)
def test_a_script_that_answers_nonsense_leaves_the_message_alone(answer, shown):
    rule = Rule("a", script=Script("s.py", lambda _: answer), keep=KEPT, steps=steps("log"))
    decision = decide(rule, Rule("b", Code.DELETE), transition=steps("flow"))

    assert outcome(decision) == ("a", Code.KEEP, "keep", [])
    assert f"script s.py: answered {shown} where 1, 2, 3, 4 or None is meant" == decision.failure


def test_a_script_that_raises_leaves_the_message_alone():
    decision = decide(Rule("a", script=Script("s.py", lambda _: {}["key"])), Rule("b", Code.DELETE))

    assert decision.disposition == UNTOUCHED
    assert decision.failure == "script s.py: raised KeyError('key')"


def test_a_trace_tries_every_rule_and_says_why():
    rules = [
        Rule("a", condition=NO),
        Rule("asleep", condition=YES, active=Active(since=NOW + timedelta(1))),
        Rule("b", Code.DELETE, condition=YES),
        Rule("c", condition=NO),
        Rule("never asked", script=Script("s.py", lambda _: 1 / 0)),
    ]
    decision = Decider(RuleSet(tuple(rules))).decide(mail(LETTER), NOW, trace=True)

    assert [(each.label, each.verdict, each.reason) for each in decision.trace] == [
        ("rule 'a'", Verdict.NO, ""),
        ("rule 'asleep'", Verdict.NO, "not active until 2026-06-16 12:00"),
        ("rule 'b'", Verdict.YES, "code 3 (delete)"),
        ("rule 'c'", Verdict.NO, "an earlier rule speaks for the message"),
        ("rule 'never asked'", Verdict.UNKNOWN, "an earlier rule speaks for the message"),
    ]
    assert decision.trace[0].children[0].seen == "Invoice #42"
