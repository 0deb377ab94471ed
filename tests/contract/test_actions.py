"""Every action that ships, against the one contract."""

# ruff: noqa: RUF012 - the contract reads these class attributes, and nothing writes to them
from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mailrules.builtin.action.acknowledge import ACKNOWLEDGE
from mailrules.builtin.action.append import APPEND
from mailrules.builtin.action.command import COMMAND
from mailrules.builtin.action.extract import EXTRACT
from mailrules.builtin.action.forward import FORWARD
from mailrules.builtin.action.log import LOG
from mailrules.builtin.action.map import MAP
from mailrules.builtin.action.redirect import REDIRECT
from mailrules.builtin.action.reply import REPLY
from mailrules.builtin.action.save import SAVE
from mailrules.builtin.action.script import SCRIPT
from mailrules.builtin.action.send import SEND
from mailrules.builtin.action.webhook import WEBHOOK
from mailrules.testing.action_contract import ActionContract


class TestLog(ActionContract):
    action = LOG
    options = "seen: {{ message.subject }}"


class TestMap(ActionContract):
    action = MAP
    options = {"to": "{{ message.author.address }}", "subject": "Re: {{ message.subject }}"}


class TestExtract(ActionContract):
    action = EXTRACT
    options = {"regex": "the (?P<what>[a-z]+) is", "required": ["what"], "defaults": {"owner": "kim"}}


class TestExtractAttachment(ActionContract):
    action = EXTRACT
    options = {"attachment": "*.pdf", "regex": "%PDF-(?P<version>[0-9.]+)", "types": {"version": "number"}}


class TestAppend(ActionContract):
    action = APPEND
    options = {"account": "archive", "folder": "Invoices/{{ message.date.year }}", "seen": True}


class TestSaveMessage(ActionContract):
    action = SAVE
    options = {"to": "kept/{{ message.subject | slug }}"}


class TestSaveAttachments(ActionContract):
    action = SAVE
    options = {"attachments": "*.pdf", "to": "invoices/{{ message.date.year }}"}


class TestSend(ActionContract):
    action = SEND
    options = {
        "from": "Support <support@desk.example>",
        "to": ["office@desk.example", "{{ message.author.address }}"],
        "subject": "Fwd: {{ message.subject }}",
        "text": "{{ data.summary }}",
    }
    data = {"summary": "An invoice came."}


class TestSendAttachments(ActionContract):
    action = SEND
    options = {"from": "support@desk.example", "to": "office@desk.example", "attachments": "*.pdf"}


class TestReply(ActionContract):
    action = REPLY
    options = {"text": "We have your invoice, {{ message.author.name }}.", "quote": True, "to_all": True}


class TestForward(ActionContract):
    action = FORWARD
    options = {"to": "office@desk.example", "text": "For you."}


class TestForwardAsAttachment(ActionContract):
    action = FORWARD
    options = {"to": "office@desk.example", "as": "attachment"}


class TestRedirect(ActionContract):
    action = REDIRECT
    options = {"to": "office@desk.example"}


class TestAcknowledge(ActionContract):
    action = ACKNOWLEDGE
    options = {"text": "We have it: {{ message.subject }}"}


class TestCommand(ActionContract):
    action = COMMAND
    options = {"run": [sys.executable, "-c", "import sys; print(sys.stdin.read(9))", "{{ message.subject }}"]}


class TestScript(ActionContract):
    action = SCRIPT

    @pytest.fixture
    def raw_options(self, tmp_path):
        (tmp_path / "price.py").write_text("def run(message, data, context): return {'price': len(message.text)}")
        return {"file": "price.py", "timeout": "20s"}


class TestWebhook(ActionContract):
    action = WEBHOOK

    @pytest.fixture
    def raw_options(self, taker):
        return {"url": f"http://127.0.0.1:{taker}/hook", "allow_private": True}

    @pytest.fixture
    def taker(self):
        class Taker(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield server.server_port
            server.shutdown()
