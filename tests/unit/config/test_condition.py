"""What each form of a condition means: the YAML on the left, the compiled condition in words on the right."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mailrules.config.condition import compile_match
from mailrules.config.files import parse
from mailrules.config.findings import Findings
from mailrules.config.operands import Reading
from mailrules.model.condition import All, AnyOf, Operator, Test


def operand(value):
    if isinstance(value, Operator):
        return operator(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.0f}s"
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return str(getattr(value, "pattern", value))


def operator(one):
    return f"{one.name} {' | '.join(map(operand, one.operands))}"


def words(condition):
    """A condition in one line, without its places."""
    if not isinstance(condition, Test):
        junction = "all" if isinstance(condition, All) else "any" if isinstance(condition, AnyOf) else "none"
        return f"{junction}({'; '.join(map(words, condition.conditions))})"
    parts = [condition.field + (f"[{', '.join(condition.names)}]" if condition.names else "")]
    parts += [operator(one) for one in condition.operators]
    parts += [f"count {operator(one)}" for one in condition.count]
    parts += [f"exists {condition.exists}"] if condition.exists is not None else []
    parts += [f"occurrence {condition.occurrence}"] if condition.occurrence is not None else []
    parts += ["case_sensitive"] if condition.case_sensitive else []
    parts += [f"in {condition.timezone}"] if condition.timezone else []
    return ", ".join(parts)


MEANINGS = [
    ("from: Bob", "from, contains bob"),
    ("from: [Bob, STRASSE, straße]", "from, contains bob | strasse"),
    ("subject: 007", "subject, contains 007"),
    ("subject: {is: ''}", "subject, is "),
    ("subject: {contains: Straße, case_sensitive: true}", "subject, contains Straße, case_sensitive"),
    ("subject: {starts: 're:', ends: '?'}", "subject, starts re:, ends ?"),
    ("{from: a, subject: b}", "all(from, contains a; subject, contains b)"),
    ("{any: [{from: a}, {to: b, cc: c}]}", "any(from, contains a; all(to, contains b; cc, contains c))"),
    ("{none: [{body: x}], from: a}", "all(none(body, contains x); from, contains a)"),
    ("all: [{from: a}]", "all(from, contains a)"),
    ("from: [{domain: ACME.com}, bob]", "any(from, domain acme.com; from, contains bob)"),
    ("from: {domain: ['@acme.com', '*.acme.com'], detail: Spam}", "from, domain acme.com | *.acme.com, detail spam"),
    ("from: {regex: 'a.b'}", "from, regex (?i)a.b"),
    ("from: {regex: 'a.b', case_sensitive: true}", "from, regex a.b, case_sensitive"),
    ("subject: {regex: 'a.b'}", "subject, regex a.b"),
    ("subject: {glob: 'a*.b?'}", r"subject, glob (?is)\A(?:a.*\.b.)\z"),
    ("subject: {glob: A*, case_sensitive: true}", r"subject, glob (?s)\A(?:A.*)\z, case_sensitive"),
    ("subject: '**a**'", "subject, contains **a**"),
    ("kind: bounce", "kind, is bounce"),
    ("kind: [auto-reply, 'out-*']", r"kind, glob (?is)\A(?:auto\-reply)\z | (?is)\A(?:out\-.*)\z"),
    ("auth: {dkim: pass, spf: [pass, none]}", "auth, dkim pass, spf pass | none"),
    ("size: {over: 10MB, under: 1GiB}", "size, over 10000000, under 1073741824"),
    ("attachment: invoice", "attachment, name contains invoice"),
    ("attachment: '*.pdf'", r"attachment, name glob (?is)\A(?:.*\.pdf)\z"),
    ("attachment: {type: application/PDF}", "attachment, type is application/pdf"),
    ("attachment: {name: {ends: .pdf, starts: a}}", "attachment, name ends .pdf | starts a"),
    ("attachment: {kind: calendar, size: {over: 1kB}}", "attachment, kind is calendar, size over 1000"),
    ("attachment: {exists: true}", "attachment, exists True"),
    ("attachment: {type: image/png, count: {over: 2}}", "attachment, type is image/png, count over 2"),
    ("to: {count: 1}", "to, count is 1"),
    ("to: {count: [1, 2]}", "to, count is 1 | 2"),
    ("cc: {exists: false}", "cc, exists False"),
    ("header: {List-Id: {exists: true}}", "header[List-Id], exists True"),
    ("header: {X-A: one, X-B: [two, three]}", "all(header[X-A], contains one; header[X-B], contains two | three)"),
    ("header: {names: [X-A, X-B], is: Yes, occurrence: -1}", "header[X-A, X-B], is yes, occurrence -1"),
    ("header: {names: X-A, domain: acme.com}", "header[X-A], domain acme.com"),
    ("header: {X: [{is: a}, {is: b}]}", "any(header[X], is a; header[X], is b)"),
    ("header: {X: {over: 5}}", "header[X], over 5"),
    ("header: {X: {over: 5.5}}", "header[X], over 5.5"),
    ("header: {X: {over: 5MB}}", "header[X], over 5000000"),
    ("header: {X: {under: 2026-01-01}}", "header[X], under 2026-01-01T00:00:00+01:00"),
    ("date: {before: 2026-07-01}", "date, before 2026-07-01T00:00:00+02:00"),
    ("date: {after: '2026-07-01T10:30Z'}", "date, after 2026-07-01T10:30:00+00:00"),
    ("date: {after: 2026-01-01 10:30, timezone: Asia/Tokyo}", "date, after 2026-01-01T10:30:00+09:00, in Asia/Tokyo"),
    ("received: {older_than: 1h 30m, newer_than: 2w}", "received, older_than 5400s, newer_than 1209600s"),
    ("date: {weekday: [sat, Sunday]}", "date, weekday 5 | 6"),
    ("date: {weekday: fri-mon}", "date, weekday 4 | 5 | 6 | 0"),
    ("date: {time: '18:00-08:00'}", "date, time 1080-480"),
    ("date: {time: ['0:00-6:30', '22:00-24:00']}", "date, time 0-390 | 1320-1440"),
    ("date: {exists: false}", "date, exists False"),
]


def compiled(text, **reading):
    findings = Findings()
    node = parse(text, "match", findings)
    condition = compile_match(node, Reading(findings, "Europe/Paris", **reading))
    assert not findings.sorted()
    return condition


@pytest.mark.parametrize(("text", "meaning"), MEANINGS)
def test_a_condition_means(text, meaning):
    assert words(compiled(text)) == meaning


def test_media_types_with_and_without_wildcards_are_any_of():
    (kind,) = compiled("attachment: {type: [image/*, text/plain]}").operators
    (glob,) = kind.operands

    assert [bool(pattern.search("text/plain")) for pattern in glob.operands] == [False, True]
    assert [bool(pattern.search("IMAGE/png")) for pattern in glob.operands] == [True, False]


def test_a_rules_file_with_its_own_time_zone_hands_it_to_days_and_hours():
    assert compiled("date: {weekday: sat}", zone="Asia/Tokyo").timezone == "Asia/Tokyo"
    assert compiled("subject: x", zone="Asia/Tokyo").timezone == ""


def test_what_was_written_is_kept_for_the_trace():
    assert [one.written for one in compiled("subject: {contains: [Invoice, 007], regex: 'A+'}").operators] == [
        "Invoice, 007",
        "A+",
    ]


def test_every_test_knows_where_it_was_written():
    condition = compiled("from: a\nany:\n  - subject: b\n  - header: {X-A: c}\n")

    assert str(condition.conditions[0].span) == "match:1:1"
    assert [str(each.span) for each in condition.conditions[1].conditions] == ["match:3:5", "match:4:14"]
