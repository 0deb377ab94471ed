"""`mailrules run`: handling mail for real."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailrules.store.lock import WorkspaceLock


def states(answer):
    return [(m["subject"], m["state"]) for one in answer.json["listeners"] for m in one["messages"]]


def test_once_handles_each_message_once_and_a_second_time_says_so(run, workspace, deliver):
    deliver("1.a", "This week", header="List-Id: <week.example.org>\r\n")

    first, second = run("run", "--once"), run("run", "--once")

    assert first.code == second.code == 0
    assert "move to Newsletters, mark seen" in first.out
    assert list(Path("mailbox/.Newsletters/cur").iterdir())
    assert "nothing new: 2 handled" in second.out


def test_the_table_names_each_message_by_its_number_in_the_journal(run, workspace):
    done = run("run", "--once")

    assert done.out.splitlines()[1].split() == ["#", "from", "subject", "rule", "code", "what", "happened"]
    assert any(line.startswith("#1 ") for line in done.out.splitlines())


def test_of_more_messages_than_anybody_reads_those_that_did_not_go_well_are_shown(run, boom, deliver, monkeypatch):
    monkeypatch.setattr("mailrules.cli.outcome.MOST_ROWS", 1)
    boom("permanent")
    rules = Path("rules/inbox.yaml")
    rules.write_text(rules.read_text().replace("fails,", "fails, match: {subject: bad},"))
    deliver("9.z", "A bad one")

    done = run("run", "--once")

    assert any(line.startswith("#2 ") for line in done.out.splitlines())
    assert not any(line.startswith("#1 ") for line in done.out.splitlines())
    assert "1 message more: `mailrules log --limit 2` lists all" in done.out


def test_messages_that_were_there_before_are_left_alone_unless_start_says_all(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("start: all", "start: now"))

    done = run("run", "--once")

    assert "1 message there before the first pass left alone (`start: all` takes them)" in done.out


def test_what_is_beyond_max_emails_waits_for_the_next_pass(run, workspace, deliver):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("max_emails: 50", "max_emails: 1"))
    deliver("9.x", "Later")

    done = run("run", "--once")

    assert "1 message left for the next pass" in done.out


def test_a_parked_message_is_exit_1_and_says_what_to_do(run, boom):
    boom("permanent")

    done = run("run", "--once")

    assert done.code == 1
    assert "parked: boom: boom" in done.out
    assert "`mailrules log ID` shows why, `mailrules retry ID` tries again" in done.out


def test_a_message_to_be_tried_again_says_when(run, boom):
    boom("transient")

    done = run("run", "--once")

    assert done.code == 0
    assert "again at " in done.out
    assert "1 message will be tried again by a later pass." in done.out


def test_a_plugin_that_breaks_parks_the_message_and_names_the_place(run, boom):
    boom("defect")

    done = run("run", "--once", "--json")

    message = done.json["listeners"][0]["messages"][0]
    assert message["state"] == "parked"
    assert message["reason"].startswith("boom: KeyError") or "boom.py:" in message["reason"]
    assert list(Path("mailbox/new").iterdir())


def test_a_listener_that_fails_does_not_stop_the_others(run, workspace):
    file = Path("mailrules.yaml")
    text = file.read_text().replace("accounts:\n", "accounts:\n  away: {receive: {maildir: away}}\n")
    other = "listeners:\n  away: {account: away, start: all, rules: [rules/inbox.yaml]}\n"
    file.write_text(text.replace("listeners:\n", other))

    done = run("run", "--once")

    assert done.code == 3
    assert "failed: " in done.err
    assert "welcome" in done.out


def test_only_the_listeners_named_are_run(run, workspace):
    assert run("run", "--once", "nobody").code == 2
    assert [one["listener"] for one in run("run", "--once", "inbox", "--json").json["listeners"]] == ["inbox"]


def test_a_second_process_on_the_workspace_is_refused_by_its_number(run, workspace):
    with WorkspaceLock(workspace / ".mailrules" / "lock"):
        refused = run("run", "--once")

    assert refused.code == 3
    assert f"process {os.getpid()} works on this workspace already" in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.fixture
def listening(workspace):
    """`mailrules run` as a process of its own, once it listens; looks every 50 ms."""
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("every: 60s", "every: 50ms"))
    command = [sys.executable, "-c", "import sys; from mailrules.cli.main import main; sys.exit(main(['run']))"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert "listening: inbox" in process.stderr.readline()
        yield process
        process.kill()


def line_with(process, text):
    """The next line of the log that holds *text*."""
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"no line with {text!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_until_a_signal_and_ends_cleanly(listening, deliver, run, number):
    line_with(listening, "inbox: 1 message: 1 done")
    deliver("2.b", "Another")
    line_with(listening, "inbox: 1 message: 1 done")

    listening.send_signal(number)

    assert "stopped" in line_with(listening, "stopped")
    assert listening.wait(10) == 0
    assert [entry["state"] for entry in run("log", "--json").json] == ["done", "done"]


def test_a_pass_that_did_nothing_says_nothing(listening):
    line_with(listening, "1 done")
    time.sleep(0.5)

    listening.terminate()

    assert [line.partition("mailrules")[2] for line in listening.stderr] == [": stopped\n"]


def test_a_listener_in_trouble_tells_why_and_when_it_tries_again(listening, workspace):
    line_with(listening, "1 done")
    (workspace / "mailbox").rename(workspace / "elsewhere")

    said = line_with(listening, "next try in")

    (workspace / "elsewhere").rename(workspace / "mailbox")
    assert "ERROR mailrules.inbox: " in said
    assert "Traceback" not in said


SLOW = """
import pathlib, time
from mailrules.api import ActionType, Options, hookimpl

