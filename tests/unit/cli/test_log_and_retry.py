"""`mailrules log` and `mailrules retry`: what was done, and taking up what was not."""

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mailrules.config.load import load_journal_address, load_workspace
from mailrules.model.entry import State, StepState
from mailrules.model.journal import Query
from mailrules.store.lock import WorkspaceLock
from mailrules.store.sql import open_journal


@pytest.fixture
def parked(run, boom):
    """A workspace whose one message is parked as #1."""
    boom("permanent")
    assert run("run", "--once").code == 1


def test_the_latest_message_comes_first(run, workspace, deliver):
    run("run", "--once")
    deliver("2.b", "Second")
    run("run", "--once")

    assert [entry["subject"] for entry in run("log", "--json").json] == ["Second", "Welcome to mailrules"]
    assert [line.split()[0] for line in run("log").out.splitlines()[2:] if line.startswith("#")] == ["#2", "#1"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--state", "done"], 2),
        (["--state", "parked"], 0),
        (["--state", "parked", "--state", "done"], 2),
        (["--rule", "welcome"], 1),
        (["--listener", "inbox"], 2),
        (["--listener", "other"], 0),
        (["--text", "WELCOME"], 1),
        (["--since", "1h"], 2),
        (["--since", "2999-01-01"], 0),
        (["--limit", "1"], 1),
        (["2"], 1),
        (["#1"], 1),
    ],
)
def test_what_is_asked_for_is_what_is_listed(run, workspace, deliver, arguments, found):
    deliver("2.b", "Second")
    run("run", "--once")

    assert len(run("log", "--json", *arguments).json) == found


def test_one_message_is_told_in_full_with_its_steps(run, parked):
    told = run("log", "1").out

    assert "rule:        fails rules/inbox.yaml:3:6" in told or "rule:        fails rules/inbox.yaml:3:5" in told
    assert "state:       parked: boom: boom" in told
    assert "failed: boom: boom (boom, rules/inbox.yaml:3:" in told
    assert "`mailrules retry 1` takes it up again" in told


def test_a_number_that_is_not_there_is_exit_1(run, workspace):
    assert run("log", "99").code == 1


@pytest.mark.parametrize(
    "arguments", [["x1"], ["--since", "yesterday-ish"], ["--state", "gone"], ["--state", "settled"]]
)
def test_nonsense_is_a_usage_error(run, workspace, arguments):
    assert run("log", *arguments).code == 2


def test_looking_makes_no_journal(run, workspace):
    run("log")
    run("retry", "--all")

    assert not Path(".mailrules").exists()


@pytest.mark.parametrize("which", [["1"], ["#1"], ["--all"]])
def test_a_parked_message_is_taken_up_by_the_next_pass(run, parked, which):
    Path("mended").touch()

    told = run("retry", *which)
    run("run", "--once")

    assert told.code == 0
    assert told.out == "1 message will be taken up by the next pass (`mailrules run`).\n"
    assert [entry["state"] for entry in run("log", "--json").json] == ["done"]


def test_a_message_that_waits_is_not_made_to_wait_longer(run, boom):
    boom("transient")
    run("run", "--once")
    Path("mended").touch()

    run("retry", "1")
    run("run", "--once")

    assert [entry["state"] for entry in run("log", "--json").json] == ["done"]


@pytest.fixture
def in_doubt(parked, workspace):
    """As if the process had died while the step of #1 was under way."""
    with closing(open_journal(load_journal_address(workspace))) as journal:
        (entry,) = journal.find(Query())
        journal.record(entry, replace(entry.steps[0], state=StepState.UNKNOWN))


def steps(run):
    """What is on record of the latest message's steps."""
    return [(step["state"], step["detail"]) for step in run("log", "--json").json[0]["steps"]]


def test_a_step_in_doubt_can_be_taken_as_done(run, in_doubt):
    told = run("retry", "1", "--done")
    done = run("run", "--once")

    assert told.out.startswith("#1: step 1, boom, permanent (taken as done by the operator)\n")
    assert done.code == 0
    assert run("log", "--json").json[0]["state"] == "done"
    assert steps(run)[-1] == ("succeeded", "boom, permanent (taken as done by the operator)")
    assert "boom, permanent (taken as done by the operator)" in done.out


def test_a_step_that_failed_cannot_be_taken_as_done_and_what_can_be_done_is_said(run, parked):
    told = run("retry", "1", "--done")

    assert told.code == 1
    assert told.out == ""
    assert "#1: step 1 (boom) failed: it is known that it did not happen" in told.err
    assert "`mailrules retry 1` runs it again" in told.err
    assert run("log", "--json").json[0]["state"] == "parked"


def test_what_is_given_up_is_left_alone(run, parked, workspace):
    told = run("retry", "1", "--give-up")
    Path("mended").touch()
    run("run", "--once")

    (entry,) = run("log", "--json").json
    assert told.out == "1 message given up: left in the mailbox as found, and taken up no more.\n"
    assert (entry["state"], entry["retry_at"]) == ("skipped", None)
    assert entry["reason"] == "given up by the operator; before: boom: boom"
    assert run("retry", "1", "--give-up").code == 1


