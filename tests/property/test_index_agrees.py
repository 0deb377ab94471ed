"""The law of the index: deciding with it is deciding without it, whatever the rules and the mail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrules.core.decide import Decider
from mailrules.core.index import Index
from mailrules.core.match import verdict
from mailrules.core.parse import parse
from mailrules.core.view import ADDRESS_HEADERS, View
from mailrules.model.code import Code
from mailrules.model.condition import All, AnyOf, NoneOf, Operator, Test, Verdict
from mailrules.model.message import Extent
from mailrules.model.rule import Active, Disposition, Rule, RuleSet, Script

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)

TEXTS = ["Jo", "a b", "Straße", "jo\nab", "ſ 42", "İ", "invoice #42", "a"]  # noqa: RUF001 - a letter that folds to s
ADDRESSES = ["jo@acme.com", "Jo+news@Mail.Acme.com", "straße@b"]
DOMAINS = ["acme.com", "*.acme.com", "mail.acme.com", "*.com", "b", "*.b"]
PATTERNS = [
    "^a", "a$", r"\Ajo", r"com\z", "(?i)STRASSE|ACME", r"^Jo\b", "(?-m)^jo", r"(?P<n>\d+)$", "b|^$", r"\Qa", "(?s)o.a",
    "JO", "[^a]", "(?im-s)^Jo$", r"\\A", "(?U)a+", "^ab$",
]  # fmt: skip

text = st.sampled_from(TEXTS)
literal = st.sampled_from([*TEXTS, *ADDRESSES, "Jo <jo@acme.com>", "o", ""]).map(str.casefold)
pattern = st.builds(
    lambda source, cased: re2.compile(source, _options(cased)), st.sampled_from(PATTERNS), st.booleans()
)


def _options(cased):
    options = re2.Options()
    options.case_sensitive = cased
    return options


def operators(names):
    operands = {
        **dict.fromkeys(("contains", "is", "starts", "ends"), literal),
        **dict.fromkeys(("regex", "glob"), pattern),
        "domain": st.sampled_from(DOMAINS),
        "localpart": st.sampled_from(["jo", "jo+news", "+news", "strasse"]),
        "detail": st.sampled_from(["news", "", "jo"]),
        "over": st.sampled_from([0, 3, 41.5]),
        "under": st.sampled_from([0, 5, 1000]),
    }
    return st.sampled_from(names).flatmap(
        lambda name: st.lists(operands[name], min_size=1, max_size=2).map(lambda given: Operator(name, tuple(given)))
    )


TEXT = ("contains", "is", "starts", "ends", "regex", "glob")
MAILBOX = (*TEXT, "domain", "localpart", "detail")
count = st.lists(
    st.builds(Operator, st.sampled_from(["over", "under", "is"]), st.tuples(st.integers(0, 3))), max_size=1
)
exists = st.sampled_from([None] * 6 + [True, False])
occurrence = st.sampled_from([None] * 5 + [1, -1, 2])
names = st.lists(st.sampled_from(["X-Tag", "from", "Subject", "X-None", "Delivered-To"]), min_size=1, max_size=2)


def asking(field, asked, **more):
    return st.builds(
        Test,
        field,
        st.lists(operators(asked), min_size=1, max_size=2).map(tuple),
        exists=exists,
        count=count.map(tuple),
        **more,
    )


fields = st.one_of(st.just("from"), st.sampled_from(sorted(ADDRESS_HEADERS)))
leaf = st.one_of(
    asking(fields, MAILBOX, occurrence=occurrence, case_sensitive=st.booleans()),
    asking(st.just("header"), (*MAILBOX, "over", "under"), names=names.map(tuple), occurrence=occurrence),
    asking(st.sampled_from(["subject", "body", "reply_text", "kind"]), TEXT, case_sensitive=st.booleans()),
    asking(st.just("original_sender"), MAILBOX),
    asking(st.just("size"), ("over", "under")),
    st.builds(Test, st.just("attachment"), exists=st.booleans()),
    st.builds(Test, st.just("received"), st.just((Operator("newer_than", (timedelta(days=1),)),))),
    st.builds(Test, st.just("date"), st.just((Operator("older_than", (timedelta(days=1),)),))),
)


def groups(inner):
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(st.builds(All, several), st.builds(AnyOf, several), st.builds(NoneOf, several))


condition = st.recursive(leaf, groups, max_leaves=5)
rule = st.builds(
    Rule,
    st.sampled_from(["one", "two", "three"]),
    st.sampled_from(Code),
    condition=st.one_of(condition, condition, condition, st.none()),
    script=st.sampled_from([None] * 9 + [Script("s.py", lambda message: 4 if message.subject else None)]),
    keep=st.sampled_from([Disposition(), Disposition(seen=True, move="x")]),
    continues=st.booleans(),
    active=st.sampled_from([None, None, None, Active(since=NOW + timedelta(days=1))]),
)
rulesets = st.lists(rule, max_size=25).map(lambda rules: RuleSet(tuple(rules)))

mailbox = st.one_of(
    st.sampled_from(ADDRESSES),
    st.builds("{} <{}>".format, text, st.sampled_from(ADDRESSES)),
    st.builds('"{}" <{}>'.format, text, st.sampled_from(ADDRESSES)),
    st.sampled_from(["<broken", "=?utf-8?q?Stra=C3=9Fe=2C_a?= <jo@b>", "group: a@b, jo@b;", "a@b (comment"]),
)
mailboxes = st.lists(mailbox, min_size=1, max_size=2).map(", ".join)
field = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(["From", "To", "Cc", "Sender", "Delivered-To"]), mailboxes),
    st.builds("X-Tag: {}".format, text),
    st.sampled_from(["Date: Mon, 15 Jun 2026 10:00:00 +0000", "Date: some day", "X-Tag: 4.2 of 5", "Subject: a"]),
    st.sampled_from(["Content-Transfer-Encoding: x-unknown", "Subject: =?utf-8?q?Stra=C3=9Fe=0A#42?="]),
)


def letter(sender, subject, fields, body):
    header = "\n".join(each.replace("\n", "\n ") for each in (f"From: {sender}", f"Subject: {subject}", *fields))
    return header, f"{header}\n\n{body}"


letters = st.builds(letter, mailboxes, text, st.lists(field, max_size=4), text)


def views(written):
    header, whole = (part.encode() for part in written)
    yield parse(header + b"\n", extent=Extent.HEADER)
    yield parse(whole)
    yield parse(whole, extent=Extent.CUT, received=NOW)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rulesets, letters)
def test_the_decision_is_that_of_trying_every_rule_in_order(ruleset, written):
    decider = Decider(ruleset)

    for message in views(written):
        assert replace(decider.decide(message, NOW, trace=True), trace=()) == decider.decide(message, NOW)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(leaf, condition), min_size=1, max_size=40), letters)
def test_only_rules_that_say_no_are_left_out(conditions, written):
    index = Index([Rule("one", condition=each) for each in conditions])

    for message in views(written):
        view = View(message, NOW)
        candidates = list(index.candidates(view))
        assert candidates == sorted(set(candidates))
        left_out = set(range(len(conditions))) - set(candidates)
        assert {Verdict.NO} >= {verdict(conditions[position], view) for position in left_out}
