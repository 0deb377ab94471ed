"""One mailbox of a running server: put mail in, look at what is there, empty it. Independent of the code under test."""

import contextlib
import hashlib
import imaplib
import itertools
import os
import re
import smtplib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .dovecot import OWNER
from .place import HOST

imaplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]  # a UID list of a big folder is one line

LISTED = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?:\\.|[^"])"|NIL) (?P<name>.+)', re.DOTALL)
FETCHED = re.compile(rb"UID (?P<uid>\d+)")
FLAGS = re.compile(rb"FLAGS \((?P<flags>[^)]*)\)")
SIZE = re.compile(rb"RFC822\.SIZE (?P<size>\d+)")
CHUNK = 200
OUTSIDER = "someone@else.example"


@dataclass(frozen=True, slots=True)
class Held:
    """A message as the server holds it."""

    uid: int
    flags: frozenset[str]
    """Without \\Recent, which tells of sessions and not of the message."""
    size: int
    digest: str
    """SHA-256 of the content; empty in a snapshot without content."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as the server holds it, messages by rising UID."""

    uidvalidity: int
    messages: tuple[Held, ...]

    @property
    def uids(self) -> tuple[int, ...]:
        return tuple(message.uid for message in self.messages)

    @property
    def digests(self) -> tuple[str, ...]:
        return tuple(message.digest for message in self.messages)


Snapshot = dict[str, Folder]
"""Every folder by its name as on the wire (modified UTF-7)."""


def digest(message: bytes) -> str:
    """The content hash that a snapshot shows for a message, however its lines ended when it was put in."""
    return hashlib.sha256(re.sub(rb"\r?\n", b"\r\n", message)).hexdigest()


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A user's mail on a server."""

    user: str
    password: str
    imap: int
    lmtp: int
    home: Path | None = None
    """The user's folder on disk, where a maildir can be written to (Dovecot only)."""

    @contextlib.contextmanager
    def session(self) -> Iterator[imaplib.IMAP4]:
        """A logged-in connection of its own."""
        with imaplib.IMAP4(HOST, self.imap, timeout=60) as connection:
            connection.login(self.user, self.password)
            yield connection

    def deliver(self, *messages: bytes, sender: str = OUTSIDER) -> None:
        """Hand messages in by LMTP, as the mail system does; the server adds its trace headers."""
        with smtplib.LMTP(HOST, self.lmtp) as connection:
            for message in messages:
                connection.sendmail(sender, [self.user], message)

    def append(self, message: bytes, folder: str = "INBOX", flags: str = "", received: datetime | None = None) -> None:
        """Put a message in by IMAP, unchanged, with flags (`\\Seen \\Flagged`) and the moment of its arrival."""
        with self.session() as imap:
            imap.create(quoted(folder))
            when = imaplib.Time2Internaldate(received) if received else ""
            expect(imap.append(quoted(folder), f"({flags})", when, message))

    def load(self, messages: Iterable[bytes], folder: str = "INBOX") -> None:
        """Write messages into the maildir, unchanged and unseen, UIDs in the order given: ten thousand in a moment.

        The names carry the sizes on disk and on the wire, as Dovecot's own deliveries do.
        """
        if self.home is None:
            raise ValueError("only Dovecot keeps a maildir to load; append or deliver instead")
        with self.session() as imap:
            imap.create(quoted(folder))
            expect(imap.select(quoted(folder)))
        maildir = self.home / "Maildir" / ("" if folder == "INBOX" else "." + folder.replace("/", "."))
        stamp, names = time.time_ns(), itertools.count()
        for message in messages:
            bare = message.count(b"\n") - message.count(b"\r\n")
            sizes = f"S={len(message)},W={len(message) + bare}"
            drop(maildir / "new" / f"{stamp // 10**9}.M{stamp % 10**9:09}P{next(names):08}.testbed,{sizes}", message)

    def snapshot(self, *, content: bool = True) -> Snapshot:
        """All that the server holds, read without changing it; without content it is quick, and the digests empty."""
        with self.session() as imap:
            return {name: examine(imap, name, content=content) for name in folders(imap)}

    def wait(self, count: int, folder: str = "INBOX", limit: float = 10) -> None:
        """Return when the folder holds that many messages; TimeoutError if it does not come to it."""
        deadline = time.monotonic() + limit
        with self.session() as imap:
            while (held := int(expect(imap.select(quoted(folder), readonly=True))[0])) != count:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self.user} {folder} holds {held} messages and not {count} after {limit} s")
                time.sleep(0.05)

    def clear(self) -> None:
        """Delete every message, and every folder that is not INBOX or of a special use."""
        with self.session() as imap:
            for name, flags in folders(imap).items():
                empty(imap, name)
                if name != "INBOX" and not flags & {"\\Drafts", "\\Sent", "\\Trash", "\\Junk", "\\Archive"}:
                    expect(imap.delete(quoted(name)))