def test_what_was_given_up_can_be_taken_up_after_all(run, parked):
    run("retry", "1", "--give-up")
    Path("mended").touch()

    told = run("retry", "1")
    run("run", "--once")

    assert told.code == 0
    assert run("log", "--json").json[0]["state"] == "done"


def test_what_the_first_pass_left_alone_can_be_taken_up(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("start: all", "start: now"))
    run("run", "--once")

    before = run("log", "--json").json[0]
    run("retry", "1")
    waiting = run("log", "--json").json[0]
    run("run", "--once")

    assert before["state"] == "skipped"
    assert waiting["reason"] == f"taken up again by the operator; before: {before['reason']}"
    assert run("log", "--json").json[0]["rule"] == "welcome"


def test_anew_decides_by_the_rules_as_they_are_now(run, in_doubt):
    Path("rules/inbox.yaml").write_text("version: 1\nrules: [{name: other, actions: [{log: seen}]}]\n")

    told = run("retry", "1", "--anew")
    done = run("run", "--once")

    assert "#1: step 1, boom, permanent (set aside by the operator): what was done may be done twice" in told.err
    assert done.code == 0
    entry = run("log", "--json").json[0]
    assert (entry["state"], entry["rule"]) == ("done", "other")
    assert steps(run)[-1] == ("succeeded", "log: seen")


def test_all_leaves_out_what_waits_and_says_so(run, boom):
    boom("transient")
    run("run", "--once")

    told = run("retry", "--all")

    assert "0 messages will be taken up" in told.out
    assert "1 message is tried again by itself and left out: `mailrules retry ID` does not wait." in told.out


@pytest.mark.parametrize("arguments", [["log"], ["log", "1"], ["retry", "1"]])
def test_the_journal_can_be_read_and_ordered_about_while_the_files_have_errors(run, parked, arguments):
    Path("rules/inbox.yaml").write_text("rules: [{nmae: x}")

    assert run(*arguments).code == 0


def test_a_journal_elsewhere_is_found_while_the_rules_have_errors(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(f"{file.read_text()}\njournal: sqlite:///elsewhere.db\n")
    run("run", "--once")
    Path("rules/inbox.yaml").write_text("rules: 3")

    assert Path("elsewhere.db").is_file()
    assert len(run("log", "--json").json) == 1


def test_a_number_greater_than_any_journal_counts_is_a_usage_error(run, workspace):
    assert run("log", "99999999999999999999").code == 2


def test_a_listener_that_handled_nothing_is_told(run, workspace):
    run("run", "--once")

    assert run("log", "--listener", "inbux").out == "The journal has no message of a listener 'inbux'.\n"
    assert run("log", "--listener", "inbox", "--text", "nobody").out == "The journal has nothing like that.\n"


def test_a_rule_that_decided_nothing_is_told_with_what_may_be_meant(run, workspace):
    run("run", "--once")

    assert run("log", "--rule", "welcom").out == (
        "The journal has no message that a rule 'welcom' decided; did you mean 'welcome'?\n"
    )


def test_a_try_is_told_as_one_and_when_the_next_comes_with_its_zone(run, boom):
    boom("transient")
    run("run", "--once")

    state = next(line for line in run("log", "1").out.splitlines() if line.startswith("state:"))
    assert re.fullmatch(r"state: +retry \(after 1 try\), again at [-0-9]+ [:0-9]+ [A-Z+0-9]+: boom: boom", state)


def test_what_is_new_to_nobody_is_told_by_how_it_stands(run, parked):
    told = run("run", "--once")

    assert "nothing new: 1 parked" in told.out


def test_what_waits_is_told_with_its_moment(run, boom):
    boom("transient")
    run("run", "--once")

    assert re.search(r"nothing new: 1 waiting \(next [-0-9]+ [:0-9]+\)", run("run", "--once").out)


@pytest.mark.parametrize("arguments", [["--done", "--anew"], ["--give-up", "--done"]])
def test_two_orders_at_once_are_a_usage_error(run, parked, arguments):
    assert run("retry", "1", *arguments).code == 2


def test_what_is_done_is_not_done_again(run, workspace):
    run("run", "--once")

    told = run("retry", "1")

    assert told.code == 1
    assert "Neither parked, nor waiting, nor skipped: #1" in told.err


def test_it_wants_numbers_or_all(run, workspace):
    assert run("retry").code == 2
    assert run("retry", "1", "--all").code == 2


def test_it_does_not_wait_for_a_running_process(run, parked, workspace):
    with WorkspaceLock(workspace / ".mailrules" / "lock"):
        assert run("retry", "1").code == 0


def test_what_a_running_process_has_just_taken_up_stays_its_own(run, boom, workspace):
    boom("transient")
    run("run", "--once")
    run("retry", "1")
    journal = open_journal(load_workspace(workspace).workspace.journal)
    (entry,) = journal.find(Query())
    assert journal.claim([replace(entry, state=State.CLAIMED)])

    told = run("retry", "1")

    assert told.code == 1
    assert [standing.state for standing in journal.find(Query())] == [State.CLAIMED]
    journal.close()
