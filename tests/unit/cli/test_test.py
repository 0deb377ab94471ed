"""`mailrules test`."""

from pathlib import Path

import pytest

FAILING = """\
cases:
  - name: it is filed
    mail: {from: ann@example.net, subject: "Invoice 42"}
    expect: {rule: invoices, code: keep+activate, keep: {move: Invoices}, actions: [save, log]}
"""


@pytest.fixture
def failing(workspace):
    Path("rules/inbox.test.yaml").write_text(FAILING)


def test_a_failing_case_shows_what_was_expected_what_was_got_and_why(run, failing):
    told = run("test")

    assert told.code == 1
    assert "FAILED rules/inbox.test.yaml:2 it is filed" in told.out
    assert "rule 'invoices' does not match: 'attachment type application/pdf' says no (no attachment)" in told.out
    assert "- rule: invoices   # expected" in told.out
    assert "+ rule: null   # got" in told.out
    assert "- actions: [save, log]   # expected" in told.out
    assert "+ actions: []   # got" in told.out
    assert told.out.splitlines()[-1] == "1 case, 1 failed; 0 of 3 rules reached"


def test_rules_that_no_case_reaches_are_named_with_their_place(run, failing):
    told = run("test")

    assert "3 rules that no case reaches:" in told.out
    assert "  rules/inbox.yaml:10:5: invoices" in told.out


def test_a_rules_file_without_cases_is_named(run, workspace):
    Path("rules/more.yaml").write_text("version: 1\nrules: []\n")

    told = run("test")

    assert told.code == 0
    assert "rules/more.yaml has no cases: write more.test.yaml beside it" in told.out


def test_for_programs_there_is_everything(run, failing):
    told = run("test", "--json").json

    assert told["passed"] is False
    assert told["cases"][0]["expected"]["rule"] == "invoices"
    assert told["cases"][0]["got"]["rule"] is None
    assert [rule["rule"] for rule in told["unreached"]] == ["newsletters", "invoices", "welcome"]


@pytest.mark.parametrize("named", ["rules/inbox.test.yaml", "rules/inbox.yaml", "rules"])
def test_files_are_named_by_cases_by_rules_or_by_folder(run, workspace, named):
    assert run("test", named).out == "4 cases, all passed; 3 of 3 rules reached\n"


def test_cases_that_are_wrong_are_told_with_their_place_and_fail(run, workspace):
    Path("rules/inbox.test.yaml").write_text("cases:\n  - name: x\n    mail: {form: a}\n    expect: {}\n")

    told = run("test")

    assert told.code == 1
    assert "rules/inbox.test.yaml:3:12: error[unknown-key]" in told.out


def test_rules_that_are_wrong_fail_the_run(run, workspace):
    Path("rules/inbox.yaml").write_text("version: 1\nrules: [{name: newsletters, match: {subjet: x}}]\n")

    told = run("test")

    assert told.code == 1
    assert "error[" in told.out


def test_a_step_that_cannot_be_described_fails_the_case(run, workspace):
    Path("plugins").mkdir()
    Path("plugins/bad.py").write_text(
        "from mailrules.api import ActionType, Options, hookimpl\n"
        "class O(Options, frozen=True):\n    pass\n"
        "class A:\n    def __init__(self, options): pass\n"
        "    def describe(self, message, data): raise RuntimeError('nothing to say')\n"
        "    def run(self, message, data, context): return None\n"
        "@hookimpl\ndef mailrules_actions():\n"
        "    yield ActionType(name='bad', summary='Bad.', options=O, build=A)\n"
    )
    Path("rules/inbox.yaml").write_text("version: 1\nrules: [{name: x, actions: [bad: {}]}]\n")
    Path("rules/inbox.test.yaml").write_text("cases: [{name: c, mail: {subject: s}, expect: {rule: x}}]\n")

    told = run("test")

    assert told.code == 1
    assert "RuntimeError: nothing to say" in told.out


def test_without_any_cases_it_says_where_they_go(run, workspace):
    Path("rules/inbox.test.yaml").unlink()

    told = run("test")

    assert told.code == 2
    assert "rules/x.test.yaml tests rules/x.yaml" in told.err


def test_without_cases_it_says_how_they_are_called(run, workspace):
    (workspace / "rules" / "inbox.test.yaml").unlink()

    told = run("test")

    assert told.code == 2
    assert "no *.test.yaml here" in told.err
