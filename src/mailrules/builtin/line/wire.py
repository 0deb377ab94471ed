"""Octets to and from a server: limits on what it may send, deadlines for each answer, TLS without injection.

The protocol libraries of the standard library work on it in the place of a socket and of the file they make of one.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailrules.builtin.line.tls import Server

MIB = 1 << 20
SLOWEST = 4096
"""Octets a second that a server must manage on average, beyond a grace of four times the time-out."""
_READ = 1 << 18


@dataclass(frozen=True, slots=True)
class Limits:
    """What the answer to one command may come to."""

    line: int = MIB
    literal: int = 16 * MIB
    total: int = 16 * MIB
    responses: int = 50_000


ORDINARY = Limits(responses=10_000)


class Nonsense(Exception):  # noqa: N818 - what it is, not what it does to us
    """The server says what the protocol does not allow, or more than is sane."""


class TooSlow(TimeoutError):  # noqa: N818 - as above
    """The server sends, but so little that its answer would never end."""


class Wire:
    """A connection. Reading raises `Nonsense` beyond the limits, OSError for what the network does."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.sock = sock
        self.closed = False
        self._server = server
        self._data = b""
        self._at = 0
        """Where in `_data` the octets begin that nobody has taken."""
        self.allow(ORDINARY)

    @contextlib.contextmanager
    def talking(self) -> Iterator[None]:
        """A conversation: every failure within is one of this server, and the end of the connection.

        What comes after a failure could be taken for the answer to something else, a message's text for a response.
        """
        with self._server.faults():
            try:
                yield
            except BaseException:
                self.close()
                raise

    @property
    def waiting(self) -> bool:
        """Whether octets are here that nobody has read."""
        return self._at < len(self._data)

    def allow(self, limits: Limits, timeout: float | None = None) -> None:
        """From here on the answer to a command is read; it may come to so much, and be so long in coming."""
        self.limits, self._used, self._since = limits, 0, time.monotonic()
        self._timeout = timeout or self._server.timeout

    def makefile(self, _mode: str = "rb") -> Wire:
        """What poplib and smtplib read from: itself, as it stands in for the socket."""
        return self

    def sendall(self, data: bytes) -> None:
        """All of *data*, within the time-out."""
        if self.closed:
            raise ConnectionAbortedError
        self.sock.settimeout(self._timeout)
        self.sock.sendall(data)

    def read(self, size: int) -> bytes:
        """So many octets."""
        if size > self.limits.literal:
            raise Nonsense(f"it announces {size} octets in one piece, over the limit of {self.limits.literal}")
        taken = self._take(self._at + size)
        if len(taken) == size:
            return taken
        pieces, missing = [taken], size - len(taken)
        while missing:
            self._fill()
            pieces.append(self._take(missing))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def readline(self, _limit: int = 0) -> bytes:
        """A line with its end; the limit is ours and not the caller's."""
        if (end := self._data.find(b"\n", self._at)) >= 0:
            return self._take(end + 1)
        pieces = [self._take(len(self._data))]
        length = len(pieces[0])
        while not pieces[-1].endswith(b"\n"):
            if length > self.limits.line:
                raise Nonsense(f"it sends a line of more than {self.limits.line} octets")
            self._fill()
            end = self._data.find(b"\n")
            pieces.append(self._take(end + 1 or len(self._data)))
            length += len(pieces[-1])
        return b"".join(pieces)

    def read_dotted(self) -> bytes:
        """Lines up to one with a dot alone, other leading dots taken off (RFC 1939, section 3)."""
        lines = []
        while (line := self.readline()) not in {b".\r\n", b".\n"}:
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def lines_here(self) -> Iterator[bytes]:
        """The whole lines that are here, TLS's own buffer included, without waiting; a part of a line stays.

        Raises:
            EOFError: the other side has closed, after the last line.
        """
        more = True
        while more:
            more = self._receive_here()
            while (end := self._data.find(b"\n", self._at)) >= 0:
                yield self._take(end + 1)
            if len(self._data) - self._at > self.limits.line:
                raise Nonsense(f"it sends a line of more than {self.limits.line} octets")
            self._data, self._at = self._data[self._at :], 0

    def _receive_here(self) -> bool:
        """Add what is here to what nobody has taken; whether there may be more."""
        import ssl

        self.sock.settimeout(0)
        try:
            received = self.sock.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        if not received:
            raise EOFError
        self._data, self._at = self._data[self._at :] + received, 0
        return True

    def encrypt(self) -> None:
        """Go on under TLS; what came before it is not believed (RFC 9051, section 11.1)."""
        if self.waiting:
            raise Nonsense("it sent something between STARTTLS and the handshake")
        self.sock = self._server.encrypt(self.sock)

    def close(self) -> None:
        """Hang up. Never raises."""
        self.closed = True
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.sock.close()

    def _take(self, end: int) -> bytes:
        """What is there, at most up to *end* of `_data`."""
        taken = self._data[self._at : end]
        self._at += len(taken)
        self._used += len(taken)
        if self._used > self.limits.total:
            raise Nonsense(f"it sends more than {self.limits.total} octets to one command")
        return taken

    def _fill(self) -> None:
        """More octets, when all that were there are taken."""
        grace = 4 * self._timeout + self._used / SLOWEST
        left = self._since + grace - time.monotonic()
        self.sock.settimeout(max(min(left, self._timeout), 0.001))
        try:
            self._receive()
        except TimeoutError:
            if left < self._timeout:
                raise TooSlow(f"it sends too slowly: no whole answer after {grace:.3g} s") from None
            raise

    def _receive(self) -> None:
        self._data, self._at = self.sock.recv(_READ), 0
        if not self._data:
            raise EOFError
