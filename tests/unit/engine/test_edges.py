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
from mailrules.engine.edges import WorkspaceFiles
from mailrules.engine.http import DeadlineHttp
from mailrules.engine.sending import AccountSender
from mailrules.model.action import Answer, InDoubt, Permanent, Reach, Transient

HERE = Reach(private=True)


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


@pytest.mark.parametrize("depth", ["", "new/", "new/deep/"])
def test_a_saved_file_is_synced_with_every_folder_that_got_a_new_name(tmp_path, monkeypatch, depth):
    synced, real = set(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.add(os.fstat(handle).st_ino), real(handle)))

    WorkspaceFiles(tmp_path / "files").save(f"{depth}a.pdf", b"one")

    saved = tmp_path / "files" / depth / "a.pdf"
    changed = [saved, *saved.parents][: 3 + depth.count("/")]
    assert changed[-1] == tmp_path
    assert {path.stat().st_ino for path in changed} <= synced


def test_what_was_saved_before_is_synced_again(tmp_path, monkeypatch):
    WorkspaceFiles(tmp_path).save("a.pdf", b"one")
    synced, real = set(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.add(os.fstat(handle).st_ino), real(handle)))

    WorkspaceFiles(tmp_path).save("a.pdf", b"one")

    assert {(tmp_path / "a.pdf").stat().st_ino, tmp_path.stat().st_ino} <= synced


@pytest.fixture(params=[errno.EPERM, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def no_links(request, monkeypatch):
    def refuse(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("no_links")
def test_where_links_are_refused_a_file_is_still_saved_and_none_overwritten(tmp_path):
    files = WorkspaceFiles(tmp_path)

    names = [files.save("a.pdf", content).name for content in (b"one", b"two", b"one", b"two")]

    assert names == ["a.pdf", "a-2.pdf", "a.pdf", "a-2.pdf"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.pdf": b"one", "a-2.pdf": b"two"}


@pytest.mark.usefixtures("no_links")
def test_where_links_are_refused_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    synced, real = [], os.fsync

    def full_at_the_second(handle):
        synced.append(handle)
        if len(synced) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full_at_the_second)

    with pytest.raises(Transient, match="No space left"):
        WorkspaceFiles(tmp_path).save("a.pdf", b"one")
    assert list(tmp_path.iterdir()) == []


def test_another_refusal_to_link_is_no_reason_to_write_otherwise(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "link", refuse)

    with pytest.raises(Transient, match="Read-only"):
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
        answer = DeadlineHttp(5).request("GET", f"http://127.0.0.1:{server.server_port}/", reach=HERE)
        assert (answer.status, answer.content, answer.headers["location"]) == (status, b"answer", "/elsewhere")
    finally:
        server.server_close()


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        connection.sendall(b".")
        time.sleep(0.05)


def drip_headers(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(100):
        connection.sendall(b".")
        time.sleep(0.05)


def drip_without_a_length(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        connection.sendall(b".")
        time.sleep(0.05)


def flood(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"." * 40_000_000)


@pytest.mark.parametrize(
    ("body", "seconds", "verdict", "says"),
    [
        (drip, 0.5, Transient, "GET 127.0.0.1: no whole answer within 0.5 s"),
        (drip_headers, 0.5, Transient, "GET 127.0.0.1: no whole answer within 0.5 s"),
        (drip_without_a_length, 0.5, Transient, "GET 127.0.0.1: no whole answer within 0.5 s"),
        (flood, 30, InDoubt, "GET 127.0.0.1: an answer of over 16 MB"),
    ],
)
def test_http_ends_in_time_and_takes_no_more_than_its_limit(body, seconds, verdict, says):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                body(connection)

        thread = threading.Thread(target=answer)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(verdict) as raised:
            DeadlineHttp(seconds).request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", reach=HERE)
        took = time.monotonic() - begun
        thread.join(10)
    assert str(raised.value) == says
    assert took < seconds + 2


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)])
def test_retry_after_in_seconds(value, seconds):
    assert Answer(503, {"retry-after": value}, b"").retry_after == seconds


def test_http_without_an_answer_is_transient():
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))

        with pytest.raises(Transient, match="ConnectError"):
            DeadlineHttp(5).request("GET", f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/", reach=HERE)


def test_a_url_that_is_none_is_permanent():
    with pytest.raises(Permanent):
        DeadlineHttp(5).request("GET", "http://[::bad/")


@pytest.mark.parametrize(
    ("url", "verdict", "names"),
    [
        ("http://jo:hidden@127.0.0.1:{port}/hidden?key=hidden#hidden", Transient, "GET 127.0.0.1: ConnectError"),
        ("http://jo:hidden@[::bad/hidden?key=hidden", Permanent, "GET: not a URL"),
        ("http://127.0.0.1:hidden/hidden", Permanent, "GET 127.0.0.1: not a URL"),
    ],
)
def test_errors_name_method_and_host_and_nothing_of_a_url_that_may_be_secret(url, verdict, names):
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))

        with pytest.raises(verdict) as raised:
            DeadlineHttp(5).request("GET", url.format(port=nobody_listens.getsockname()[1]), reach=HERE)

    assert str(raised.value).startswith(names)
    assert "hidden" not in str(raised.value)
    assert "jo" not in str(raised.value)


def test_a_header_that_cannot_be_sent_is_not_shown():
    server = serve(200)
    try:
        with pytest.raises(Transient) as raised:
            DeadlineHttp(5).request(
                "GET", f"http://127.0.0.1:{server.server_port}/", headers={"X-Key": "hidden\n"}, reach=HERE
            )
    finally:
        server.server_close()

    assert str(raised.value) == "GET 127.0.0.1: LocalProtocolError"


def test_an_account_that_cannot_send_says_so(tmp_path):
    mail = EmailMessage()
    mail["From"], mail["To"] = "a@x.example", "b@x.example"

    with pytest.raises(Permanent, match="account 'a' has no `send:`"):
        AccountSender(Account("a"), tmp_path)(mail)
