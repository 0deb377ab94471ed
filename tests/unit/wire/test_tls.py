"""What a client trusts, and how it says that it does not: against a real server's certificates."""

from __future__ import annotations

import contextlib
import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.servers.place import sign

from mailrules.api import PasswordCredential, PersonNeeded, Place, Secret, Transient, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.line.tls import Server
from mailrules.builtin.pop3.protocol import POP3


def log_in(protocol, mailbox, *, workspace=Path(), **options):
    raw = {"host": "localhost", "timeout": "5s", **options}
    credential = PasswordCredential(mailbox.user, Secret(mailbox.password))
    with closing(
        protocol.open(build_options(protocol.options, raw, root=workspace), credential, Place(workspace))
    ) as box:
        return list(box.refs(unseen_only=False))


@pytest.mark.parametrize("protocol", [IMAP, POP3], ids=["imap", "pop3"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
class TestTrusted:
    def ports(self, dovecot, protocol, security):
        return {(IMAP, "tls"): dovecot.imaps, (IMAP, "starttls"): dovecot.imap, (POP3, "tls"): dovecot.pop3s}.get(
            (protocol, security), dovecot.pop3
        )

    def test_an_authority_named_by_path_from_the_workspace(self, dovecot, mailbox, protocol, security):
        port = self.ports(dovecot, protocol, security)
        found = log_in(
            protocol, mailbox, workspace=dovecot.ca.parent, port=port, security=security, certificate=dovecot.ca.name
        )
        assert found == []

    def test_an_authority_pasted_as_text(self, dovecot, mailbox, protocol, security):
        port = self.ports(dovecot, protocol, security)
        assert log_in(protocol, mailbox, port=port, security=security, certificate=dovecot.ca.read_text()) == []

    def test_the_servers_own_certificate(self, dovecot, mailbox, protocol, security):
        own = dovecot.ca.with_name("server.crt")
        port = self.ports(dovecot, protocol, security)
        assert log_in(protocol, mailbox, port=port, security=security, certificate=str(own)) == []

    def test_nothing_named_and_unknown_to_the_system(self, dovecot, mailbox, protocol, security):
        port = self.ports(dovecot, protocol, security)
        with pytest.raises(PersonNeeded, match="the certificate is signed by an unknown authority") as raised:
            log_in(protocol, mailbox, port=port, security=security)
        assert "certificate:" in raised.value.remedy


def test_another_hosts_certificate(dovecot, mailbox):
    with pytest.raises(PersonNeeded, match="the certificate is for another host") as raised:
        log_in(IMAP, mailbox, host="127.1", port=dovecot.imaps, certificate=str(dovecot.ca))
    assert "host" in raised.value.remedy


AUTHORITY = """
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[names]
subjectAltName = DNS:localhost
"""
REQUEST = """openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes
    -subj /CN=localhost -keyout cert.key -out request.pem"""
EXPIRED = """openssl ca -batch -config ca.conf -selfsign -keyfile cert.key -in request.pem -extensions names
    -startdate 20200101000000Z -enddate 20200102000000Z -notext -out cert.crt"""


@contextlib.contextmanager
def speaking_tls(folder, name):
    """A server with the certificate and key of that name; gives its port."""
    serve = ["openssl", "s_server", "-accept", "0", "-cert", f"{name}.crt", "-key", f"{name}.key", "-www"]
    with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        yield next(int(line.rsplit(":", 1)[1]) for line in server.stdout if line.startswith("ACCEPT"))
        server.terminate()


class TestPinned:
    """A server's own certificate, signed by nobody else: that it is that one is all that counts."""

    @pytest.fixture
    def folder(self, tmp_path):
        plain = ("-addext", "basicConstraints=critical,CA:FALSE")
        for name, subject, more in (("own", "box", plain), ("other", "box", plain), ("authority", "box", ())):
            sign(tmp_path, name, subject, "-addext", f"subjectAltName=DNS:{subject}", *more)
        return tmp_path

    @pytest.fixture
    def port(self, folder):
        with speaking_tls(folder, "own") as port:
            yield port

    @staticmethod
    def connect(port, certificate):
        server = Server(host="localhost", port=port, security="tls", certificate=certificate, timeout=5)
        with server.faults(), closing(server.connect(wrapped=True)) as line:
            return line.version()

    def test_named_by_its_file_whatever_the_host_is_called(self, folder, port):
        assert self.connect(port, str(folder / "own.crt")) == "TLSv1.3"

    def test_pasted_whatever_the_host_is_called(self, folder, port):
        assert self.connect(port, (folder / "own.crt").read_text()) == "TLSv1.3"

    def test_another_one_of_the_same_name_is_refused(self, folder, port):
        with pytest.raises(PersonNeeded, match="the certificate is self-signed"):
            self.connect(port, str(folder / "other.crt"))

    def test_beside_an_authority_the_name_counts(self, folder, port):
        both = (folder / "own.crt").read_text() + (folder / "authority.crt").read_text()
        with pytest.raises(PersonNeeded, match="the certificate is for another host"):
            self.connect(port, both)

    def test_one_that_may_sign_others_is_an_authority(self, folder):
        with (
            speaking_tls(folder, "authority") as port,
            pytest.raises(PersonNeeded, match="the certificate is for another host"),
        ):
            self.connect(port, str(folder / "authority.crt"))


@pytest.fixture
def expired(tmp_path):
    """A server with a self-signed certificate of long ago, as (port, certificate)."""
    (tmp_path / "ca.conf").write_text(AUTHORITY)
    (tmp_path / "index.txt").touch()
    for command in (REQUEST, EXPIRED):
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    with speaking_tls(tmp_path, "cert") as port:
        yield port, tmp_path / "cert.crt"


def test_a_certificate_whose_time_is_over(expired):
    port, certificate = expired
    server = Server(host="localhost", port=port, security="tls", certificate=str(certificate), timeout=5)

    with pytest.raises(PersonNeeded, match="the certificate has expired") as raised, server.faults():
        server.connect(wrapped=True)

    assert "renewed" in raised.value.remedy


@pytest.mark.parametrize(
    ("certificate", "says"),
    [("missing.pem", "missing.pem: No such file"), ("text.pem", "holds no PEM certificate")],
)
def test_a_certificate_that_cannot_be_read(tmp_path, certificate, says):
    (tmp_path / "text.pem").write_text("no certificate")
    server = Server(host="localhost", port=1, security="tls", certificate=certificate, workspace=tmp_path)

    with pytest.raises(PersonNeeded, match=says):
        server.context()


@pytest.mark.parametrize(
    ("host", "kind", "says"),
    [
        ("no-such-host.invalid", Transient, "host name not found"),
        ("a" * 70 + ".example", PersonNeeded, "not a host name"),
        ("127.0.0.1", Transient, "connection refused"),
    ],
)
def test_a_server_that_is_not_there(host, kind, says):
    server = Server(host=host, port=1, security="none", timeout=2)

    with pytest.raises(kind, match=says) as raised, server.faults():
        server.connect(wrapped=False)

    assert str(raised.value).startswith(f"{host}:1: ")


def test_connections_share_what_they_trust_until_the_file_changes(tmp_path, dovecot):
    authority = tmp_path / "ca.pem"
    authority.write_bytes(dovecot.ca.read_bytes())
    server = Server("x.example", 993, "tls", "ca.pem", workspace=tmp_path)
    first = server._context()

    assert server._context() is first
    os.utime(authority, (1, 1))
    assert server._context() is not first
    assert server.context() is not server.context()
