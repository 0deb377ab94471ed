"""A log-in on a POP3 server: what is there, and many messages asked for at once."""

from __future__ import annotations

import contextlib
import logging
import poplib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from mailrules.api import Octets, PasswordCredential, TokenCredential
from mailrules.builtin.folder.spool import PIECE, Spool
from mailrules.builtin.line.bearer import Outcome, log_in_by_token
from mailrules.builtin.line.tls import Server, one_line, words
from mailrules.builtin.line.wire import MIB, ORDINARY, Limits, Nonsense, Wire

log = logging.getLogger(__name__)

LARGEST = 32 * MIB
"""Octets of a message that is read whole, whatever the server said of its size before."""
LONGEST = 256 * MIB
"""Octets of a line, which is in memory whole, of a message that goes through the disk."""
LISTING = Limits(total=64 * MIB)
MESSAGES = Limits(line=LARGEST, total=LARGEST)
WINDOW = 100
"""Commands on their way at once, where the server takes them so (RFC 2449, section 6.6)."""
PASSING = ("[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]", "LOCK")
"""What a refusal says (RFC 2449, section 8; RFC 3206) when it is not about the password."""


class Pop(poplib.POP3):
    """poplib on a wire of ours: no limit of 2,048 octets on a line, deadlines, STLS without injection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        try:
            super().__init__(server.host, server.port)
        except BaseException:
            if hasattr(self, "wire"):
                self.wire.close()
            raise

    def _create_socket(self, _timeout: object) -> Wire:
        self.wire = Wire(self._server, self._server.connect(wrapped=self._server.security == "tls"))
        return self.wire

    def _putline(self, line: bytes) -> None:
        self.wire.allow(ORDINARY)
        self.wire.sendall(line + b"\r\n")

    def _getline(self) -> tuple[bytes, int]:
        line = self.wire.readline()
        return line.rstrip(b"\r\n"), len(line)

    def encrypt(self) -> None:
        """Go on under TLS (RFC 2595, section 4)."""
        self._shortcmd("STLS")  # type: ignore[attr-defined]  # not in the published types
        self.wire.encrypt()


class Pop3Session:
    """Logged in. Raises `Transient` and `PersonNeeded` only, wherever it is asked something."""

    def __init__(self, server: Server) -> None:
        """Connect and encrypt."""
        self.server = server
        with server.faults():
            self._pop = Pop(server)
        self.wire = self._pop.wire
        try:
            if server.security == "starttls":
                self._encrypt()
        except BaseException:
            self.wire.close()
            raise

    @classmethod
    def opened(cls, server: Server, credential: PasswordCredential | TokenCredential) -> Pop3Session:
        """Connected, encrypted, logged in."""
        session = cls(server)
        try:
            session.log_in(credential)
        except BaseException:
            session.wire.close()
            raise
        return session

    def log_in(self, credential: PasswordCredential | TokenCredential) -> None:
        """Show the credential."""
        self._log_in(credential)
        self._capabilities = self._offered()

    def has(self, capability: str) -> bool:
        """Whether the server says it can (RFC 2449)."""
        return capability in self._capabilities

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Message numbers by UIDL, in their order; of several messages with one UIDL the first."""
        numbers: dict[str, int] = {}
        for number, uid in self._listed("UIDL"):
            numbers.setdefault(uid, number)
        return numbers

    @cached_property
    def sizes(self) -> Mapping[int, int]:
        """Octets by message number."""
        return {number: int(size) for number, size in self._listed("LIST") if size.isdigit()}

    def messages(self, commands: Sequence[str]) -> Iterator[bytes | None]:
        """What each of these gives, TOP or RETR; None where the server refuses, as for a message that is gone."""
        window = WINDOW if self.has("PIPELINING") else 1
        for start in range(0, len(commands), window):
            part = commands[start : start + window]
            with self._pop.wire.talking():
                self._pop.wire.sendall("".join(f"{command}\r\n" for command in part).encode())
                answers = [self._message() for _ in part]
            yield from answers

    def spooled(self, command: str, size: int) -> Octets | None:
        """What TOP or RETR gives of a message of about *size* octets, through the disk; None as in `messages`.

        None as well for one that has far more octets than the server said, which ends this session.
        """
        wire, limit = self._pop.wire, 2 * size + PIECE
        with wire.talking():
            wire.sendall(f"{command}\r\n".encode())
            if not self._is_there(Limits(line=min(limit, LONGEST), total=limit)):
                return None
            try:
                with Spool(size) as spool:
                    _spool_dotted(wire, spool)
                    return spool.message()
            except Nonsense as error:
                wire.close()
                log.warning("%s: %s is left out: LIST says %d octets, but %s", self.server, command, size, error)
                return None

    def delete(self, numbers: Sequence[int]) -> Mapping[int, str]:
        """Delete these, and log out: only that makes it last (RFC 1939, section 6). Gives the reasons of refusals."""
        refused: dict[int, str] = {}
        with self._pop.wire.talking():
            for number in numbers:
                try:
                    self._pop.dele(number)
                except poplib.error_proto as error:
                    refused[number] = f"DELE answered {words(error)}"
            try:
                self._pop._shortcmd("QUIT")  # type: ignore[attr-defined]  # noqa: SLF001 - quit() would close first
            except poplib.error_proto as error:
                refused |= dict.fromkeys(numbers, f"QUIT answered {words(error)}")
            finally:
                self._pop.wire.close()
        return refused

    def close(self) -> None:
        """Log out. Never raises."""
        with contextlib.suppress(Exception):
            self._pop.wire.sendall(b"QUIT\r\n")
        self._pop.wire.close()

    def _offered(self) -> Mapping[str, list[str]]:
        with self._pop.wire.talking():
            try:
                return self._pop.capa()
            except poplib.error_proto:
                return {}

    @property
    def closed(self) -> bool:
        """Whether it has ended, by `delete` or a failure."""
        return self._pop.wire.closed

    def _encrypt(self) -> None:
        if "STLS" not in self._offered():
            raise self.server.person(
                "no STLS offered", remedy="set `security: tls`, or `none` if the network is trusted"
            )
        with self._pop.wire.talking():
            self._pop.encrypt()

    def _log_in(self, credential: PasswordCredential | TokenCredential) -> None:
        if isinstance(credential, TokenCredential):
            offered = self._offered().get("SASL", [])
            with self._pop.wire.talking():
                # RFC 5034, section 4: a command line has 255 octets at most.
                log_in_by_token(
                    self.server, credential, offered=offered, command="AUTH", longest=253, exchange=self._exchange
                )
            return
        login, password = credential.login, credential.password.reveal()
        if any(character in login + password for character in "\r\n\0"):
            raise self.server.person("a log-in cannot hold a line break", remedy="check `login` and `password`")
        try:
            self._pop.user(login)
            self._pop.pass_(password)
        except poplib.error_proto as error:
            raise self._refused(login, words(error).replace(password, "***")) from None
        except Exception as error:
            raise self.server.fault(error) from None  # the chain may hold the command

    def _exchange(self, line: str) -> tuple[Outcome, bytes]:
        """One line of an AUTH dialogue (RFC 5034)."""
        self._pop.wire.allow(ORDINARY)
        self._pop.wire.sendall(f"{line}\r\n".encode())
        answer = self._pop.wire.readline().strip()
        status, _, text = answer.partition(b" ")
        known: dict[bytes, Outcome] = {b"+": "more", b"+OK": "in", b"-ERR": "no"}
        if status not in known:
            raise Nonsense(f"it answers {one_line(answer, 60)!r}")
        passing = status == b"-ERR" and any(word.encode() in text.upper() for word in PASSING)
        return "later" if passing else known[status], text

    def _refused(self, login: str, text: str) -> Exception:
        if any(passing in text.upper() for passing in PASSING):
            return self.server.transient(f"no log-in now: {text}")
        return self.server.refused(login, text)

    def _listed(self, command: str) -> Iterator[tuple[int, str]]:
        with self._pop.wire.talking():
            self._pop.wire.sendall(f"{command}\r\n".encode())
            answer = self._message(LISTING)
            if answer is None:
                raise self.server.person(
                    f"it has no {command}, so messages cannot be told apart", remedy="use another protocol"
                )
            for line in answer.splitlines():
                number, _, rest = line.decode("latin-1").strip().partition(" ")
                if not (number.isdigit() and rest):
                    raise Nonsense(f"it answers {command} with {one_line(line, 60)!r}")
                yield int(number), rest.split()[0]

    def _message(self, limits: Limits = MESSAGES) -> bytes | None:
        return self._pop.wire.read_dotted() if self._is_there(limits) else None

    def _is_there(self, limits: Limits) -> bool:
        """Whether the answer to a command goes on with lines, which may come to so much."""
        self._pop.wire.allow(limits)
        status = self._pop.wire.readline()
        if status.startswith(b"+OK"):
            return True
        if not status.startswith(b"-ERR"):
            raise Nonsense(f"it answers {one_line(status, 60)!r}")
        if b"[SYS/TEMP]" in status.upper() or b"[IN-USE]" in status.upper():
            raise self.server.transient(status)
        return False


def _spool_dotted(wire: Wire, spool: Spool) -> None:
    """Lines up to one with a dot alone, other leading dots taken off (RFC 1939, section 3)."""
    lines: list[bytes] = []
    held = 0
    while (line := wire.readline()) not in {b".\r\n", b".\n"}:
        lines.append(line.removeprefix(b"."))
        held += len(line)
        if held > PIECE // 4:
            spool.write(b"".join(lines))
            lines, held = [], 0
    spool.write(b"".join(lines))
