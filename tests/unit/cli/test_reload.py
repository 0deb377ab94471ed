"""Files that change under `mailrules run`: right ones are taken up, wrong ones are not, nothing in hand is lost."""

import os
import pty
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.cli.daemon import COMMAND, Daemon, edit

from mailrules.cli.reload import wake

OTHER = "listeners:\n  other: {account: home, start: all, schedule: {every: 50ms}}\n"
LOG = "  - {name: told, code: keep+activate, actions: [log: 'new rules']}\n"


@pytest.fixture
def daemon(workspace):
    """Listening, every 50 ms, with one message handled."""
    edit("mailrules.yaml", "every: 60s", "every: 50ms")
    with Daemon() as daemon:
        daemon.says("inbox: 1 message: 1 done")
        yield daemon


@pytest.fixture
def says_of_mail(daemon, deliver):
    """Waits for words about mail that comes now: what was under way goes on by what it began with."""

    def says(text):
        for number in range(100):
            deliver(f"{number}.later", "Later")
            with suppress(AssertionError):
                return daemon.says(text, limit=0.5)
        raise AssertionError(text)

    return says


def entries(run):
    return [(entry["subject"], entry["rule"], entry["state"]) for entry in run("log", "--json").json]


def test_changed_rules_decide_what_comes_next(daemon, says_of_mail, run):
    Path("rules/inbox.yaml").write_text("version: 1\nrules:\n" + LOG)
    daemon.says("the files have been taken up: 1 listener")

    says_of_mail("new rules")

    assert daemon.end() == 0
    assert entries(run)[0] == ("Later", "told", "done")


def test_wrong_files_keep_the_old_ones_running_and_every_error_is_told_with_its_place(daemon, deliver, run):
    edit("rules/inbox.yaml", "rules:", "rulez:")

    assert "ERROR mailrules: rules/inbox.yaml:" in daemon.says("rulez")
    assert "are not taken up; those of " in daemon.says("the files have 1 error")
    deliver("2.b", "Later")
    daemon.says("inbox: 1 message: 1 done")
    shown = run("status")
    assert shown.code == 1
    assert "1 error; the process goes on with those that it has taken up" in shown.out
    assert run("status", "--json").json["listeners"][0]["state"] == "ok"

    edit("rules/inbox.yaml", "rulez:", "rules:")
    daemon.says("the files have been taken up")
    assert run("status").code == 0
    assert daemon.end() == 0


def test_listeners_come_and_go(daemon, run):
    edit("mailrules.yaml", "listeners:\n", OTHER)
    assert "2 listeners; new: other" in daemon.says("taken up")
    daemon.says("other: 1 message: 1 done")
    assert [one["listener"] for one in run("status", "--json").json["listeners"]] == ["other", "inbox"]

    edit("mailrules.yaml", OTHER, "listeners:\n")
    assert "1 listener; gone: other" in daemon.says("taken up")
    assert run("status", "other").code == 2


def test_without_any_listener_the_old_ones_go_on(daemon):
    edit("mailrules.yaml", "account: home\n", "account: home\n    listen: false\n")

    daemon.says("the files have no listener that listens and are not taken up")


def test_a_changed_plugin_is_taken_up(daemon, says_of_mail, boom):
    boom("permanent")
    daemon.says("taken up")
    says_of_mail(", boom: boom")

    file = Path("plugins/boom.py")
    file.write_text(file.read_text().replace('("boom")', '("a louder boom")'))
    daemon.says("taken up")
    says_of_mail(", boom: a louder boom")


@pytest.mark.parametrize("raised", ["SystemExit(3)", "KeyboardInterrupt", "RecursionError"])
def test_a_plugin_that_raises_whatever_it_likes_is_got_rid_of_by_removing_it(daemon, raised):
    file = Path("plugins/bad.py")
    file.parent.mkdir()
    file.write_text(f"raise {raised}\n")
    daemon.says("; all goes on as before" if raised == "KeyboardInterrupt" else "taken up")

    file.unlink()

    daemon.says("the files have been taken up")
    assert daemon.end() == 0


def test_a_changed_script_is_taken_up(daemon, says_of_mail):
    Path("scripts").mkdir()
    Path("scripts/all.py").write_text("def decide(mail_message):\n    return 4\n")
    Path("rules/inbox.yaml").write_text("version: 1\nrules:\n  - {name: by script, script: scripts/all.py}\n")
    daemon.says("taken up")

    Path("scripts/all.py").write_text("def decide(mail_message):\n    raise ValueError('not today')\n")
    daemon.says("taken up")

    says_of_mail("not today")


def test_a_hangup_signal_has_the_files_read_though_they_have_not_changed(daemon):
    daemon.signal(signal.SIGHUP)

    assert daemon.says("taken up", limit=5).endswith("the files have been taken up: 1 listener")
    assert daemon.end() == 0


def test_a_hangup_signal_has_a_listener_in_trouble_tried_at_once(daemon):
    Path("mailbox").rename("elsewhere")
    daemon.says("no such folder")
    daemon.says("no such folder")
    Path("elsewhere").rename("mailbox")
    Path("mailbox/new/2.b").write_text("Subject: Later\n\nHello.\n")
    began = time.monotonic()

    daemon.signal(signal.SIGHUP)

    daemon.says("inbox: 1 message: 1 done")
    assert time.monotonic() - began < 5


def test_whoever_has_done_what_a_person_had_to_do_can_wake_it(daemon, workspace):
    Path("mailbox").rename("elsewhere")
    daemon.says("no such folder")
    Path("elsewhere").rename("mailbox")

    wake(workspace)

    daemon.says("taken up")


def test_waking_leaves_no_trace_where_nothing_runs(workspace):
    wake(workspace)

    assert not (workspace / ".mailrules").exists()


SLOW = """
import pathlib, time
from mailrules.api import ActionType, Options, hookimpl

class Slow:
    def __init__(self, options):
        pass

    def describe(self, message, data):
        return "wait"

    def run(self, message, data, context):
        pathlib.Path("begun").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.02)

@hookimpl
def mailrules_actions():
    yield ActionType(name="slow", summary="Waits.", options=Options, build=Slow)
"""


def test_a_message_in_hand_is_finished_by_the_rules_that_decided_it(daemon, deliver, run):
    Path("plugins").mkdir()
    Path("plugins/slow.py").write_text(SLOW)
    Path("rules/inbox.yaml").write_text("version: 1\nrules: [{name: slow, actions: [{slow: {}}]}]\n")
    daemon.says("taken up")
    end = time.monotonic() + 20
    while not Path("begun").exists() and time.monotonic() < end:
        deliver(f"{time.monotonic()}.b", "In hand")
        time.sleep(0.1)

    Path("rules/inbox.yaml").write_text("version: 1\nrules:\n" + LOG)
    daemon.says("taken up")
    deliver("3.c", "Later")
    Path("go").touch()

    daemon.says("new rules")
    daemon.says("1 done")
    assert daemon.end() == 0
    assert ("In hand", "slow", "done") in entries(run)
    assert entries(run)[0] == ("Later", "told", "done")


def test_only_the_listeners_named_are_taken_up_again(workspace):
    with Daemon("inbox") as daemon:
        edit("mailrules.yaml", "listeners:\n", OTHER)

        assert daemon.says("taken up").endswith("the files have been taken up: 1 listener")


def test_a_terminal_that_is_gone_ends_it(workspace):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*COMMAND, "run"])
    said = b""
    while b"listening" not in said:
        said += os.read(terminal, 4096)

    os.close(terminal)

    end = time.monotonic() + 20
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.02)
    assert ended[0] == pid
