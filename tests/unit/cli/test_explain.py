"""`mailrules explain`."""

import io
import re
import sys
from pathlib import Path

import pytest

RULES = """\
version: 1
rules:
  - name: first
    match: {from: {domain: example.org}, none: [{subject: spam}]}
    code: keep
  - name: second
    match: {any: [{subject: hello}, {body: greeting}]}
    keep: {flags: ['\\Flagged']}
    actions: [{log: "about {{ message.subject }}"}]
  - name: third
    match: {subject: hello}
    code: delete
"""


@pytest.fixture
def hello(workspace):
    """A message that `second` and `third` match, and `second` decides."""
    Path("rules/inbox.yaml").write_text(RULES)
    message = Path("hello.eml")
    message.write_bytes(b"From: Ann <ann@example.net>\nSubject: Hello\n\nA letter.\n")
    return message


def test_each_rule_and_each_condition_is_told_with_its_value_and_its_line(run, hello):
    told = run("explain", hello)

    assert told.code == 0
    lines = [line.strip("│├└─ ") for line in told.out.splitlines()]
    assert "no      rule 'first'  rules/inbox.yaml:3:5" in lines
    assert "no      from domain example.org  saw Ann <ann@example.net>  rules/inbox.yaml:4:13" in lines
    assert "yes     rule 'second'  code 2 (keep+activate)  rules/inbox.yaml:6:5" in lines
    assert "yes     subject contains hello  saw Hello  rules/inbox.yaml:7:20" in lines
    assert "no      body contains greeting  saw A letter.  rules/inbox.yaml:7:38" in lines
    assert "decision: rule 'second' (rules/inbox.yaml:6:5)" in lines
    assert "code 2 (keep+activate), mailbox: flag \\Flagged" in lines
    assert "1. log: about Hello" in lines


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("first", "Rule 'first' does not match: 'from domain example.org' says no (saw Ann <ann@example.net>)."),
        ("second", "Rule 'second' decides: it is the first that matches."),
        ("third", "Rule 'third' matches, but 'second' (rules/inbox.yaml:6:5) comes before it and decides."),
    ],
)
def test_why_or_why_not_a_rule(run, hello, rule, sentence):
    told = run("explain", hello, "--rule", rule)

    assert sentence in told.out
    assert told.out.count("rule '") == 2


def test_a_rule_that_is_not_there_is_a_usage_error_with_the_nearest(run, hello):
    told = run("explain", hello, "--rule", "secnod")

    assert told.code == 2
    assert "'inbox' has no rule 'secnod'; did you mean 'second'?" in told.err


def test_what_none_of_forbids_is_named(run, hello):
    hello.write_bytes(b"From: ann@example.org\nSubject: spam\n\n")

    told = run("explain", hello, "--rule", "first")

    assert "none of them may hold: 'subject contains spam' says yes (saw spam)" in told.out


def test_for_programs_there_is_the_whole_trace(run, hello):
    told = run("explain", hello, "--json").json

    assert (told["rule"], told["code"], told["disposition"]) == ("second", 2, {"flags": ["\\Flagged"]})
    assert [(rule["label"], rule["verdict"]) for rule in told["trace"]] == [
        ("rule 'first'", "no"),
        ("rule 'second'", "yes"),
        ("rule 'third'", "yes"),
    ]
    assert told["steps"][-1]["state"] == "described"


def test_a_message_may_come_on_standard_input(run, hello, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(hello.read_bytes())))

    assert run("explain", "-", "--json").json["rule"] == "second"


def test_a_rules_file_alone_can_decide(run, hello, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    told = run("explain", "workspace/hello.eml", "--rules", "workspace/rules/inbox.yaml", "--json")

    assert told.json["rule"] == "second"


def test_a_message_of_the_journal_is_fetched_again(run, workspace):
    run("run", "--once")

    assert run("explain", "#1", "--json").json["rule"] == "welcome"


def test_a_message_that_was_moved_is_found_where_it_went(run, workspace, deliver):
    deliver("2.b", "This week", header="List-Id: <week.example.org>\r\n")
    run("run", "--once")

    told = [run("explain", f"#{number}", "--json").json for number in (1, 2)]

    assert {each["rule"] for each in told} == {"welcome", "newsletters"}


def test_a_message_that_is_gone_says_so_and_what_is_left_to_do(run, workspace):
    run("run", "--once")
    for file in Path("mailbox").rglob("*.welcome*"):
        file.unlink()

    told = run("explain", "#1")

    assert told.code == 2
    assert "#1 is not in its mailbox any more (what was decided: keep); `mailrules log 1`" in told.err


@pytest.mark.parametrize("message", ["absent.eml", "#99", "#x"])
def test_a_message_that_is_not_there_is_a_usage_error(run, workspace, message):
    assert run("explain", message).code == 2


def test_of_many_rules_those_that_said_no_are_counted(run, hello):
    many = "".join(f"  - {{name: r{n}, match: {{subject: word{n}}}, code: keep}}\n" for n in range(40))
    Path("rules/inbox.yaml").write_text(RULES + many)

    brief, full = run("explain", hello), run("explain", hello, "-v")

    assert "41 rules said no (-v shows them)" in brief.out
    assert "rule 'r39'" in full.out


def test_what_is_wrong_with_a_message_is_told(run, hello):
    hello.write_bytes(b'From: a@e\nSubject: x\nContent-Type: multipart/mixed; boundary="never"\n\n--other\n\nText\n')

    assert "defect:          boundary" in run("explain", hello).out


@pytest.mark.parametrize("named", ["1", "#1"])
def test_a_message_of_the_journal_is_named_by_its_number(run, workspace, named):
    run("run", "--once")

    assert run("explain", named, "--json").json["message"] == "#1"


@pytest.mark.parametrize("named", ["#x", "#99999999999999999999"])
def test_what_is_no_number_is_a_usage_error(run, workspace, named):
    assert run("explain", named).code == 2


def test_where_the_hour_counts_the_rules_own_clock_is_told(run, hello):
    zoned = RULES.replace("version: 1", "version: 1\ntimezone: Asia/Tokyo").replace(
        "subject: spam", "date: {weekday: sat}"
    )
    Path("rules/inbox.yaml").write_text(zoned)

    line = next(line for line in run("explain", hello).out.splitlines() if line.startswith("decided as of:"))

    assert re.search(r"\(for the rules: [A-Z][a-z]+day [0-9:]+ Asia/Tokyo\)", line), line
