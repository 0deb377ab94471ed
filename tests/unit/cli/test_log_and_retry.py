"""`mailrules log` and `mailrules retry`: what was done, and taking up what was not."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailrules.config.load import load_workspace
from mailrules.model.entry import State
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


@pytest.mark.parametrize("arguments", [["x1"], ["--since", "yesterday-ish"], ["--state", "gone"]])
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


def test_a_step_in_doubt_can_be_taken_as_done(run, parked):
    run("retry", "1", "--done")
    done = run("run", "--once")

    entry = run("log", "--json").json[0]
    assert done.code == 0
    assert entry["state"] == "done"
    assert entry["steps"][-1]["detail"] == "taken as done by the operator"
    assert [step["state"] for step in entry["steps"]] == ["started", "failed", "succeeded"]


def test_what_is_done_is_not_done_again(run, workspace):
    run("run", "--once")

    told = run("retry", "1")

    assert told.code == 1
    assert "Neither parked nor waiting: #1" in told.err


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
