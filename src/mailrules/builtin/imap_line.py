"""The line under the IMAP client: limits on what a server may send, deadlines, and answers read as they come.

It sits in the documented override points of imaplib (open, read, readline, send, shutdown), which gives imapclient what
it lacks: bounded memory and time, STARTTLS without injection, an IDLE that misses nothing and notices the end.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailrules.builtin.tls import Server, one_line

if TYPE_CHECKING:
    import ssl

MIB = 1 << 20
SLOWEST = 4096
"""Octets a second that a server must manage on average, beyond a grace of four times the time-out."""

_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_COUNT = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)\r\n", re.IGNORECASE)
_KIND = re.compile(rb"\* (?:\d+ )?([A-Za-z-]+)")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the answer to one command may come to."""

    line: int = MIB
    literal: int = 16 * MIB
    total: int = 16 * MIB
    responses: int = 50_000


ORDINARY = Limits()


class Nonsense(imaplib.IMAP4.abort):
    """The server says what the protocol does not allow, or more than is sane."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a command brought."""

    status: str
    """OK, NO or BAD."""
    text: bytes
    """What follows it, response code included."""
    responses: tuple[tuple[bytes, ...], ...] = ()
    """Untagged ones of the kinds asked for: text, and after it by turns a literal and more text."""
    codes: tuple[bytes, ...] = ()
    """Texts of untagged OK, NO and BAD, where COPYUID may stand too (RFC 6851, section 4.3)."""


class Line(imaplib.IMAP4):
    """A connection to an IMAP server (RFC 3501, RFC 9051)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = bytearray()
        self._limits = ORDINARY
        self._used = 0
        self._since = time.monotonic()
        self._numbered = 0
        self.exists = 0
        self.came = 0
        """Messages that the server told of since this was last set to 0."""
        super().__init__(server.host, server.port)

    # What imaplib lets one override.

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:  # noqa: ARG002 - the server knows
        """Connect."""
        self.host, self.port = host, port
        self.sock = self._server.connect(wrapped=self._server.security == "tls")

    def read(self, size: int) -> bytes:
        """A literal."""
        if size > self._limits.literal:
            raise Nonsense(f"it announces {size} octets in one piece, over the limit of {self._limits.literal}")
        pieces = [self._take(min(size, len(self._buffer)))]
        missing = size - len(pieces[0])
        while missing:
            self._fill()
            pieces.append(self._take(min(missing, len(self._buffer))))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def readline(self) -> bytes:
        """A line with its end."""
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if seen > self._limits.line:
                raise Nonsense(f"it sends a line of more than {self._limits.line} octets")
            self._fill()
        return self._take(end + 1)

    def send(self, data: Any) -> None:
        """All of *data*, within the time-out."""
        self.sock.settimeout(self._server.timeout)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Close. Never raises."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.sock.close()

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:  # noqa: ARG002 - the server knows
        """Go on under TLS; what came before it is not believed (RFC 9051, section 11.1)."""
        status, data = self._simple_command("STARTTLS")
        if status != "OK":
            raise self.error("STARTTLS refused")
        if self._buffer:
            raise Nonsense("it sent something between STARTTLS and the handshake")
        self.sock = self._server.encrypt(self.sock)
        self._tls_established = True
        self.untagged_responses.clear()
        self._get_capabilities()
        return status, data

    def _command(self, name: str, *args: Any) -> bytes:
        self._allow(ORDINARY)
        tag: bytes = super()._command(name, *args)  # type: ignore[misc]  # not in the published types
        return tag

    # Commands of our own: answers are read here, not gathered by imaplib.

    def exchange(self, command: bytes, *, keep: bytes = b"", limits: Limits = ORDINARY) -> Answer:
        """Send *command*, read to its end. Untagged responses of the kind *keep* are given, the others only noted.

        Raises:
            imaplib.IMAP4.abort: the server broke off, said goodbye or talked nonsense.
            OSError: the line failed.
        """
        tag = self._begin(command, limits)
        kept: list[tuple[bytes, ...]] = []
        codes: list[bytes] = []
        while not (line := self.readline()).startswith(tag):
            response = self._whole(line)
            kind = self._note(response[0])
            if kind == keep:
                kept.append(response)
            elif kind in {b"OK", b"NO", b"BAD"}:
                codes.append(response[0][2:].strip())
            if len(kept) + len(codes) > limits.responses:
                raise Nonsense(f"it sends more than {limits.responses} responses to one command")
        status, _, text = line[len(tag) :].strip().partition(b" ")
        return Answer(status.decode("ascii", "replace").upper(), text, tuple(kept), tuple(codes))

    def listen(self, seconds: float) -> None:
        """Listen (RFC 2177) until `came` is no longer 0, at most so long."""
        tag = self._begin(b"IDLE", ORDINARY)
        while not (line := self.readline()).startswith(b"+"):
            if line.startswith(tag):
                raise self.error(f"IDLE refused: {one_line(line[len(tag) :])}")
            self._note(line)
        end = time.monotonic() + seconds
        while not self.came and self._arrived(end):
            self._allow(ORDINARY)
            self._note(self.readline())
        self._allow(ORDINARY)
        self.send(b"DONE\r\n")
        while not (line := self.readline()).startswith(tag):
            self._note(line)

    def _begin(self, command: bytes, limits: Limits) -> bytes:
        self._allow(limits)
        self._numbered += 1
        tag = b"M%d " % self._numbered
        self.send(tag + command + b"\r\n")
        return tag

    def _whole(self, line: bytes) -> tuple[bytes, ...]:
        parts: list[bytes] = []
        while found := _LITERAL.search(line):
            parts += (line, self.read(int(found[1])))
            line = self.readline()
        return (*parts, line)

    def _note(self, line: bytes) -> bytes:
        """Keep count of the folder, and give the kind of response."""
        if found := _KIND.match(line):
            kind = found[1].upper()
            if kind == b"BYE":
                raise self.abort(f"the server says goodbye: {one_line(line[5:])}")
            if kind in {b"EXISTS", b"EXPUNGE"} and (count := _COUNT.match(line)):
                self._count(int(count[1]), kind)
            return kind
        raise Nonsense(f"it answers {one_line(line, 80)!r}")

    def _count(self, number: int, kind: bytes) -> None:
        if kind == b"EXPUNGE":
            self.exists -= 1
        else:
            self.came += max(0, number - self.exists)
            self.exists = number

    # Octets.

    def _allow(self, limits: Limits) -> None:
        self._limits, self._used, self._since = limits, 0, time.monotonic()

    def _take(self, count: int) -> bytes:
        self._used += count
        if self._used > self._limits.total:
            raise Nonsense(f"it sends more than {self._limits.total} octets to one command")
        with memoryview(self._buffer) as view:
            taken = bytes(view[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        grace = 4 * self._server.timeout + (self._used + len(self._buffer)) / SLOWEST
        left = self._since + grace - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"it sends too slowly: no whole answer after {grace:.3g} s")
        self.sock.settimeout(min(left, self._server.timeout))
        self._receive()

    def _arrived(self, end: float) -> bool:
        """Whether a whole line is there before *end*."""
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.sock.settimeout(left)
            try:
                self._receive()
            except TimeoutError:
                return False
            if len(self._buffer) > self._limits.line:
                raise Nonsense(f"it sends a line of more than {self._limits.line} octets")
        return True

    def _receive(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise self.abort("the server broke the connection off")
        self._buffer += data