class SlowOptions(Options, frozen=True):
    seconds: float

class Slow:
    def __init__(self, options):
        self.options = options

    def describe(self, message, data):
        return "wait"

    def run(self, message, data, context):
        pathlib.Path("begun").touch()
        time.sleep(self.options.seconds)

@hookimpl
def mailrules_actions():
    yield ActionType(name="slow", summary="Waits.", options=SlowOptions, build=Slow)
"""


@pytest.fixture
def busy(workspace, deliver):
    """`mailrules run` in the middle of a step that takes so many seconds; two messages wait."""
    deliver("2.b", "Second")
    (workspace / "plugins").mkdir()
    (workspace / "plugins" / "slow.py").write_text(SLOW)

    def start(seconds):
        rules = f"version: 1\nrules: [{{name: slow, actions: [{{slow: {{seconds: {seconds}}}}}]}}]\n"
        (workspace / "rules" / "inbox.yaml").write_text(rules)
        code = "import sys; from mailrules.cli.main import main; sys.exit(main(['run']))"
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        while not (workspace / "begun").exists():
            time.sleep(0.02)
        return process

    return start


def test_the_message_in_hand_is_finished_and_the_next_is_left(busy, run):
    process = busy(1)

    process.terminate()

    assert process.wait(20) == 0
    assert [entry["state"] for entry in run("log", "--json").json] == ["done"]


@pytest.mark.parametrize(("number", "told"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_who_interrupts_is_told_that_the_message_in_hand_is_finished(listening, number, told):
    line_with(listening, "1 done")

    listening.send_signal(number)

    assert ("interrupt once more to end at once" in listening.stderr.read()) is told


def test_a_second_interrupt_does_not_wait_and_what_is_in_doubt_is_a_persons_to_say(busy, run, workspace):
    process = busy(600)

    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)

    assert process.wait(20) == 130
    next(path for path in (workspace / "mailbox" / "new").iterdir() if path.name == "2.b").unlink()
    assert run("run", "--once").code == 1
    assert "find out whether it happened: `mailrules retry 1` does it again" in run("log", "1").out


@pytest.mark.parametrize(
    ("schedule", "passes", "reason"),
    [
        ("{max_runs: 1}", 1, "it ended: it has run 1 time (max_runs: 1)"),
        ("{from: 2099-01-01}", 0, "it begins 2099-01-01 00:00 (UTC)"),
        ("{until: 2026-01-01}", 0, "it ended: no run is left before 2026-01-01 00:00 (UTC)"),
    ],
)
def test_once_keeps_to_the_window_and_the_number_of_runs(run, workspace, schedule, passes, reason):
    file = Path("mailrules.yaml")
    file.write_text(re.sub(r"schedule: \{.*?\}", f"schedule: {schedule}", file.read_text()))

    done = [run("run", "--once", "--json").json["listeners"][0] for _ in range(2)]

    assert sum(len(each["messages"]) for each in done) == passes
    assert done[1]["ended"] == reason
    assert reason in run("run", "--once").out
