"""`mailrules check`."""

import json
from pathlib import Path

import pytest

WRONG = """\
version: 1
rules:
  - name: wrong
    match: {subject: {contians: x}}
    actions: [{lgo: hello}]
"""


@pytest.fixture
def wrong(workspace):
    Path("rules/inbox.yaml").write_text(WRONG)
    Path("rules/inbox.test.yaml").unlink()


def test_every_mistake_is_told_at_once_with_its_place_and_what_was_meant(run, wrong):
    found = run("check")

    assert found.code == 1
    assert "rules/inbox.yaml:4:23: error[unknown-operator]" in found.out
    assert "rules/inbox.yaml:5:16: error[unknown-action]" in found.out
    assert "did you mean 'log'?" in found.out
    assert found.out.splitlines()[-1] == "2 errors in 1 file"


def test_for_programs_there_is_a_list_of_objects(run, wrong):
    found = run("check", "--json")

    assert found.code == 1
    assert {each["word"] for each in found.json} == {"unknown-operator", "unknown-action"}


def test_github_gets_annotations(run, wrong):
    found = run("check", "--format", "github")

    assert "::error file=rules/inbox.yaml,line=4,col=23," in found.out


def test_from_another_folder_the_places_are_told_as_seen_from_there(run, wrong, monkeypatch):
    monkeypatch.chdir("..")

    found = run("check", "--workspace", "workspace")

    assert "workspace/rules/inbox.yaml:4:23: error" in found.out


def test_the_workspace_may_be_named_before_the_command_too(run, workspace, monkeypatch):
    monkeypatch.chdir("..")

    assert run("-w", "workspace", "check").code == 0


def test_the_workspace_may_be_named_by_the_environment(run, workspace, monkeypatch):
    monkeypatch.chdir("..")
    monkeypatch.setenv("MAILRULES_WORKSPACE", "workspace")

    assert run("check").code == 0


def test_one_rules_file_is_checked_alone_and_knows_the_flows_of_its_workspace(run, workspace):
    found = run("check", "rules/inbox.yaml")

    assert (found.code, found.out) == (0, "no findings (3 rules)\n")


def test_files_of_cases_are_checked_with_the_workspace(run, workspace):
    cases = Path("rules/inbox.test.yaml")
    cases.write_text(cases.read_text().replace("rule: newsletters", "rule: newsletter"))

    found = run("check")

    assert found.code == 1
    assert "error[unknown-rule]" in found.out
    assert "did you mean 'newsletters'?" in found.out


def test_warnings_alone_are_no_failure(run, workspace):
    file = Path("rules/inbox.yaml")
    shadowed = "  - {name: shadowed, match: {header: {List-Id: {exists: true}}}, code: keep}\n\n# What"
    file.write_text(file.read_text().replace("\n# What", shadowed))

    found = run("check")

    assert found.code == 0
    assert "warning[" in found.out
    assert found.out.splitlines()[-1] == "1 warning in 1 file (4 rules)"


def test_unreadable_yaml_stops_everything_that_would_run(run, workspace):
    Path("mailrules.yaml").write_text("version: 1\naccounts: [")

    for command in ("check", "run", "dry-run"):
        found = run(command)
        assert found.code == 1, command
        assert "error[yaml-syntax]" in found.out + found.err
    assert not Path(".mailrules").exists()


def test_the_journal_at_the_usual_place_is_listed_while_no_other_can_be_known(run, workspace):
    run("run", "--once")
    Path("mailrules.yaml").write_text("version: 1\naccounts: [")

    told = run("log", "--json")

    assert len(told.json) == 1
    assert "mailrules.yaml cannot be read" in told.err


def test_without_a_workspace_it_says_how_to_get_one(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    found = run("check")

    assert found.code == 2
    assert "mailrules init" in found.err


def test_json_is_an_empty_list_when_all_is_well(run, workspace):
    assert json.loads(run("check", "--format", "json").out) == []


def test_a_file_that_is_not_there_is_named(run, workspace):
    told = run("check", "rules/x.yaml")

    assert told.code == 2
    assert "there is no file 'rules/x.yaml'" in told.err


def test_a_folder_is_no_file_and_what_checks_all_is_told(run, workspace):
    told = run("check", "rules")

    assert told.code == 2
    assert "there is no file 'rules'; without a name all files of the workspace are checked" in told.err


@pytest.mark.parametrize(
    ("file", "command"),
    [("mailrules.yaml", "`mailrules check`"), ("other/mailrules.yaml", "`mailrules -w other check`")],
)
def test_who_names_the_main_file_is_told_what_checks_it(run, workspace, file, command):
    (workspace / "other").mkdir()
    (workspace / "other" / "mailrules.yaml").write_text("version: 1\n")

    told = run("check", file)

    assert told.code == 2
    assert f"{file} is no rules file: {command} checks it and all that it names" in told.err
