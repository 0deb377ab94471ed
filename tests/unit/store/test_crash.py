"""Killed in the middle of writing, again and again: what was said to be written is there, and nothing is half there."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

from mailrules.model.entry import State, StepState
from mailrules.model.journal import Query
from mailrules.store.sql import open_journal

BATCH = 20
WRITER = f"""
import sys
from dataclasses import replace
from mailrules.model.entry import State, StepState
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import entry, step
journal, start = open_journal(sys.argv[1]), int(sys.argv[2])
while True:
    claimed = journal.claim([entry(uid, fingerprint=f"batch-{{start}}") for uid in range(start, start + {BATCH})])
    print("claimed", *(each.id for each in claimed), flush=True)
    for each in claimed[:5]:
        started = journal.record(replace(each, state=State.ACTING), step(StepState.STARTED), step(StepState.STARTED, 1))
        journal.record(replace(started, state=State.ACTED), step(), step(position=1))
        print("acted", each.id, flush=True)
    journal.save([replace(each, state=State.DONE) for each in claimed[5:]])
    print("done", *(each.id for each in claimed[5:]), flush=True)
    start += {BATCH}
"""
ROUNDS = 8


def killed(url, start, after):
    """What the writer had said when it was killed *after* so many seconds of writing."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url, str(start)], stdout=subprocess.PIPE, text=True)
    first = writer.stdout.readline()
    timer = threading.Timer(after, writer.send_signal, [signal.SIGKILL])
    timer.start()
    said = [first, *writer.communicate()[0].splitlines(keepends=True)]
    timer.join()
    return [line.split() for line in said if line.endswith("\n")]


def test_killed_while_writing_nothing_said_is_lost_and_nothing_is_half_written(tmp_path):
    url, chance = f"sqlite:///{tmp_path}/journal.db", random.Random(7)
    said = []
    for each in range(ROUNDS):
        said += killed(url, each * 1_000_000, chance.uniform(0.02, 0.25))
        with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(said) > 2 * ROUNDS
    journal = open_journal(url)
    found = {entry.id: entry for entry in journal.find(Query(limit=None))}
    journal.close()
    later = {"claimed": set(State), "acted": {State.ACTED}, "done": {State.DONE}}
    for word, *numbers in said:
        assert all(found[int(number)].state in later[word] for number in numbers)
    check_whole(found.values())


def check_whole(entries):
    """A transaction is there with all its rows, or with none."""
    batches: dict[str, list[State]] = {}
    for entry in entries:
        batches.setdefault(entry.fingerprint, []).append(entry.state)
        expected = {
            State.ACTING: [StepState.STARTED] * 2,
            State.ACTED: [StepState.STARTED] * 2 + [StepState.SUCCEEDED] * 2,
        }
        assert [record.state for record in entry.steps] == expected.get(entry.state, [])
    for states in batches.values():
        assert len(states) == BATCH
        assert states.count(State.DONE) in (0, BATCH - 5)
