"""The first pass over a mailbox that holds much mail already: told, asked about, and not begun unless it is meant."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from tests.unit.cli.daemon import COMMAND, Daemon

RULES = """\
version: 1
rules:
  - {name: ads, match: {subject: ad}, code: delete}
  - {name: filed, match: {subject: letter}, code: keep, keep: {move: Filed}}
"""


@pytest.fixture
def full(workspace, deliver):
    """Fills the mailbox with so many letters and ads, all there before the first pass, which takes all it may."""
    (workspace / "rules/inbox.yaml").write_text(RULES)
    (workspace / "rules/inbox.test.yaml").unlink()
    for path in (workspace / "mailbox/new").iterdir():
        path.unlink()

    def full_(letters=0, ads=0, **listener):
        for number in range(letters):
            deliver(f"{number}.letter", f"letter {number}")
        for number in range(ads):
            deliver(f"{number}.ad", f"ad {number}")
        for key, value in listener.items():
            _set(key, value)

    return full_


def _set(key, value):
    file = Path("mailrules.yaml")
    lines = [line for line in file.read_text().splitlines() if not line.strip().startswith(f"{key}:")]
    at = next(number for number, line in enumerate(lines) if "account: " in line)
    file.write_text("\n".join([*lines[: at + 1], f"    {key}: {value}", *lines[at + 1 :]]) + "\n")


def there():
    return len(list(Path("mailbox/new").iterdir()))


def test_a_rule_that_pauses_is_told_of_when_it_does_and_not_when_that_is_tried(run, workspace, full):
    full(letters=3, max_emails=-1)
    (workspace / "rules/inbox.yaml").write_text(RULES.replace("move: Filed}", "move: Filed}, limits: {moves: 2}"))

    assert "is paused" not in run("dry-run").err
    assert run("run", "--once").err.count("is paused") == 1


def test_it_says_for_how_many_actions_would_run(run, workspace, full):
    full(letters=101)
    rules = workspace / "rules/inbox.yaml"
    rules.write_text(RULES.replace("code: keep, ", "actions: [{log: filed}], "))

    assert "101 messages that are there already (101 to be moved, 101 to run actions)" in run("run", "--once").err


@pytest.mark.parametrize(("letters", "ads"), [(100, 0), (90, 10)])
def test_a_first_pass_over_little_begins_unasked(run, full, letters, ads):
    full(letters, ads, max_emails=-1)

    assert run("run", "--once").code == 0
    assert there() == 0


@pytest.mark.parametrize(
    ("letters", "ads", "told"),
    [
        (101, 0, "101 messages that are there already (101 to be moved)"),
        (5, 11, "16 messages that are there already (11 to be deleted, 5 to be moved)"),
    ],
)
def test_one_over_much_does_not_begin_unasked_and_says_what_to_type(run, full, letters, ads, told):
    full(letters, ads)
    done = run("run", "--once")

    assert done.code == 3
    assert f"failed: its first pass would handle {told}; nothing has been touched;" in done.err
    assert "`mailrules dry-run inbox` shows each; start with `mailrules run --yes` if that is right" in done.err
    assert there() == letters + ads


def test_yes_begins_it_and_nobody_is_asked_again(run, full):
    full(101, max_emails=1)

    assert [run("run", "--once", "--yes").code, run("run", "--once").code] == [0, 0]
    assert there() == 99


@pytest.mark.parametrize("start", ["now", "{since: 2099-01-01}"])
def test_a_first_pass_that_leaves_alone_what_is_there_begins_unasked(run, full, start):
    full(101, 11, start=start)

    assert run("run", "--once").code == 0
    assert there() == 112


def test_only_so_many_are_tried_and_the_rest_is_counted(run, full, monkeypatch):
    monkeypatch.setattr("mailrules.engine.first_pass.TRIED", 20)
    full(101, 5)

    told = run("run", "--once").err

    assert "106 messages that are there already (of the first 20: " in told


def test_the_other_listeners_run(run, full):
    file = Path("mailrules.yaml")
    full(101)
    head, _, tail = file.read_text().partition("listeners:\n")
    other = "  other: {account: home, folder: Other, start: all, rules: [rules/inbox.yaml]}\n"
    file.write_text(f"{head}listeners:\n{other}{tail}")
    (Path("mailbox") / ".Other" / "new").mkdir(parents=True)
    (Path("mailbox") / ".Other" / "new" / "1.x").write_bytes(b"Subject: letter\n\nx")

    done = run("run", "--once", "--json")

    assert done.code == 3
    assert [(one["listener"], len(one["messages"]), bool(one["failure"])) for one in done.json["listeners"]] == [
        ("other", 1, False),
        ("inbox", 0, True),
    ]


def test_a_service_waits_for_a_person_and_status_says_so(run, full):
    full(101)
    with Daemon() as daemon:
        daemon.says("its first pass would handle 101 messages")
        daemon.end()
    state = run("status", "--json").json["listeners"][0]

    assert state["state"] == "person needed"
    assert state["error"].startswith("its first pass would handle 101 messages that are there already")
    assert "mailrules run --yes" in state["remedy"]
    assert there() == 101


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 96), ("n", 3, 101)])
def test_on_a_terminal_it_is_shown_and_asked(full, answer, code, left):
    full(101, max_emails=5)
    leader, follower = pty.openpty()
    with subprocess.Popen([*COMMAND, "run", "--once"], stdin=follower, stdout=follower, stderr=follower) as process:
        os.close(follower)
        shown = _read(leader, "[y/N]: ")
        os.write(leader, f"{answer}\n".encode())
        _read(leader, "")
        assert process.wait(20) == code
    os.close(leader)

    assert "101  filed  4 keep" in shown
    assert "Handle 101 messages of 'inbox'? [y/N]" in shown
    assert there() == left


def _read(leader, until):
    """What is on the terminal up to that text; all that is still to come for none."""
    shown = ""
    while not until or until not in shown:
        try:
            more = os.read(leader, 4096)
        except OSError:  # the other end has closed
            break
        shown += more.decode()
    return shown
