"""What actions reach the world by."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mailrules.config.settings import Account
from mailrules.engine.edges import AccountSender, DeadlineHttp, WorkspaceFiles
from mailrules.model.action import Answer, Permanent, Transient


def test_a_taken_name_gets_a_number_and_nothing_is_overwritten(tmp_path):
    files = WorkspaceFiles(tmp_path)

    names = [files.save("in/a.pdf", content).name for content in (b"one", b"two", b"three")]

    assert names == ["a.pdf", "a-2.pdf", "a-3.pdf"]
    assert (tmp_path / "in" / "a.pdf").read_bytes() == b"one"


def test_saving_the_same_twice_is_saving_once(tmp_path):
    files = WorkspaceFiles(tmp_path)

    assert files.save("a.pdf", b"one") == files.save("a.pdf", b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/etc/passwd", "", "."])
def test_a_path_cannot_leave_the_root(tmp_path, path):
    (tmp_path / "root").mkdir()

    with pytest.raises(Permanent, match="outside"):
        WorkspaceFiles(tmp_path / "root").save(path, b"x")


def test_a_link_out_of_the_root_is_not_followed(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "way-out").symlink_to(tmp_path)

    with pytest.raises(Permanent, match="outside"):
        WorkspaceFiles(tmp_path / "root").save("way-out/x", b"x")


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(Transient, match="No space left"):
        WorkspaceFiles(tmp_path).save("a.pdf", b"one")
    assert list(tmp_path.iterdir()) == []


def serve(status):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"answer")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.handle_request, daemon=True).start()
    return server


@pytest.mark.parametrize("status", [200, 302, 503])
def test_http_gives_status_and_body_and_follows_nothing(status):
    server = serve(status)
    try:
        answer = DeadlineHttp(5).request("GET", f"http://127.0.0.1:{server.server_port}/")
        assert (answer.status, answer.content, answer.headers["location"]) == (status, b"answer", "/elsewhere")
    finally:
        server.server_close()


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        connection.sendall(b".")
        time.sleep(0.05)


def flood(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"." * 40_000_000)


@pytest.mark.parametrize(("body", "verdict"), [(drip, Transient), (flood, Permanent)])
def test_http_ends_in_time_and_takes_no_more_than_its_limit(body, verdict):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                body(connection)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(verdict):
            DeadlineHttp(0.5).request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join(10)


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_retry_after_in_seconds(value, seconds):
    assert Answer(503, {"retry-after": value}, b"").retry_after == seconds


def test_http_without_an_answer_is_transient():
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))

        with pytest.raises(Transient, match="ConnectError"):
            DeadlineHttp(5).request("GET", f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/")


def test_a_url_that_is_none_is_permanent():
    with pytest.raises(Permanent):
        DeadlineHttp(5).request("GET", "http://[::bad/")


def test_an_account_that_cannot_send_says_so(tmp_path):
    mail = EmailMessage()
    mail["From"], mail["To"] = "a@x.example", "b@x.example"

    with pytest.raises(Permanent, match="account 'a' has no `send:`"):
        AccountSender(Account("a"), tmp_path)(mail)
