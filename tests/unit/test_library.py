"""`import mailrules`: load rules, parse a message, decide."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mailrules

RULES = """\
version: 1
rules:
  - name: ours
    match: {from: {domain: example.com}}
    continue: true
    code: keep
    keep: {flags: ['\\Flagged']}
  - name: invoices
    match: {subject: {regex: 'Invoice #(?P<number>\\d+)'}}
    keep: {move: Invoices}
    actions: [{log: "{{ match.number }}"}]
  - name: old mail
    match: {date: {older_than: 30d}}
    code: delete
"""
INVOICE = b"From: Ann <ann@example.com>\r\nSubject: Invoice #42\r\n\r\nHello.\r\n"


def test_a_decision_tells_rule_code_disposition_steps_captures_and_who_spoke_before():
    decision = mailrules.decide(mailrules.load_rules(RULES), mailrules.parse(INVOICE))

    assert (decision.rule, decision.code, decision.code.word) == ("invoices", 2, "keep+activate")
    assert (decision.disposition.move, decision.disposition.flags) == ("Invoices", ("\\Flagged",))
    assert [step.name for step in decision.steps] == ["log"]
    assert decision.captures == {"number": "42"}
    assert decision.continued == ("ours",)
    assert str(decision.span) == "<text>:8:5"


def test_the_trace_is_there_when_it_is_asked_for():
    rules, message = mailrules.load_rules(RULES), mailrules.parse(INVOICE)

    assert mailrules.decide(rules, message).trace == ()
    assert [tried.label for tried in mailrules.decide(rules, message, trace=True).trace] == [
        "rule 'ours'",
        "rule 'invoices'",
        "rule 'old mail'",
    ]


def test_now_is_the_callers_to_say():
    rules = mailrules.load_rules(RULES)
    message = mailrules.parse(b"From: a@e\nDate: Thu, 01 Jan 2026 00:00:00 +0000\n\n")

    assert mailrules.decide(rules, message, now=datetime(2026, 1, 2, tzinfo=UTC)).rule is None
    assert mailrules.decide(rules, message, now=datetime(2026, 3, 2, tzinfo=UTC)).rule == "old mail"


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        mailrules.decide(mailrules.load_rules(RULES), mailrules.parse(b""), now=datetime(2026, 1, 2))  # noqa: DTZ001 - the mistake


@pytest.mark.parametrize("source", [str, Path])
def test_rules_come_from_a_file_by_its_path_or_its_name(tmp_path, source):
    (tmp_path / "rules.yaml").write_text(RULES)

    rules = mailrules.load_rules(source(tmp_path / "rules.yaml"))

    assert [rule.name for rule in rules.rules] == ["ours", "invoices", "old mail"]
    assert rules.rules[0].span.file == "rules.yaml"


def test_rules_with_errors_raise_all_of_them_with_place_and_help():
    with pytest.raises(mailrules.RulesError) as caught:
        mailrules.load_rules("version: 1\nrules:\n  - name: x\n    match: {subjekt: a}\n    code: 7\n")

    assert {found.word for found in caught.value.diagnostics} == {"unknown-field", "not-allowed-value"}
    assert "<text>:4:13: error[unknown-field]" in str(caught.value)
    assert "did you mean 'subject'?" in str(caught.value)


def test_a_file_that_is_not_there_is_told_like_any_other_mistake():
    with pytest.raises(mailrules.RulesError, match="no-file"):
        mailrules.load_rules("absent.yaml")


@pytest.mark.parametrize("raw", [b"", b"\0\xff", b"Subject", b"From: <<<>>>\n\n", INVOICE[:20]])
def test_any_bytes_are_a_message_and_get_a_decision(raw):
    decision = mailrules.decide(mailrules.load_rules(RULES), mailrules.parse(raw))

    assert decision.code in (2, 3, 4)
    assert not decision.needs_body


def test_a_rule_set_is_made_ready_once():
    from mailrules import library

    rules = mailrules.load_rules(RULES)
    library._ready.cache_clear()
    for _ in range(3):
        mailrules.decide(rules, mailrules.parse(INVOICE))

    assert library._ready.cache_info().misses == 1


def test_two_rule_sets_with_the_same_words_are_two():
    first, second = mailrules.load_rules(RULES), mailrules.load_rules(RULES.replace("code: delete", "code: keep"))
    message = mailrules.parse(b"From: a@e\nDate: Thu, 01 Jan 2015 00:00:00 +0000\n\n")

    assert [int(mailrules.decide(rules, message).code) for rules in (first, second, first)] == [3, 4, 3]


def test_importing_it_imports_nothing_else():
    code = "import sys; import mailrules; print([m for m in sys.modules if m.startswith('mailrules.')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_no_other():
    assert all(getattr(mailrules, name) is not None for name in mailrules.__all__)
    assert set(mailrules.__all__) <= set(dir(mailrules))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mailrules.nothing  # noqa: B018 - the look-up is the test


def test_the_example_in_its_docstring_holds():
    import doctest

    assert doctest.testmod(mailrules).failed == 0


def test_an_empty_text_is_empty_rules_and_no_path():
    with pytest.raises(mailrules.RulesError, match="is empty"):
        mailrules.load_rules("")


def test_rules_that_are_not_there_are_told_with_their_folder(tmp_path):
    with pytest.raises(mailrules.RulesError) as error:
        mailrules.load_rules(tmp_path / "none.yaml")

    assert error.value.diagnostics[0].help == f"it is looked for in {tmp_path}"


@pytest.mark.parametrize("source", [b"version: 1\nrules: []\n", None, 5], ids=["bytes", "nothing", "number"])
def test_rules_are_a_path_or_a_text(source):
    with pytest.raises(TypeError, match="a Path or a text"):
        mailrules.load_rules(source)


def test_a_message_is_octets():
    with pytest.raises(TypeError, match="bytes, not str"):
        mailrules.parse("Subject: Hello\r\n\r\n")


def test_no_account_is_trusted_by_the_library():
    rules = mailrules.load_rules("version: 1\nrules: [{name: a, match: {auth: {dmarc: pass}}}]")
    decision = mailrules.decide(rules, mailrules.parse(b"Authentication-Results: mx.example; dmarc=pass\r\n\r\n"))

    assert decision.rule is None
    assert decision.passed_over == ("a: no authserv_id is trusted",)
