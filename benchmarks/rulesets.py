"""Equal rule sets for mailrules and its peers.

The last ten rules are hot: together they match about 40 % of the corpus. All others are cold: distinct, of the kinds
that people write, and matching nothing; so the answer is the same for any number of rules.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

import re2
from benchmarks.corpus import FAMILY, GIVEN, HOSTS, WORDS

from mailrules.model.condition import Operator, Test
from mailrules.model.rule import Disposition, Rule, RuleSet


class Line(NamedTuple):
    """One rule: `kind` is what it asks, `folder` where it files."""

    kind: str
    value: str
    folder: str


HOT_BODY = [
    ("from_is", "billing@invoices.example"),
    ("from_domain", "shop.example"),
    ("from_contains", "newsletter@"),
    ("to_is", "sales@home.example"),
    ("subject_contains", "rechnung f"),
    ("subject_regex", r"\[TRACKER\] \([A-Z]+-[0-9]+\)"),
    ("list_id", "dev.lists.example.org"),
    ("list_id", "announce.vendor"),
    ("body_contains", "your tracking number is"),
    ("body_contains", "unsubscribe from these alerts"),
]
HOT_HEADERS = [*HOT_BODY[:8], ("subject_contains", "weekly report"), ("from_domain", "oak.example")]
MIX = {
    "from_is": 28,
    "from_domain": 16,
    "from_contains": 8,
    "to_is": 6,
    "subject_contains": 18,
    "subject_regex": 6,
    "list_id": 10,
    "body_contains": 8,
}
FOLDERS = [f"f{number}" for number in range(10)]


def lines(count: int, *, body: bool) -> list[Line]:
    """*count* rules, with some about the body or none."""
    rng = random.Random(f"rules/{body}")
    kinds = [kind for kind in MIX if body or kind != "body_contains"]
    cold: dict[tuple[str, str], None] = {}
    while len(cold) < count - 10:
        kind = rng.choices(kinds, [MIX[kind] for kind in kinds])[0]
        cold[kind, _value(kind, rng)] = None
    hot = HOT_BODY if body else HOT_HEADERS
    return [Line(*rule, FOLDERS[number % 10]) for number, rule in enumerate([*cold, *hot], start=10 - count % 10)]


def _value(kind: str, rng: random.Random) -> str:
    """Numbers here are above 1000, those in the corpus's names below."""
    name, number = f"{rng.choice(GIVEN)}.{rng.choice(FAMILY)}", rng.randint(1000, 99999)
    one, two, three = rng.choices(WORDS, k=3)
    return {
        "from_is": f"{name}{number}@{rng.choice(HOSTS)}",
        "from_domain": f"{one}-{two}{number}.example",
        "from_contains": f"{name}{number}@",
        "to_is": f"{one}+{two}{number}@home.example",
        "subject_contains": f"{one} {two} {number}",
        "subject_regex": rf"^\[?{one}\]? #?[0-9]+ {two} (closed|opened|{three}) v{number}",
        "list_id": f"{one}-{number}.lists.example.org",
        "body_contains": f"{one} {two} {three} {number}",
    }[kind]


_TESTS = {
    "from_is": ("from", "is"),
    "from_domain": ("from", "domain"),
    "from_contains": ("from", "contains"),
    "to_is": ("to", "is"),
    "subject_contains": ("subject", "contains"),
    "subject_regex": ("subject", "regex"),
    "list_id": ("header", "contains"),
    "body_contains": ("body", "contains"),
}


def to_ruleset(rules: list[Line]) -> RuleSet:
    """As mailrules compiles them."""
    return RuleSet(tuple(_rule(line, number) for number, line in enumerate(rules)))


def _rule(line: Line, number: int) -> Rule:
    field, name = _TESTS[line.kind]
    operand = re2.compile(line.value) if name == "regex" else line.value
    test = Test(field, (Operator(name, (operand,), line.value),), names=("List-Id",) if field == "header" else ())
    return Rule(f"rule {number}", condition=test, keep=Disposition(move=line.folder))


