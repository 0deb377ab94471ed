"""The action `notify`: what every action keeps to, and a real HTTP server that is told."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mailrules_notify import NOTIFY, NotifyOptions

from mailrules.api import OptionsError, Permanent, Transient, build_options
from mailrules.testing import action_data, message_of, recording_context
from mailrules.testing.action_contract import ActionContract


class Service(ThreadingHTTPServer):
    """A service that keeps what it is told, and refuses on the paths that it is told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.told, self.refusing = [], set()

    def address(self, path="news"):
        return f"json://jo:hunter22@127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        refused = self.path in self.server.refusing
        if not refused:
            self.server.told.append((self.path, json.loads(body)))
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestNotify(ActionContract):
    action = NOTIFY

    @pytest.fixture
    def raw_options(self, service):
        return {"urls": [service.address()], "body": "{{ message.subject }}", "title": "New mail"}


def notify(tmp_path, *urls, progress=None, **options):
    built = NOTIFY.build(
        build_options(NotifyOptions, {"urls": list(urls), "body": "{{ message.subject }}", **options}, root=tmp_path)
    )
    message = message_of()
    context = recording_context(tmp_path / "files", seconds=20)
    return built.run(message, action_data(message), replace(context, progress=progress or {}))


def test_a_service_is_told_title_text_and_sort(tmp_path, service):
    given = notify(tmp_path, service.address(), title="Mail of {{ message.author.name }}", type="warning")
    ((path, told),) = service.told

    assert given == {"notified": 1}
    assert path == "/news"
    assert told["title"] == f"Mail of {message_of().author.name}"
    assert (told["message"], told["type"]) == (message_of().subject, "warning")


def test_what_fails_is_tried_again_and_nobody_is_told_twice(tmp_path, service):
    service.refusing = {"/phone"}
    urls = service.address("chat"), service.address("phone")
    with pytest.raises(Transient) as caught:
        notify(tmp_path, *urls)
    assert [path for path, _ in service.told] == ["/chat"]

    service.refusing = set()
    notify(tmp_path, *urls, progress=caught.value.progress)
    assert [path for path, _ in service.told] == ["/chat", "/phone"]


def test_the_reason_is_told_and_the_address_is_not(tmp_path, service):
    service.refusing = {"/news"}
    with pytest.raises(Transient, match="503") as caught:
        notify(tmp_path, service.address())
    assert "hunter22" not in f"{caught.value} {caught.value.progress}"


def test_a_service_that_is_away_is_tried_again(tmp_path, service):
    service.server_close()
    with pytest.raises(Transient):
        notify(tmp_path, service.address())


def test_an_address_that_apprise_does_not_know_is_told_without_it(tmp_path):
    with pytest.raises(Permanent, match="address 1 of `urls`") as caught:
        notify(tmp_path, "nonsense://hunter22")
    assert "hunter22" not in str(caught.value)


def test_addresses_come_from_references(tmp_path, service, monkeypatch):
    monkeypatch.setenv("TEAM_CHAT", service.address())
    notify(tmp_path, "env:TEAM_CHAT")
    assert len(service.told) == 1


WRONG = {
    "nobody to tell": {"urls": [], "body": "x"},
    "no urls": {"body": "x"},
    "no body": {"urls": ["env:X"]},
    "no such type": {"urls": ["env:X"], "body": "x", "type": "loud"},
}


@pytest.mark.parametrize("name", WRONG)
def test_options_that_make_no_sense_are_refused(tmp_path, name):
    with pytest.raises(OptionsError):
        build_options(NotifyOptions, WRONG[name], root=tmp_path)
