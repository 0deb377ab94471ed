"""Where requests may go: not into our own network, unless it is allowed, whatever a name is said to be."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading

import pytest
from tests.servers.place import sign

from mailrules.api import Answer, Permanent, Reach, Transient
from mailrules.engine.http import DeadlineHttp
from mailrules.engine.reach import permitted

OURS = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:0a00:0001::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "fec0::1",
    "192.88.99.1",
    "64:ff9b:1::7f00:1",
    "::ffff:0:7f00:1",
    "3fff::1",
]


@pytest.mark.parametrize("number", OURS)
def test_an_address_of_our_own_network_is_refused_unless_all_are_allowed(number):
    assert not permitted(number, Reach())
    assert permitted(number, Reach(private=True))


@pytest.mark.parametrize("number", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_internet_may_be_asked(number):
    assert permitted(number, Reach())


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("10.1.2.3", True),
        ("10.9.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("192.168.1.1", True),
        ("192.168.1.2", False),
        ("fd00::5", True),
        ("127.0.0.1", False),
    ],
)
def test_networks_and_addresses_are_allowed_one_by_one(number, allowed):
    assert permitted(number, Reach(private=("10.1.0.0/16", "192.168.1.1", "fd00::/64"))) is allowed


class Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.hosts.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as answering:
        answering.hosts = []
        threading.Thread(target=answering.serve_forever, args=(0.01,), daemon=True).start()
        yield answering
        answering.shutdown()


@pytest.fixture
def names(monkeypatch):
    """A resolver that says what the test says, and counts how often it is asked."""
    table, asked, real = {}, [], socket.getaddrinfo

    def look_up(host, port, *how, **named):
        if host not in table:
            return real(host, port, *how, **named)
        asked.append(host)
        answers = table[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    table["asked"] = asked
    return table


def ask(url, **reach):
    return DeadlineHttp(5).request("GET", url, reach=Reach(**reach))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_asked_however_it_is_written(server, host):
    with pytest.raises(Permanent, match="allow_private"):
        ask(f"http://{host}:{server.server_port}/")
    assert server.hosts == []


def test_a_name_that_leads_into_our_network_is_refused(server, names):
    names["hook.example"] = [["127.0.0.1"]]

    with pytest.raises(Permanent, match=r"^hook\.example is this machine \(loopback\): write `allow_private:`"):
        ask(f"http://hook.example:{server.server_port}/")
    assert server.hosts == []


def test_a_name_is_looked_up_once_so_that_it_cannot_become_another_machine_meanwhile(server, names):
    names["hook.example"] = [["192.0.2.1"], ["127.0.0.1"]]

    with pytest.raises(Permanent):
        ask(f"http://hook.example:{server.server_port}/")
    assert names["asked"] == ["hook.example"]
    assert server.hosts == []


@pytest.mark.parametrize("allowed", [True, ("hook.example",), ("*.EXAMPLE",), ("127.0.0.0/8",), ("127.0.0.1",)])
def test_what_is_allowed_is_asked_under_its_own_name(server, names, allowed):
    names["hook.example"] = [["127.0.0.1"]]

    assert ask(f"http://hook.example:{server.server_port}/", private=allowed).content == b"here"
    assert [f"hook.example:{server.server_port}"] == server.hosts


def test_the_next_address_is_tried_where_one_is_away(server, names):
    names["hook.example"] = [["127.0.0.2", "127.0.0.1"]]

    assert ask(f"http://hook.example:{server.server_port}/", private=True).content == b"here"


def test_of_several_addresses_only_those_allowed_are_asked(server, names):
    names["hook.example"] = [["127.0.0.1", "127.0.0.2"]]

    with pytest.raises(Transient, match="ConnectError"):
        ask(f"http://hook.example:{server.server_port}/", private=("127.0.0.2",))
    assert server.hosts == []


def test_a_name_that_is_not_there_may_be_there_later():
    with pytest.raises(Transient, match="host name not found"):
        ask("http://nobody.invalid/")


def test_proxies_of_the_environment_are_not_used_and_one_that_is_said_is(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ask(f"http://127.0.0.1:{server.server_port}/", private=True).content == b"here"

    assert ask("http://elsewhere.example/x", proxy=f"http://127.0.0.1:{server.server_port}").content == b"here"
    assert server.hosts[-1] == "elsewhere.example"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "a.localhost.", "127.1", "2130706433", "0x7f.1", "[fd00::1]"]
)
def test_a_proxy_is_asked_for_no_address_of_our_own_network(server, host):
    proxy = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(Permanent, match="write `allow_private:` if it is meant"):
        ask(f"http://{host}:{server.server_port}/", proxy=proxy)
    assert server.hosts == []
    assert ask(f"http://{host}:{server.server_port}/", proxy=proxy, private=True).content == b"here"


@pytest.fixture
def encrypted(server, tmp_path):
    """The same under TLS, with a certificate of its own for hook.example; keeps the names that it is greeted by."""
    sign(tmp_path, "hook", "hook.example", "-addext", "subjectAltName=DNS:hook.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "hook.crt", tmp_path / "hook.key")
    server.greeted = []
    context.sni_callback = lambda _socket, name, _context: server.greeted.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def test_under_tls_the_certificate_is_the_names_although_the_number_is_connected_to(encrypted, names, tmp_path):
    names["hook.example"] = names["other.example"] = [["127.0.0.1"]]
    https, reach = DeadlineHttp(5, tmp_path), Reach(private=True, certificate="hook.crt")
    port = encrypted.server_port

    assert https.request("GET", f"https://hook.example:{port}/", reach=reach).content == b"here"
    assert encrypted.greeted == ["hook.example"]
    with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
        https.request("GET", f"https://other.example:{port}/", reach=reach)


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_it_is_given(encrypted, names):
    names["hook.example"] = [["127.0.0.1"]]

    with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
        ask(f"https://hook.example:{encrypted.server_port}/", private=True)


def test_a_moment_to_come_back_at_counts_by_the_clock_that_wrote_it():
    headers = {"retry-after": "Mon, 02 Mar 2099 10:00:00 GMT", "date": "Mon, 02 Mar 2099 09:59:00 GMT"}

    assert Answer(503, headers, b"").retry_after == 60
