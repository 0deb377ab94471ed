"""Killed at any edge call and started again: nothing lost, nothing repeated but what says it is repeatable."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailrules.api import NoCredential, Place
from mailrules.builtin.local.maildir import MAILDIR
from mailrules.config.settings import Account, Listener
from mailrules.core.decide import Decider
from mailrules.engine.passes import run_pass
from mailrules.engine.perform import performer
from mailrules.engine.world import World
from mailrules.model.code import Code
from mailrules.model.condition import Operator, Test
from mailrules.model.entry import State
from mailrules.model.journal import Query
from mailrules.model.rule import Disposition, Rule, RuleSet, Step
from mailrules.registry import Plugin, Provided
from mailrules.store.sql import open_journal

KILLED = 137
MESSAGES = {
    "bill": b"From: a@acme.example\nSubject: bill 1\nMessage-ID: <1@acme.example>\n\nhello\n",
    "file": b"From: b@acme.example\nSubject: file 2\nMessage-ID: <2@acme.example>\n\nhello\n",
    "bulk": b"From: c@acme.example\nSubject: bulk 3\nMessage-ID: <3@acme.example>\n\nhello\n",
    "note": b"From: d@acme.example\nSubject: note 4\nMessage-ID: <4@acme.example>\n\nhello\n",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Writes one line with its idempotency key, the way a webhook or a mail leaves the house."""

    path: Path
    name: str

    def describe(self, message, _data):
        return f"{self.name} {message.subject}"

    def run(self, message, _data, context):
        with self.path.open("a") as file:
            file.write(f"{self.name} {message.subject} {context}\n")
        return {self.name: "done"}


class Killer:
    """Ends the process at the nth edge call, without any clean-up."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            os._exit(KILLED)

    def around(self, function):
        def edge(*args, **kwargs):
            self()
            result = function(*args, **kwargs)
            self()
            return result

        return edge

    def edges(self, thing, *names):
        return type("Edges", (), {name: staticmethod(self.around(getattr(thing, name))) for name in names})()


def word(text: str) -> Test:
    return Test("subject", (Operator("contains", (text,), text),))


def listener_on(root: Path) -> Listener:
    steps = {
        name: Step(name, Tally(root / "tally", name), repeatable=repeatable, digest=name)
        for name, repeatable in {"post": False, "second": False, "again": True}.items()
    }
    rules = (
        Rule("bill", Code.DELETE_ACTIVATE, word("bill"), steps=(steps["post"], steps["second"])),
        Rule(
            "file", Code.KEEP_ACTIVATE, word("file"), steps=(steps["again"],), keep=Disposition(move="Filed", seen=True)
        ),
        Rule("bulk", Code.DELETE, word("bulk")),
    )
    receive = (Provided(MAILDIR, Plugin("test")), MAILDIR.options(path="mail"))
    return Listener("inbox", Account("local", receive=receive), RuleSet(rules), start="all", max_emails=-1)


def mailbox(root: Path):
    return MAILDIR.open(MAILDIR.options(path="mail"), NoCredential(), Place(root))


def one_pass(root: Path, kill: Killer) -> None:
    listener = listener_on(root)
    with closing(open_journal(f"sqlite:///{root}/journal.sqlite3")) as journal:
        edges = ("known", "handled", "claim", "record", "save", "advance")
        edges += ("unfinished", "due", "first_pass", "begin", "find")
        world = World(
            open=lambda _listener: kill.edges(mailbox(root), "refs", "heads", "bodies", "settle", "close"),
            perform=kill.around(performer(lambda attempt: attempt.key)),
            journal=kill.edges(journal, *edges),
        )
        run_pass(listener, Decider(listener.rules), world)


def in_child(root: Path, kill_at: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            one_pass(root, Killer(kill_at))
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def deliver(root: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (root / "mail" / folder).mkdir(parents=True)
    for number, (name, raw) in enumerate(MESSAGES.items()):
        path = root / "mail" / "new" / f"{1000 + number}.{name}.host"
        path.write_bytes(raw)
        os.utime(path, (1_800_000_000 + number,) * 2)


def subjects(folder: Path) -> list[str]:
    files = [path for sub in ("cur", "new") for path in sorted((folder / sub).glob("*"))]
    return sorted(line[9:] for path in files for line in path.read_text().splitlines() if line.startswith("Subject: "))


def entries(root: Path):
    with closing(open_journal(f"sqlite:///{root}/journal.sqlite3")) as journal:
        return {entry.subject: entry for entry in journal.find(Query(limit=None))}


def edge_calls(tmp_path: Path) -> int:
    root = tmp_path / "count"
    deliver(root)
    killer = Killer(0)
    one_pass(root, killer)
    return -killer.left


def verify(root: Path) -> None:
    """The crash contract, seen from outside."""
    told = Counter(line.rsplit(" ", 1)[0] for line in (root / "tally").read_text().splitlines())
    keys = {line.rsplit(" ", 1)[0]: set() for line in (root / "tally").read_text().splitlines()}
    for line in (root / "tally").read_text().splitlines():
        keys[line.rsplit(" ", 1)[0]].add(line.rsplit(" ", 1)[1])
    found = entries(root)

    assert {"bill 1", "file 2", "bulk 3", "note 4"} == set(found)
    assert told["post bill 1"] <= 1
    assert told["second bill 1"] <= 1
    assert told["again file 2"] >= 1
    assert all(len(of_one) == 1 for of_one in keys.values())
    assert subjects(root / "mail" / ".Filed") == ["file 2"]
    if found["bill 1"].state is State.PARKED:
        assert "nobody knows" in found["bill 1"].reason
        assert "bill 1" in subjects(root / "mail")
    else:
        assert (told["post bill 1"], told["second bill 1"]) == (1, 1)
        assert "bill 1" not in subjects(root / "mail")
    for subject in ("file 2", "bulk 3", "note 4"):
        assert found[subject].state is State.DONE, found[subject]
    assert "note 4" in subjects(root / "mail")
    assert not {"file 2", "bulk 3"} & set(subjects(root / "mail"))


def test_killed_at_every_edge_call(tmp_path):
    total = edge_calls(tmp_path)
    assert total > 40

    for kill_at in range(1, total + 1):
        root = tmp_path / str(kill_at)
        deliver(root)

        assert in_child(root, kill_at) == KILLED, f"edge {kill_at}"
        assert in_child(root, 0) == 0, f"edge {kill_at}"
        verify(root)

        before = (root / "tally").read_text()
        assert in_child(root, 0) == 0, f"edge {kill_at}: third run"
        assert (root / "tally").read_text() == before


@pytest.mark.parametrize("second_kill", [1, 5, 9, 13])
def test_killed_again_while_recovering(tmp_path, second_kill):
    for kill_at in range(3, edge_calls(tmp_path), 5):
        root = tmp_path / f"{kill_at}"
        deliver(root)

        in_child(root, kill_at)
        in_child(root, second_kill)
        assert in_child(root, 0) == 0
        verify(root)
