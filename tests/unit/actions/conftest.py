from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from tests.unit.actions.letters import own

from mailrules.api import build_options
from mailrules.testing.context import SAMPLE, action_data, message_of, recording_context


@pytest.fixture
def context(tmp_path):
    return recording_context(tmp_path / "files")


@pytest.fixture
def act(tmp_path, context):
    """Builds an action from options as YAML has them, and runs it on a message."""

    def act_(action, options, *, raw=SAMPLE, match=None, data=None, context=context):
        message = message_of(raw)
        built = action.build(build_options(action.options, options, root=tmp_path))
        return built.run(message, action_data(message, match=match, data=data), context)

    return act_


@pytest.fixture
def describe(tmp_path):
    """Builds an action and lets it describe itself."""

    def describe_(action, options, *, raw=SAMPLE, data=None):
        message = message_of(raw)
        built = action.build(build_options(action.options, options, root=tmp_path))
        return built.describe(message, action_data(message, data=data))

    return describe_


@pytest.fixture
def hook():
    """A web server: give it the answer, and it keeps the requests."""
    state = SimpleNamespace(status=200, answer=b"", headers={}, requests=[])

    class Taker(BaseHTTPRequestHandler):
        def _take(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.requests.append(SimpleNamespace(method=self.command, path=self.path, headers=self.headers, body=body))
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.answer)))
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_):
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Taker, f"do_{method}", Taker._take)
    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()


@pytest.fixture
def run(tmp_path, context):
    """Runs an action with an account as the engine tells of it."""

    def run_(action, options, raw=SAMPLE, **account):
        message = message_of(raw)
        built = action.build(build_options(action.options, options, root=tmp_path))
        return built.run(message, own(message, **account), context)

    return run_
