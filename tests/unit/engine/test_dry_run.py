"""A dry run shows what would happen, to every listener in turn, and changes nothing."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.engine.house import Notes, body, mail, subject

from mailrules.builtin.local.maildir import MAILDIR
from mailrules.config.settings import Account, Listener, Workspace
from mailrules.core.decide import Decider
from mailrules.engine.passes import run_pass
from mailrules.engine.perform import Performed
from mailrules.engine.worlds import dry_world, live_world
from mailrules.model.code import Code
from mailrules.model.entry import StepState
from mailrules.model.rule import Disposition, Rule, RuleSet, Step
from mailrules.registry import Plugin, Provided, Registry
from mailrules.store.overlay import OverlayJournal
from mailrules.store.sql import open_journal


def deliver(root: Path, *messages: bytes) -> None:
    for folder in ("cur", "new", "tmp"):
        (root / "mail" / folder).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(messages):
        (root / "mail" / "new" / f"{1000 + number}.M{number}.host").write_bytes(raw)


def state_of(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def house(tmp_path):
    account = Account("local", receive=(Provided(MAILDIR, Plugin("test")), MAILDIR.options(path="mail")))
    notes = Notes()
    step = Step("note", notes, digest="note")
    plain = Listener("plain", account, RuleSet(), start="all", max_emails=-1)
    moving = Rule("move", Code.KEEP_ACTIVATE, subject("bill"), keep=Disposition(move="Bills"), steps=(step,))
    listeners = {
        "first": replace(plain, name="first", rules=RuleSet((moving,))),
        "second": replace(plain, name="second", rules=RuleSet((Rule("any", Code.DELETE),))),
        "bills": replace(
            plain, name="bills", folder="Bills", rules=RuleSet((Rule("read", Code.KEEP, body("please")),))
        ),
    }
    return Workspace(tmp_path, Registry(), {"local": account}, listeners, files=tmp_path / "files"), notes


def rehearse(workspace, below=None):
    world = dry_world(workspace, OverlayJournal(below))
    return {name: run_pass(listener, Decider(listener.rules), world) for name, listener in workspace.listeners.items()}


def test_a_message_that_one_listener_moves_is_there_for_the_next_only_where_it_went(house):
    workspace, _ = house
    deliver(workspace.root, mail(1, "bill", "pay please"), mail(2, "other"))

    reports = rehearse(workspace)

    assert [entry.subject for entry in reports["first"].entries] == ["bill", "other"]
    assert [entry.subject for entry in reports["second"].entries] == ["other"]
    assert [(entry.subject, entry.rule) for entry in reports["bills"].entries] == [("bill", "read")]


def test_it_changes_no_file_and_runs_no_action(house):
    workspace, notes = house
    deliver(workspace.root, mail(1, "bill", "pay please"), mail(2, "other"))
    with closing(open_journal(f"sqlite:///{workspace.root}/journal.sqlite3")) as journal:
        journal.totals("first")
    before = state_of(workspace.root)

    with closing(open_journal(f"sqlite:///{workspace.root}/journal.sqlite3", readonly=True)) as below:
        reports = rehearse(workspace, below)

    assert state_of(workspace.root) == before
    assert notes.done == []
    assert [record.state for record in reports["first"].entries[0].steps] == [StepState.STARTED, StepState.DESCRIBED]
    assert reports["first"].entries[0].steps[-1].detail == "note bill"


def test_it_decides_what_the_live_run_then_does(house):
    workspace, _ = house
    deliver(workspace.root, mail(1, "bill", "pay please"), mail(2, "other"))
    rehearsed = rehearse(workspace)

    with closing(open_journal(f"sqlite:///{workspace.root}/journal.sqlite3")) as journal:
        world = replace(live_world(workspace, journal), perform=lambda *_: Performed(StepState.SUCCEEDED))
        lived = {
            name: run_pass(listener, Decider(listener.rules), world) for name, listener in workspace.listeners.items()
        }

    def told(reports):
        return {
            name: [(entry.subject, entry.rule, entry.code, entry.disposition, entry.state) for entry in report.entries]
            for name, report in reports.items()
        }

    assert told(rehearsed) == told(lived)
