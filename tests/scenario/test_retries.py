"""Steps that fail are tried again after a kill, when their time has come, and always under one and the same key."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mailrules.builtin.action.outgoing import message_id
from mailrules.model.entry import State, StepState
from mailrules.model.journal import Query
from mailrules.store.sql import open_journal

KILLED = 137
PASS = """
import os, sys
from dataclasses import replace
from datetime import datetime, timedelta, UTC
from pathlib import Path
from mailrules.config.load import load_workspace
from mailrules.core.decide import Decider
from mailrules.engine.passes import run_pass
from mailrules.engine.worlds import live_world
from mailrules.store.sql import open_journal

loaded = load_workspace(Path.cwd())
assert loaded.workspace is not None, loaded.diagnostics
listener = loaded.workspace.listeners["inbox"]
world = live_world(loaded.workspace, open_journal(loaded.workspace.journal))
later = timedelta(minutes=float(sys.argv[1]))
world = replace(world, clock=lambda: datetime(2026, 6, 1, 12, tzinfo=UTC) + later, recorded=lambda _: os._exit(137))
run_pass(listener, Decider(listener.rules), world)
"""
WORKSPACE = """\
version: 1
accounts:
  desk:
    receive: {maildir: {path: mail}}
    send: {outbox: sent}
    from: desk@desk.example
listeners:
  inbox: {account: desk, start: all, rules: rules.yaml}
"""
RULES = """\
version: 1
rules:
  - name: tell and answer
    actions:
      - webhook: {url: "http://127.0.0.1:PORT/", allow_private: true}
        name: tell the desk
      - send:
          from: desk@desk.example
          to: boss@desk.example
          subject: "{{ data['tell the desk'].webhook.json.number }}"
"""


@pytest.fixture
def hook():
    answers, keys = [503, 503, 200], []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self):
            keys.append(self.headers["Idempotency-Key"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers.pop(0))
            self.send_header("Content-Length", "13")
            self.end_headers()
            self.wfile.write(b'{"number": 7}')

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, keys
        server.shutdown()
        thread.join()


def a_pass(root, minutes):
    ended = subprocess.run(
        [sys.executable, "-c", PASS, str(minutes)], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode in {0, KILLED}, ended.stderr
    with closing(open_journal(f"sqlite:///{root}/.mailrules/journal.sqlite3")) as journal:
        (entry,) = journal.find(Query())
    return entry


def test_a_step_is_tried_again_after_a_kill_under_the_same_key_and_what_was_done_is_not_done_again(tmp_path, hook):
    port, keys = hook
    (tmp_path / "mailrules.yaml").write_text(WORKSPACE)
    (tmp_path / "rules.yaml").write_text(RULES.replace("PORT", str(port)))
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    (tmp_path / "mail" / "new" / "1").write_bytes(b"From: a@x.example\nSubject: hello\nMessage-ID: <1@x>\n\nhi\n")
    (tmp_path / "sent").write_text("in the way of the outbox")

    stood = [(a_pass(tmp_path, minutes), len(keys)) for minutes in (0, 0.5, 1, 5, 6.1)]
    assert [(entry.state, entry.attempts, asked) for entry, asked in stood] == [
        (State.RETRY, 1, 1),
        (State.RETRY, 1, 1),  # its time has not come
        (State.RETRY, 2, 2),
        (State.RETRY, 2, 2),
        (State.RETRY, 3, 3),  # the webhook is done, and the mail cannot go out
    ]
    assert len(set(keys)) == 1
    (tmp_path / "sent").unlink()

    done = a_pass(tmp_path, 60)

    sent_keys = {record.key for record in done.steps if record.position == 1}
    (sent,) = (tmp_path / "sent" / "new").iterdir()
    assert done.state is State.DONE
    assert len(keys) == 3
    assert len(sent_keys) == 1
    assert f"Message-ID: {message_id(*sent_keys, 'desk.example')}" in sent.read_text()
    assert "Subject: 7" in sent.read_text()
    assert [record.state for record in done.steps if record.state is not StepState.STARTED] == [
        *[StepState.FAILED] * 2,
        StepState.SUCCEEDED,
        StepState.FAILED,
        StepState.SUCCEEDED,
    ]
