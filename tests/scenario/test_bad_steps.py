"""Steps that go wrong in each way they can, in one pass over real files: each has its clear row, and harms no other."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace

import pytest

from mailrules.config.load import load_workspace
from mailrules.core.decide import Decider
from mailrules.engine.deadline import StepThreads
from mailrules.engine.edges import live_context
from mailrules.engine.passes import run_pass
from mailrules.engine.perform import performer
from mailrules.engine.worlds import dry_world, live_world
from mailrules.model.entry import State, StepState
from mailrules.model.journal import Query
from mailrules.store.overlay import OverlayJournal
from mailrules.store.sql import open_journal

PLUGIN = '''
"""Actions that go wrong."""
import threading
from mailrules.api import ActionType, InDoubt, Options, Permanent, Transient, Withheld, hookimpl

class Nothing(Options, frozen=True):
    """Nothing."""

class Bad:
    def __init__(self, run):
        self.run = run
    def describe(self, message, data):
        return "go wrong"

def raising(error):
    def run(message, data, context):
        raise error
    return lambda _options: Bad(run)

def hang(message, data, context):
    threading.Event().wait(30)

def bad(name, build, **more):
    return ActionType(name=name, summary=name, options=Nothing, build=build, **more)

@hookimpl
def mailrules_actions():
    yield bad("hang", lambda _options: Bad(hang))
    yield bad("hang-again", lambda _options: Bad(hang), repeatable=True)
    yield bad("later", raising(Transient("the desk is away")))
    yield bad("never", raising(Permanent("the desk is closed")))
    yield bad("perhaps", raising(InDoubt("the line dropped")))
    yield bad("held", raising(Withheld("it would answer a list")))
    yield bad("break", raising(ZeroDivisionError("by nothing")))
'''
MAIN = """\
version: 1
accounts:
  desk: {receive: {maildir: {path: mail}}, from: desk@desk.example}
listeners:
  inbox: {account: desk, start: all, max_emails: -1, rules: rules.yaml, flow: mark}
flows:
  mark: [{log: handled, name: note}]
"""
STEPS = {
    # what is written: where the message stands, where its first step stands, and what the row says
    "{hang: , timeout: 100ms}": (State.PARKED, StepState.UNKNOWN, "hang: it did not end within 0.1 s (in bad.py:"),
    "{hang: , timeout: 100ms, on_error: ignore}": (State.DONE, StepState.UNKNOWN, "nobody knows whether it happened"),
    "{hang-again: , timeout: 100ms}": (State.RETRY, StepState.FAILED, "did not end within 0.1 s"),
    "later": (State.RETRY, StepState.FAILED, "later: the desk is away"),
    "{later: , on_error: park}": (State.PARKED, StepState.FAILED, "later: the desk is away"),
    "{later: , on_error: ignore}": (State.DONE, StepState.IGNORED, "later: the desk is away"),
    "never": (State.PARKED, StepState.FAILED, "never: the desk is closed"),
    "{never: , name: tell the desk}": (State.PARKED, StepState.FAILED, "tell the desk: the desk is closed"),
    "perhaps": (State.PARKED, StepState.UNKNOWN, "perhaps: the line dropped"),
    "held": (State.DONE, StepState.WITHHELD, "go wrong: it would answer a list"),
    "break": (State.PARKED, StepState.UNKNOWN, "break: ZeroDivisionError: by nothing (in bad.py:"),
    "{log: '{{ message.attachments[0].name }}'}": (State.PARKED, StepState.FAILED, "log: template '{{ message.att"),
    "{log: '{{ message.subject | int // 0 }}'}": (State.PARKED, StepState.FAILED, "integer division or modulo by zero"),
    "{log: '{{ message.subject + 1 }}', on_error: ignore}": (State.DONE, StepState.IGNORED, "log: template"),
    "{map: {a: '{% for i in range(9999) %}{{ range(9999) | join }}{% endfor %}'}}": (
        State.PARKED,
        StepState.FAILED,
        "more than 10,000,000 characters",
    ),
    "{log: fine}": (State.DONE, StepState.SUCCEEDED, "log: fine"),
}


@pytest.fixture
def workspace(tmp_path):
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    rules = ["version: 1", "rules:"]
    for number, written in enumerate(STEPS):
        raw = f"From: a@x.example\nSubject: case {number:02}\nMessage-ID: <{number}@x.example>\n\nhello\n"
        (tmp_path / "mail" / "new" / f"17000000{number:02}.1.host").write_text(raw)
        actions = f"[{written}]"
        rules.append(f'  - {{name: r{number}, match: {{subject: {{is: "case {number:02}"}}}}, actions: {actions}}}')
    (tmp_path / "mailrules.yaml").write_text(MAIN)
    (tmp_path / "rules.yaml").write_text("\n".join(rules))
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "bad.py").write_text(PLUGIN)
    loaded = load_workspace(tmp_path)
    assert loaded.workspace is not None, loaded.diagnostics
    return loaded.workspace


@pytest.fixture
def entries(workspace):
    listener = workspace.listeners["inbox"]
    with closing(open_journal(workspace.journal)) as journal:
        perform = performer(live_context(workspace, journal), threads=StepThreads(grace=0.1))
        run_pass(listener, Decider(listener.rules), replace(live_world(workspace, journal), perform=perform))
        return {entry.subject: entry for entry in journal.find(Query(limit=None))}


def test_each_failure_has_its_row_and_every_other_message_goes_on(entries):
    stood = {}
    for number, written in enumerate(STEPS):
        entry = entries[f"case {number:02}"]
        stood[written] = (entry.state, entry.step(0).state, entry.step(0).detail)

    for written, (state, step_state, told) in STEPS.items():
        assert stood[written][:2] == (state, step_state), written
        assert told in stood[written][2], written


def test_the_flow_of_the_listener_runs_after_the_actions_of_those_that_went_on(entries):
    for entry in entries.values():
        after = entry.step(1)
        assert (after is not None) == (entry.state is State.DONE)
        assert after is None or (after.name, after.state) == ("mark/note", StepState.SUCCEEDED)


def test_a_dry_run_of_the_same_hangs_nowhere_and_changes_nothing(workspace):
    listener = workspace.listeners["inbox"]
    before = threading.active_count()

    report = run_pass(listener, Decider(listener.rules), dry_world(workspace, OverlayJournal()))

    described = [entry for entry in report.entries if entry.state is State.DONE]
    assert len(report.entries) == len(STEPS)
    assert {record.state for entry in described for record in entry.steps} >= {StepState.DESCRIBED}
    assert threading.active_count() <= before