def drop(path: Path, message: bytes) -> None:
    """Write one message file as the owner of the mail."""
    path.write_bytes(message)
    os.chown(path, OWNER, OWNER)


def expect(answer: tuple[str, Sequence[object]]) -> list[bytes]:
    """The data of an OK answer; anything else raises."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"{status}: {data!r}")
    return [item for item in data if isinstance(item, bytes)]


def quoted(name: str) -> str:
    """A folder's name as a quoted string."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folders(imap: imaplib.IMAP4) -> dict[str, set[str]]:
    """The folders that can be opened, each with its flags."""
    found = {}
    for line in imap.list()[1]:
        raw = b"".join(line) if isinstance(line, tuple) else line or b""
        if (match := LISTED.match(raw)) and b"\\Noselect" not in match["flags"]:
            name = re.sub(r"\\(.)", r"\1", match["name"].decode().removeprefix('"').removesuffix('"'))
            found[name] = set(match["flags"].decode().split())
    return found


def examine(imap: imaplib.IMAP4, name: str, *, content: bool) -> Folder:
    """What one folder holds; EXAMINE and PEEK change nothing."""
    count = int(expect(imap.select(quoted(name), readonly=True))[0])
    uidvalidity = int(imap.response("UIDVALIDITY")[1][0] or 0)
    if not count:
        return Folder(uidvalidity, ())
    lines = expect(imap.fetch("1:*", "(UID FLAGS RFC822.SIZE)"))
    uids = [int(found(FETCHED, line)) for line in lines]
    digests = digests_of(imap, uids) if content else {}
    held = (
        Held(uid, flags_of(line), int(found(SIZE, line)), digests.get(uid, ""))
        for uid, line in zip(uids, lines, strict=True)
    )
    return Folder(uidvalidity, tuple(sorted(held, key=lambda message: message.uid)))


def digests_of(imap: imaplib.IMAP4, uids: list[int]) -> dict[int, str]:
    """The content hash of each message, by UID."""
    digests = {}
    for start in range(0, len(uids), CHUNK):
        wanted = ",".join(map(str, uids[start : start + CHUNK]))
        for item in imap.uid("FETCH", wanted, "(BODY.PEEK[])")[1]:
            if isinstance(item, tuple):
                digests[int(found(FETCHED, item[0]))] = hashlib.sha256(item[1]).hexdigest()
    return digests


def found(pattern: re.Pattern[bytes], line: bytes) -> bytes:
    """The one group of a pattern that the server's answer must hold."""
    match = pattern.search(line)
    if not match:
        raise imaplib.IMAP4.error(f"no {pattern.pattern!r} in {line!r}")
    return match[1]


def flags_of(line: bytes) -> frozenset[str]:
    return frozenset(found(FLAGS, line).decode().split()) - {"\\Recent"}


def empty(imap: imaplib.IMAP4, name: str) -> None:
    """Delete every message of a folder."""
    if int(expect(imap.select(quoted(name)))[0]):
        expect(imap.store("1:*", "+FLAGS.SILENT", r"(\Deleted)"))
        expect(imap.expunge())
    imap.unselect()
