"""What is common to checking servers: their name, the connection, the certificate, the log-in."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from mailrules.api import Check, Credential, NoCredential, PasswordCredential, PersonNeeded, Remark, Transient
from mailrules.builtin.line.tls import Server

SOON = 14
"""Days before the end of a certificate from which on it is told."""
LOOPBACK = ("127.", "::1")
PATIENCE = 5.0
"""Seconds at most that a server which has failed is waited for once more, to hear what it speaks."""
GREETINGS = ((b"* ", "IMAP"), (b"+OK", "POP3"), (b"220", "SMTP"), (b"HTTP/", "HTTP"))

Opened = TypeVar("Opened")


def reaching(server: Server) -> Iterator[Check]:
    """The name, and whether anything answers there."""
    yield Check("name", lambda: _resolved(server))
    yield Check("connection", lambda: _answers(server))


def _addresses(server: Server) -> list[str]:
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise server.person("not a host name", remedy="check `host:`") from error
    except socket.gaierror as error:
        raise server.person("host name not found", remedy="check `host:`, and the network of this machine") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _resolved(server: Server) -> str:
    addresses = _addresses(server)
    return f"{server.host} is {', '.join(addresses)}" if addresses != [server.host] else f"{server.host} is an address"


def _answers(server: Server) -> str:
    began = time.monotonic()
    with server.faults():
        try:
            line = server.connect(wrapped=False)
        except ConnectionRefusedError as error:
            raise server.person("connection refused", remedy="check `host:` and `port:`") from error
        except TimeoutError as error:
            reason = f"no answer within {server.timeout:g} s"
            raise server.person(
                reason, remedy="check `host:` and `port:`, and whether a firewall is between"
            ) from error
    with closing(line):
        return f"port {server.port} answers after {1000 * (time.monotonic() - began):.0f} ms"


def greeted(server: Server, protocol: str, connect: Callable[[], Opened]) -> Opened:
    """What *connect* gives; where it fails because something else than *protocol* is spoken there, that is said.

    Raises:
        PersonNeeded: it is another protocol's port, or one with TLS from the first octet.
        Transient: any other failure.
    """
    try:
        return connect()
    except Transient as error:
        spoken = _spoken(replace(server, timeout=min(server.timeout, PATIENCE)))
        if spoken == "TLS":
            reason, remedy = "TLS is spoken there from the first octet", "set `security: tls`, or check `port:`"
        elif spoken and spoken != protocol:
            reason, remedy = f"{spoken} is spoken there, and not {protocol}", "check `port:`"
        else:
            raise
        raise server.person(reason, remedy=remedy) from error


def _spoken(server: Server) -> str:
    """The protocol that a server greets in, or TLS where it waits for that; empty where nobody knows."""
    try:
        with closing(server.connect(wrapped=server.security == "tls")) as line:
            heard = line.recv(64)
        return next((name for beginning, name in GREETINGS if heard.startswith(beginning)), "")
    except TimeoutError:
        return "TLS" if server.security != "tls" and _takes_tls(server) else ""
    except (OSError, PersonNeeded):
        return ""  # the failure that brought us here is told


def _takes_tls(server: Server) -> bool:
    """Whether TLS can be begun there at once, whatever the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with closing(server.connect(wrapped=False)) as line, closing(context.wrap_socket(line)):
            return True
    except OSError:
        return False


def secured(server: Server, line: socket.socket) -> str | Remark:
    """How the line is encrypted, and by whose certificate."""
    if not isinstance(line, ssl.SSLSocket):
        if line.getpeername()[0].startswith(LOOPBACK):
            return "none, on this machine"
        return Remark("none: log-in and mail go in the clear", "set `security: tls` or `starttls` if the server has it")
    certificate = line.getpeercert() or {}
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    said = f"{line.version()}, certificate of {_subject(certificate)}, until {until:%Y-%m-%d}"
    left = (until - datetime.now(UTC)).days
    if left < SOON:
        return Remark(f"{said}: {left} days left", f"have the certificate of {server.host} renewed")
    return said


def _subject(certificate: object) -> str:
    assert isinstance(certificate, dict)
    names = dict(pair for part in certificate.get("subject", ()) for pair in part)
    alternatives = [value for _, value in certificate.get("subjectAltName", ())]
    return str(names.get("commonName") or ", ".join(alternatives) or "nobody")


def logged_in(credential: Credential) -> str:
    """As whom, and how."""
    if isinstance(credential, NoCredential):
        return "none"
    return f"as {credential.login} by {'password' if isinstance(credential, PasswordCredential) else 'access token'}"