def to_yaml(rules: list[Line], *, act: str = "keep: {{move: {folder}}}") -> str:
    """As an admin writes them; *act* is what a rule that matches does."""
    text = ["version: 1\nrules:\n"]
    for number, line in enumerate(rules):
        field, name = _TESTS[line.kind]
        quoted = line.value.replace("'", "''")
        test = f"{{{name}: '{quoted}'}}"
        match = f"header: {{List-Id: {test}}}" if field == "header" else f"{field}: {test}"
        text.append(f"  - name: rule {number}\n    match:\n      {match}\n    {act.format(folder=line.folder)}\n")
    return "".join(text)


_SIEVE = {
    "from_is": 'address :is "from"',
    "from_domain": 'address :domain :is "from"',
    "from_contains": 'address :contains "from"',
    "to_is": 'address :is "to"',
    "subject_contains": 'header :contains "subject"',
    "subject_regex": 'header :regex "subject"',
    "list_id": 'header :contains "list-id"',
    "body_contains": "body :text :contains",
}


def to_sieve(rules: list[Line], *, act: str = 'fileinto "{folder}"; stop;') -> str:
    """RFC 5228 with regex and body; *act* is what a rule that matches does."""
    text = ['require ["fileinto","imap4flags","regex","body"];\n']
    for line in rules:
        value = line.value.replace("\\", "\\\\").replace('"', '\\"')
        text.append(f'if {_SIEVE[line.kind]} "{value}" {{ {act.format(folder=line.folder)} }}\n')
    return "".join(text)


_RAW = {
    "from_is": "^From:.*[< ]{}",
    "from_domain": "^From:.*@{}",
    "from_contains": "^From:.*{}",
    "to_is": "^To:.*[< ]{}",
    "subject_contains": "^Subject:.*{}",
    "list_id": "^List-Id:.*{}",
    "body_contains": "{}",
}


def to_fdm(rules: list[Line]) -> str:
    """Patterns on the raw message, since fdm knows no addresses and decodes nothing; what matches is left in place."""
    text = ['action "keep" keep\n']
    for line in rules:
        where = "body" if line.kind == "body_contains" else "headers"
        text.append(f'match "{_raw(line).replace(chr(92), chr(92) * 2)}" in {where} action "keep"\n')
    return "".join(text)


def _raw(line: Line) -> str:
    if line.kind == "subject_regex":
        return f"^Subject: {line.value[1:]}" if line.value.startswith("^") else f"^Subject:.*{line.value}"
    return _RAW[line.kind].format(re.sub(r"([.+*?()\[\]{}|^$\\/])", r"\\\1", line.value))


_CONTAINS = {
    "from_is": "contain_from('{0}')",
    "from_domain": "contain_from('@{0}')",
    "from_contains": "contain_from('{0}')",
    "to_is": "contain_to('{0}')",
    "subject_contains": "contain_subject('{0}')",
    "subject_regex": "match_subject('{0}')",
    "list_id": "contain_field('List-Id', '{0}')",
    "body_contains": "contain_body('{0}')",
}
_MATCHES = {
    "from_is": "match_from('(?i){0}')",
    "from_domain": "match_from('(?i)@{0}')",
    "from_contains": "match_from('(?i){0}')",
    "to_is": "match_to('(?i){0}')",
    "subject_contains": "match_subject('(?i){0}')",
    "subject_regex": "match_subject('{0}')",
    "list_id": "match_field('List-Id', '(?i){0}')",
    "body_contains": "match_body('(?i){0}')",
}


def to_imapfilter(rules: list[Line], *, decides: str) -> str:
    """Lua for the mailbox `box`: the *server* decides where it can, by SEARCH, or all by patterns, by the *client*."""
    tests = _CONTAINS if decides == "server" else _MATCHES
    text = []
    for line in rules:
        plain = line.kind == "subject_regex" or decides == "server"
        value = line.value if plain else re.sub(r"([.+*?()\[\]{}|^$\\/])", r"\\\1", line.value)
        test = tests[line.kind].format(value.replace("\\", "\\\\").replace("'", "\\'"))
        text.append(f"found = box.INBOX:{test}\nif #found > 0 then found:move_messages(box['{line.folder}']) end\n")
    return "".join(text)
