"""The line under the IMAP client: bounded memory and time, and answers read as they come.

It puts a `Wire` into the documented override points of imaplib (open, read, readline, send, shutdown), and adds what
imapclient lacks: commands sent ahead, an IDLE that misses nothing and notices the end.
"""

from __future__ import annotations

import imaplib
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mailrules.builtin.line.tls import Server, one_line
from mailrules.builtin.line.wire import ORDINARY, Limits, Nonsense, Wire

if TYPE_CHECKING:
    import ssl

_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_COUNT = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)\r\n", re.IGNORECASE)
_TAG = b"LIBA"
_TAGGED = re.compile(rb"(?P<tag>LIBA\d+) (?P<type>[A-Z]+) (?P<data>.*)", re.ASCII)
"""How imaplib tags its own commands and knows their ends, the same for all connections."""
_PIECE = 1 << 16
"""Octets of a literal that must leave within one time-out."""
_TOLD = re.compile(rb"\A(?:\[|\* )CAPABILITY ([^\]\r\n]+)", re.IGNORECASE)
_KIND = re.compile(rb"\* (?:\d+ )?([A-Za-z-]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a command brought."""

    status: str
    """OK, NO or BAD."""
    text: bytes
    """What follows it, response code included."""
    responses: tuple[tuple[bytes, ...], ...] = ()
    """Untagged ones of the kind asked for: text, and after it by turns a literal and more text."""
    codes: tuple[bytes, ...] = ()
    """Texts of untagged OK, NO and BAD, where COPYUID may stand too (RFC 6851, section 4.3)."""

    @property
    def done(self) -> bool:
        """Whether it succeeded, for the messages that are still there (RFC 5530, section 3: EXPUNGEISSUED)."""
        return self.status == "OK" or self.text.upper().startswith(b"[EXPUNGEISSUED]")


LISTENING = Limits(line=1 << 16, total=4 << 20)
"""What may come at a time while we listen: a mailbox whose flags are changed tells that of each message."""

Stream: TypeAlias = list[tuple[bytes, ...]]
"""Responses of commands that are on their way together. A server may send those of a later one before the end of an
earlier one, and only what is in them tells which is meant."""


@dataclass(slots=True)
class Sent:
    """A command on its way."""

    tag: bytes
    keep: bytes
    limits: Limits
    stream: Stream
    answer: Answer | None = None


class Line(imaplib.IMAP4):
    """A connection to an IMAP server (RFC 3501, RFC 9051)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._outstanding: deque[Sent] = deque()
        self._numbered = 0
        self._listening = b""
        """The tag of an IDLE, or of a NOOP that `hear` reads the answer to."""
        self._accepted = self._ending = self._again = False
        self.refuses_idle = False
        """Whether it has said no to an IDLE."""
        self.exists = 0
        self._greeting = b""
        self.came = 0
        """Messages that the server told of since this was last set to 0."""
        try:
            super().__init__(server.host, server.port)
        except imaplib.IMAP4.error as error:
            if not self._greeting or self._greeting.startswith(b"* "):
                raise
            raise server.transient(f"no IMAP server's greeting: {one_line(self._greeting)}") from error

    # What imaplib lets one override.

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:  # noqa: ARG002 - the server knows
        """Connect."""
        self.host, self.port = host, port
        self.sock = self._server.connect(wrapped=self._server.security == "tls")
        self.wire = Wire(self._server, self.sock)

    def read(self, size: int) -> bytes:
        """A literal."""
        return self.wire.read(size)

    def readline(self) -> bytes:
        """A line with its end."""
        line = self.wire.readline()
        self._greeting = self._greeting or line
        return line

    def send(self, data: Any) -> None:
        """All of *data*, within the time-out."""
        self.wire.sendall(data)

    def shutdown(self) -> None:
        """Close. Never raises."""
        self.wire.close()

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:  # noqa: ARG002 - the server knows
        """Go on under TLS, asking anew what the server can do."""
        status, data = self._simple_command("STARTTLS")
        if status != "OK":
            raise self.error("STARTTLS refused")
        self.wire.encrypt()
        self.sock = self.wire.sock
        self._tls_established = True
        self.untagged_responses.clear()
        self._get_capabilities()
        return status, data

    def dialogue(self) -> Callable[[str], tuple[str, bytes]]:
        """AUTHENTICATE (RFC 9051, section 6.2.2): sends a line, gives `+` or the status in the end, and the text."""
        self._drain()
        self._numbered += 1
        tag = b"M%d " % self._numbered
        opening = [tag]

        def exchange(text: str) -> tuple[str, bytes]:
            self.wire.allow(ORDINARY)
            self.send((opening.pop() if opening else b"") + text.encode() + b"\r\n")
            told = b""
            while not (line := self.readline()).startswith((b"+", tag)):
                if self._note(line) == b"CAPABILITY":
                    told = line
            if line.startswith(b"+"):
                return "+", line[1:].strip()
            status, _, rest = line[len(tag) :].strip().partition(b" ")
            if status == b"OK":
                self.state = "AUTH"
                self.untagged_responses.clear()  # what it can do may be more now, and is often told at once
                if found := _TOLD.search(rest) or _TOLD.search(told):
                    self.untagged_responses["CAPABILITY"] = [found[1]]
            return status.decode("ascii", "replace").upper(), rest

        return exchange

    def _command(self, name: str, *args: Any) -> bytes:
        self._drain()
        self.wire.allow(ORDINARY)
        tag: bytes = super()._command(name, *args)  # type: ignore[misc]  # not in the published types
        return tag

    def _append_untagged(self, kind: str, text: Any) -> None:
        """Keep what imaplib reads by itself, and the count of the folder, which the server tells with any command."""
        super()._append_untagged(kind, text)  # type: ignore[misc]  # not in the published types
        if kind in {"EXISTS", "EXPUNGE"} and isinstance(text, bytes) and text.isdigit():
            self._count(int(text), kind.encode())

    # Commands of our own: answers are read here, not gathered by imaplib.

    def exchange(self, command: bytes, *, keep: bytes = b"", limits: Limits = ORDINARY) -> Answer:
        """Send *command*, read to its end. Untagged responses of the kind *keep* are given, the others only noted.

        Raises:
            imaplib.IMAP4.abort: the server broke off, said goodbye or talked nonsense.
            OSError: the line failed.
        """
        return self.answer(self.ahead(command, keep=keep, limits=limits))

    def ahead(
        self, command: bytes, *, keep: bytes = b"", limits: Limits = ORDINARY, stream: Stream | None = None
    ) -> Sent:
        """Send *command* and let the server work on it. Others may be sent before its `answer` is called for.

        Commands are on their way together only if they share a *stream*; else the earlier ones are read to their end.
        """
        stream = [] if stream is None else stream
        if self._outstanding and self._outstanding[-1].stream is not stream:
            self._drain()
        self._numbered += 1
        sent = Sent(b"M%d " % self._numbered, keep, limits, stream)
        self.send(sent.tag + command + b"\r\n")
        self._outstanding.append(sent)
        return sent

    def answer(self, sent: Sent) -> Answer:
        """The answer to a command that was sent before; raises as `exchange` does."""
        while sent.answer is None:
            oldest = self._outstanding.popleft()
            oldest.answer = self._read_answer(oldest)
        return sent.answer

    def _read_answer(self, sent: Sent) -> Answer:
        self.wire.allow(sent.limits)
        kept = sent.stream
        codes: list[bytes] = []
        while not (line := self.readline()).startswith(sent.tag):
            response = self._whole(line)
            kind = self._note(response[0])
            if kind == sent.keep:
                kept.append(response)
            elif kind in {b"OK", b"NO", b"BAD"}:
                codes.append(response[0][2:].strip())
            if len(kept) + len(codes) > sent.limits.responses:
                raise Nonsense(f"it sends more than {sent.limits.responses} responses to one command")
        status, _, text = line[len(sent.tag) :].strip().partition(b" ")
        responses = tuple(kept)
        kept.clear()
        return Answer(status.decode("ascii", "replace").upper(), text, responses, tuple(codes))

    def upload(self, command: bytes, literal: bytes, *, at_once: bool) -> Answer:
        """Send *command* with a literal at its end (RFC 9051, section 4.3), unasked where that may be (RFC 7888)."""
        self._drain()
        self.wire.allow(ORDINARY)
        self._numbered += 1
        sent = Sent(b"M%d " % self._numbered, b"", ORDINARY, [])
        self.send(sent.tag + command + b" {%d%s}\r\n" % (len(literal), b"+" if at_once else b""))
        while not at_once and not (line := self.readline()).startswith(b"+"):
            if line.startswith(sent.tag):
                status, _, text = line[len(sent.tag) :].strip().partition(b" ")
                return Answer(status.decode("ascii", "replace").upper(), text)
            self._note(line)
        for start in range(0, len(literal), _PIECE):
            self.send(literal[start : start + _PIECE])
        self.send(b"\r\n")
        self._outstanding.append(sent)
        return self.answer(sent)

    # Listening between commands: IDLE (RFC 2177), or a NOOP now and then where the server has none.

    def forget(self) -> None:
        """Let go of what imaplib keeps of its own commands: a connection may rest for long, one of many."""
        for kept in ("_cmd_log", "untagged_responses", "tagged_commands"):
            vars(self).get(kept, {}).clear()
        vars(self).update(tagpre=_TAG, tagre=_TAGGED, welcome=b"", _greeting=b"")

    def idle(self) -> None:
        """Begin to listen; `hear` reads what comes of it, and `end_idle` must come before any other command."""
        self._listen(b"IDLE", accepted=False)

    def keep_alive(self) -> None:
        """Show that we are there, and let `hear` read what the server has to say."""
        if self._listening:
            raise TimeoutError
        self._listen(b"NOOP", accepted=True)
        self._ending = True

    def hear(self) -> bool:
        """Read what is here without waiting; whether `came` is more than 0.

        Raises:
            imaplib.IMAP4.abort: the server said goodbye, or ended the IDLE unasked.
            EOFError: it broke off.
        """
        self.wire.allow(LISTENING)
        for line in self.wire.lines_here():
            self._hear(line)
        return self.came > 0

    def renew(self) -> None:
        """Begin the IDLE anew, before the server takes us for gone; `hear` reads how it goes on."""
        if self._ending or not self._accepted:
            raise TimeoutError
        self._again = True
        self._done()

    def end_idle(self) -> None:
        """End the listening, reading to its end."""
        self.wire.allow(ORDINARY)
        self._again = False
        while self._listening and not self._accepted:
            self._hear(self.readline())
        if self._listening and not self._ending:
            self._done()
        while self._listening:
            self._hear(self.readline())

    def _listen(self, command: bytes, *, accepted: bool) -> None:
        self._drain()
        self.wire.allow(ORDINARY)
        self._numbered += 1
        self._listening, self._accepted, self._ending = b"M%d " % self._numbered, accepted, False
        self.send(self._listening + command + b"\r\n")

    def _done(self) -> None:
        self._ending = True
        self.send(b"DONE\r\n")

    def _hear(self, line: bytes) -> None:
        if self._listening and line.startswith(b"+"):
            self._accepted = True
        elif self._listening and line.startswith(self._listening):
            said, self._listening = one_line(line[len(self._listening) :]), b""
            if not self._accepted:
                self.refuses_idle = True
            elif not self._ending:
                raise self.abort(f"the server ended the IDLE: {said}")
            elif self._again:
                self._again = False
                self.idle()
        else:
            self._note(line)

    def _drain(self) -> None:
        while self._outstanding:
            self.answer(self._outstanding[0])

    def _whole(self, line: bytes) -> tuple[bytes, ...]:
        parts: list[bytes] = []
        while line.endswith(b"}\r\n") and (found := _LITERAL.search(line)):
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
