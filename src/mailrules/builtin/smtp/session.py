"""A connection to an SMTP server, encrypted and logged in as asked."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from base64 import b64encode
from typing import TypeAlias

from mailrules.api import NoCredential, PasswordCredential, Permanent, TokenCredential, Transient
from mailrules.builtin.line.bearer import Outcome, log_in_by_token
from mailrules.builtin.line.hints import asked_pause
from mailrules.builtin.line.tls import Server, one_line
from mailrules.builtin.line.wire import ORDINARY, Wire

Reply: TypeAlias = tuple[int, bytes | str]
Shown: TypeAlias = NoCredential | PasswordCredential | TokenCredential


class Smtp(smtplib.SMTP):
    """smtplib on a wire of ours: deadlines, STARTTLS without injection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        own = socket.gethostname()
        try:
            super().__init__(server.host, server.port, local_hostname=own if "." in own else "[127.0.0.1]")
        except BaseException:
            if hasattr(self, "wire"):
                self.wire.close()
            raise

    def _get_socket(self, _host: str, _port: int, _timeout: object) -> Wire:
        self.wire = Wire(self._server, self._server.connect(wrapped=self._server.security == "tls"))
        return self.wire

    def getreply(self) -> tuple[int, bytes]:
        """One reply, within the time-out."""
        self.wire.allow(ORDINARY)
        return super().getreply()

    def final_reply(self) -> tuple[int, bytes]:
        """The reply that says whether the message was taken: servers may take long (RFC 5321, section 4.5.3.2.6)."""
        self.wire.allow(ORDINARY, 10 * self._server.timeout)
        return super().getreply()

    def encrypt(self) -> None:
        """Go on under TLS (RFC 3207), asking anew what the server can do."""
        self.wire.encrypt()
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self.ehlo_or_helo_if_needed()


def connect(server: Server, credential: Shown) -> Smtp:
    """Connect, encrypt, log in.

    Raises:
        Transient: the server is away, slow, confused or busy.
        PersonNeeded: the password, the certificate or the security asked for is wrong.
    """
    smtp = greet(server)
    try:
        log_in(smtp, server, credential)
    except BaseException:
        smtp.wire.close()
        raise
    return smtp


def greet(server: Server) -> Smtp:
    """Connect and encrypt; raises as `connect`."""
    with smtp_faults(server):
        smtp = Smtp(server)
    try:
        with smtp_faults(server):
            smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            _encrypt(smtp, server)
    except BaseException:
        smtp.wire.close()
        raise
    return smtp


def log_in(smtp: Smtp, server: Server, credential: Shown) -> None:
    """Show the credential, if there is one; raises as `connect`."""
    if isinstance(credential, TokenCredential):
        with smtp_faults(server):
            _show(smtp, server, credential)
    elif isinstance(credential, PasswordCredential):
        _log_in(smtp, server, credential)


class smtp_faults(contextlib.AbstractContextManager[None]):  # noqa: N801 - used as a word
    """Every failure within, as `Transient`, `Permanent` or `PersonNeeded` of this server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Say in words what smtplib says in classes."""
        if isinstance(error, Transient | Permanent):
            return
        if isinstance(error, smtplib.SMTPResponseException):
            raise refusal(self._server, (error.smtp_code, error.smtp_error)) from error
        if isinstance(error, smtplib.SMTPServerDisconnected):
            cause = error.__context__ if isinstance(error.__context__, OSError) else EOFError()
            raise self._server.fault(cause) from error
        if isinstance(error, Exception):
            raise self._server.fault(error) from error


def refusal(server: Server, reply: Reply, about: str = "") -> Transient | Permanent:
    """A reply of 4yz or 5yz (RFC 5321, section 4.2.1), in the server's words."""
    code, text = reply
    said = f"{server}: {about}{code} {one_line(text)}"
    if 500 <= code < 600:
        return Permanent(said)
    # Only what is about us and now, RFC 5321, section 4.2.3, and RFC 3463, section 3.8, is a word to leave it alone.
    throttled = code == 421 or one_line(text).startswith("4.7.")
    return Transient(said, after=asked_pause(said) if throttled else None)


def _encrypt(smtp: Smtp, server: Server) -> None:
    if not smtp.has_extn("starttls"):
        raise server.person("no STARTTLS offered", remedy="set `security: tls`, or `none` if the network is trusted")
    with smtp_faults(server):
        reply = smtp.docmd("STARTTLS")
        if reply[0] != 220:
            raise refusal(server, reply, "STARTTLS: ")
        smtp.encrypt()


def _log_in(smtp: Smtp, server: Server, credential: PasswordCredential) -> None:
    login, password = credential.login, credential.password.reveal()
    if not smtp.has_extn("auth"):
        raise server.person("it takes no log-in", remedy="check `port:` and `security:`, or set `auth: {none: {}}`")
    try:
        _authenticate(smtp, login, password)
    except smtplib.SMTPResponseException as error:
        text = one_line(error.smtp_error).replace(password, "***")
        if 400 <= error.smtp_code < 500:
            raise server.transient(f"no log-in now: {error.smtp_code} {text}") from None
        raise server.refused(login, f"{error.smtp_code} {text}") from None
    except smtplib.SMTPNotSupportedError:
        raise server.person("it takes no password", remedy="set `security: tls` or `starttls`") from None
    except UnicodeError:
        raise server.person("it takes ASCII passwords only", remedy="choose another password") from None
    except Exception as error:
        raise server.fault(error) from None  # the chain may hold the command


def _show(smtp: Smtp, server: Server, credential: TokenCredential) -> None:
    def exchange(line: str) -> tuple[Outcome, bytes]:
        code, text = smtp.docmd(line)
        known: dict[int, Outcome] = {235: "in", 503: "in", 334: "more"}
        words = text if code == 334 else f"{code} ".encode() + text
        return known.get(code, "later" if 400 <= code < 500 else "no"), words

    offered = smtp.esmtp_features.get("auth", "").split()
    # RFC 5321, section 4.5.3.1.4: a command line has 512 octets at most.
    log_in_by_token(server, credential, offered=offered, command="AUTH", longest=510, exchange=exchange)


def _authenticate(smtp: Smtp, login: str, password: str) -> None:
    if "PLAIN" not in smtp.esmtp_features["auth"].upper().split():
        smtp.login(login, password)
        return
    # smtplib's own PLAIN takes ASCII only; RFC 4616 wants UTF-8.
    code, text = smtp.docmd("AUTH", "PLAIN " + b64encode(f"\0{login}\0{password}".encode()).decode())
    if code not in {235, 503}:
        raise smtplib.SMTPAuthenticationError(code, text)
