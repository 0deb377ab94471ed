"""The line to a server: how it is secured, and what each way it can fail means to the person who runs this."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta

from mailrules.api import Duration, Permanent, PersonNeeded, Refused, Transient
from mailrules.builtin.line.hints import asked_pause

if TYPE_CHECKING:
    import socket
    import ssl

Security = Literal["tls", "starttls", "none"]

Host: TypeAlias = Annotated[str, Meta(min_length=1, description="The server's name or address.")]
Port: TypeAlias = Annotated[
    int, Meta(ge=1, le=65535, description="The protocol's usual one for that security if left out.")
]
SecurityOption: TypeAlias = Annotated[
    Security,
    Meta(description="tls: from the first octet; starttls: switched on before the log-in, never without; none."),
]
Certificate: TypeAlias = Annotated[
    str,
    Meta(
        description="The only authority to trust, or the server's own certificate: a PEM file, or the PEM text itself."
    ),
]
Timeout: TypeAlias = Annotated[Duration, Meta(description="How long the server may stay silent.")]

_CAUSES = {
    10: ("has expired", "have the server's certificate renewed"),
    18: ("is self-signed", "name it as `certificate:` if it is the right one"),
    19: ("is signed by an unknown authority", "name the authority's as `certificate:` if it is the right one"),
    20: ("is signed by an unknown authority", "name the authority's as `certificate:` if it is the right one"),
    62: ("is for another host", "write the host as the certificate has it"),
    64: ("is for another address", "write the host as the certificate has it"),
}
"""OpenSSL's verification results (X509_V_ERR_*): what is wrong with the certificate, and the remedy."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and how the line to it is secured."""

    host: str
    port: int
    security: Security
    certificate: str = ""
    timeout: float = 30.0
    workspace: Path = Path()

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """What to trust: the system's authorities, or `certificate` alone.

        Raises:
            PersonNeeded: the certificate cannot be read.
        """
        import ssl

        if not self.certificate:
            return ssl.create_default_context()
        pasted = "-----BEGIN" in self.certificate
        path = self.workspace / Path(self.certificate).expanduser() if not pasted else None
        try:
            trusted = ssl.create_default_context(cafile=path, cadata=self.certificate if pasted else None)
        except OSError as error:  # ssl.SSLError is one
            reason = "holds no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise PersonNeeded(
                f"certificate {path or '(pasted)'}: {reason}", remedy="give the path of a PEM file, or its text"
            ) from error
        # What an admin names is trusted as it is: a server's own certificate, or an old authority with lax extensions.
        trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not trusted.cert_store_stats()["x509_ca"]:
            trusted.check_hostname = False  # no authority among them: this very certificate, whatever name it bears
        return trusted

    def connect(self, *, wrapped: bool) -> socket.socket:
        """A connection, under TLS at once if *wrapped*; each step may take `timeout`.

        Raises:
            OSError: any failure; `fault` says it in words.
        """
        import socket

        try:
            line = socket.create_connection((self.host, self.port), self.timeout)
        except UnicodeError as error:
            raise self.person("not a host name", remedy="check `host:`") from error
        keep_alive(line)
        return self.encrypt(line) if wrapped else line

    def encrypt(self, line: socket.socket) -> socket.socket:
        """The same connection under TLS; closed if that fails."""
        try:
            return self._context().wrap_socket(line, server_hostname=self.host)
        except BaseException:
            line.close()
            raise

    def _context(self) -> ssl.SSLContext:
        """As `context`, but one that others use too; a new one when the authorities have changed."""
        import ssl

        system = ssl.get_default_verify_paths()
        is_path = self.certificate and "-----BEGIN" not in self.certificate
        named = self.workspace / Path(self.certificate).expanduser() if is_path else None
        return _shared(self.certificate, self.workspace, tuple(map(_stamp, (system.cafile, system.capath, named))))

    def transient(self, reason: object) -> Transient:
        """A failure that may pass, naming the server; where that asks to be left alone for a while, `after` says so."""
        said = one_line(reason)
        return Transient(f"{self}: {said}", after=asked_pause(said))

    def person(self, reason: object, *, remedy: str) -> PersonNeeded:
        """A failure that stays until somebody acts, naming the server."""
        return PersonNeeded(f"{self}: {_unstopped(one_line(reason))}", remedy=remedy)

    def refused(self, login: str, said: object, *, remedy: str = "check `login` and `password`") -> Refused:
        """The server does not take the credential, in its own words."""
        return Refused(f"{self}: log-in as {login} refused: {_unstopped(one_line(said, 400))}", remedy=remedy)

    @contextlib.contextmanager
    def faults(self) -> Iterator[None]:
        """Every failure within, as `Transient` or `PersonNeeded` of this server."""
        try:
            yield
        except (Transient, Permanent):
            raise
        except Exception as error:
            raise self.fault(error) from error

    def fault(self, error: Exception) -> Exception:
        """*error* of a connection as `Transient` or `PersonNeeded` with one clear line."""
        import ssl

        if isinstance(error, Transient | Permanent):
            return error
        if isinstance(error, ssl.SSLCertVerificationError):
            wrong, remedy = _CAUSES.get(error.verify_code, (error.verify_message, "see to the server's certificate"))
            return self.person(f"the certificate {wrong}", remedy=remedy)
        if isinstance(error, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(error):
            return self.person("no TLS spoken there", remedy="check `port:`, or set `security: starttls`")
        return self.transient(self._reason(error))

    def _reason(self, error: Exception) -> str:
        import socket
        import ssl

        from mailrules.builtin.line.wire import TooSlow

        if isinstance(error, socket.gaierror):
            return "host name not found"
        if isinstance(error, TooSlow):
            return words(error)
        if isinstance(error, TimeoutError):
            return f"no answer within {self.timeout:g} s"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused"
        if isinstance(error, ConnectionError | ssl.SSLEOFError | EOFError):
            return "the server broke the connection off"
        if isinstance(error, ValueError | TypeError | LookupError | AttributeError | AssertionError):
            return f"its answer cannot be understood ({type(error).__name__})"  # by the library that reads it
        return getattr(error, "strerror", None) or words(error) or f"unexpected {type(error).__name__}"


@lru_cache(maxsize=64)
def _shared(certificate: str, workspace: Path, _stamps: tuple[int, ...]) -> ssl.SSLContext:
    """One for many connections: each holds all authorities, which takes half a megabyte."""
    return Server("", 0, "tls", certificate, workspace=workspace).context()


def _stamp(path: str | Path | None) -> int:
    """When the file was last changed; 0 of none."""
    with contextlib.suppress(OSError):
        return Path(path).stat().st_mtime_ns if path else 0
    return 0


def keep_alive(line: socket.socket) -> None:
    """Have the system notice within minutes that the other end has gone, and send small commands at once."""
    import socket

    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 120), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):  # not every system lets one choose
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def senseless(error: Exception) -> bool:
    """Whether a failure is that the server said what makes no sense, or more than is sane."""
    from mailrules.builtin.line.wire import Nonsense

    return isinstance(error.__cause__, Nonsense)


def one_line(text: object, limit: int = 200) -> str:
    """What a server said, fit for one line: decoded, printable, at most *limit* characters."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    clean = re.sub(r"[^\S ]+|[^\x20-\x7e\xa0-\U0010ffff]+", " ", str(text)).strip()
    return clean if len(clean) <= limit else clean[: limit - 3] + "..."


def _unstopped(text: str) -> str:
    """Without the full stop at its end: what to do comes after it, on the same line."""
    return text if text.endswith("..") else text.removesuffix(".")


def words(error: Exception) -> str:
    """What an error of a protocol library says, without what the library puts around it."""
    said = one_line(error.args[-1] if error.args else "")
    said = re.sub(r"^command: \w+ => |^\w+ failed: ", "", said)
    return said[2:-1] if re.fullmatch(r"b(['\"]).*\1", said) else said
