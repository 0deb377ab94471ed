"""The least that a program can do: commands written on a bare socket, answers read and not looked at."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Self

from tests.servers.mailbox import Mailbox
from tests.servers.place import HOST

from mailrules.builtin.imap.fetch import uid_set

NEEDED = b"BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT LIST-ID)]"
"""What the rules of `rulesets` look at."""
HEADER = b"BODY.PEEK[HEADER]"
WHOLE = b"BODY.PEEK[]"
CHUNK = 1 << 20
LONGEST_LINE = 1000


class Bare:
    """A connection, and how many octets came over it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), 60)
        self.received = 0
        self._end = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def until(self, *marks: bytes) -> bytes:
        """Read on until a line that starts with one of *marks* is the last; gives it."""
        line = b""
        while not line.startswith(marks):
            octets = self._socket.recv(CHUNK)
            if not octets:
                raise ConnectionError("the server hung up")
            self.received += len(octets)
            self._end = (self._end + octets)[-LONGEST_LINE:]
            line = self._end[self._end.rfind(b"\n", 0, -1) + 1 :] if self._end.endswith(b"\n") else b""
        self._end = b""
        return line


class Imap(Bare):
    """Logged in, INBOX open."""

    def __init__(self, box: Mailbox) -> None:
        super().__init__(box.imap)
        self.until(b"* OK")
        self.ask(b"LOGIN %s %s" % (box.user.encode(), box.password.encode()))
        self.ask(b"SELECT INBOX")

    def ask(self, command: bytes) -> None:
        self.send(b"T " + command + b"\r\n")
        answer = self.until(b"T ")
        if not answer.startswith(b"T OK"):
            raise RuntimeError(f"{command[:60]!r}: {answer!r}")


def imap(box: Mailbox, items: bytes, moves: Mapping[str, Iterable[int]]) -> int:
    """Fetch *items* of every message in one command, then *moves*, a command a folder; gives the octets received."""
    with Imap(box) as session:
        session.ask(b"UID FETCH 1:* (%s)" % items)
        for folder, uids in moves.items():
            session.ask(b"UID MOVE %s %s" % (uid_set(uids), folder.encode()))
        return session.received


def pop3(port: int, box: Mailbox, size: int, deleted: Iterable[int]) -> int:
    """Listings, all header blocks asked for in one go, then the deletions, likewise; gives the octets received."""
    with Bare(port) as session:
        session.until(b"+OK")
        for line in (b"USER " + box.user.encode(), b"PASS " + box.password.encode()):
            session.send(line + b"\r\n")
            session.until(b"+OK", b"-ERR")
        for command in (b"UIDL", b"LIST"):
            session.send(command + b"\r\n")
            session.until(b".\r\n")
        tops = b"".join(b"TOP %d 0\r\n" % number for number in range(1, size + 1))
        deletions = b"".join(b"DELE %d\r\n" % number for number in deleted)
        session.send(tops + deletions + b"QUIT\r\n")
        session.until(b"+OK Logging out")
        return session.received
