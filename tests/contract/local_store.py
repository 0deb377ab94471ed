"""Mailboxes on disk as other programs see them: written and read here by the standard library or by hand."""

from __future__ import annotations

import itertools
import mailbox
import os
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from imapclient.imap_utf7 import encode

from mailrules.api import NoCredential, Place, ReceiveProtocol
from mailrules.builtin.local.eml import EML
from mailrules.builtin.local.maildir import MAILDIR
from mailrules.builtin.local.mbox import MBOX
from mailrules.testing.mailbox_contract import Kept


@dataclass
class LocalStore:
    """One mailbox under *root*."""

    root: Path
    protocol: ReceiveProtocol
    path: str
    clock: itertools.count = field(default_factory=lambda: itertools.count(1_700_000_000))

    def open(self, *, readonly=False):
        options = self.protocol.options(path=self.path)
        return self.protocol.open(options, NoCredential(), Place(self.root, readonly=readonly))

    def state(self):
        return {
            str(p.relative_to(self.root)): (p.read_bytes() if p.is_file() else None, p.stat().st_mtime_ns)
            for p in sorted(self.root.rglob("*"))
        }

    def write(self, path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (next(self.clock),) * 2)


class MaildirStore(LocalStore):
    def __init__(self, root):
        super().__init__(root, MAILDIR, "mail")
        for place in ("new", "cur", "tmp"):
            (root / "mail" / place).mkdir(parents=True)

    def put(self, *messages, seen=False):
        for content in messages:
            name = f"{next(self.clock)}.M1P1.host"
            self.write(self.root / "mail" / (f"cur/{name}:2,S" if seen else f"new/{name}"), content)

    def files(self, folder="INBOX"):
        directory = self.root / "mail" / ("" if folder == "INBOX" else "." + encode(folder).decode())
        found = [p for place in ("new", "cur") for p in (directory / place).glob("*")]
        return sorted(found, key=lambda p: p.stat().st_mtime_ns)

    def take_away(self, message):
        (path,) = [p for p in self.files() if p.read_bytes() == message]
        path.unlink()

    def folder(self, name="INBOX"):
        letters = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged"}
        return [
            Kept(p.read_bytes(), frozenset(letters[letter] for letter in p.name.partition(":2,")[2]))
            for p in self.files(name)
        ]


class MboxStore(LocalStore):
    def __init__(self, root):
        super().__init__(root, MBOX, "mail.mbox")
        (root / "mail.mbox").touch()

    def put(self, *messages, seen=False):
        with closing(mailbox.mbox(self.root / "mail.mbox")) as box:
            for content in messages:
                added = mailbox.mboxMessage(content.replace(b"\r\n", b"\n"))
                added.set_from("jo@sender.example", time.gmtime(next(self.clock)))
                if seen:
                    added.set_flags("RO")
                box.add(added)

    def take_away(self, message):
        with closing(mailbox.mbox(self.root / "mail.mbox")) as box:
            subject = message.partition(b"Subject: ")[2].split(b"\r\n")[0].decode()
            (key,) = [key for key, one in box.items() if one["Subject"] == subject]
            box.remove(key)

    def folder(self, name="INBOX"):
        path = self.root / ("mail.mbox" if name == "INBOX" else f"{name}.mbox")
        if not path.exists():
            return []
        with closing(mailbox.mbox(path)) as box:
            return [self._kept(one) for one in box]

    @staticmethod
    def _kept(one):
        flags = frozenset(
            {"R": "\\Seen", "F": "\\Flagged", "A": "\\Answered"}[f] for f in one.get_flags() if f in "RFA"
        )
        del one["Status"], one["X-Status"]
        return Kept(one.as_bytes().replace(b"\n>From ", b"\nFrom "), flags)


class EmlStore(LocalStore):
    def __init__(self, root):
        super().__init__(root, EML, "mail")
        (root / "mail").mkdir()

    def put(self, *messages, seen=False):
        assert not seen
        for content in messages:
            self.write(self.root / "mail" / f"{next(self.clock)}.eml", content)

    def files(self, folder="INBOX"):
        directory = self.root / "mail" / ("" if folder == "INBOX" else folder)
        return sorted(directory.glob("*.eml"), key=lambda p: p.stat().st_mtime_ns)

    def take_away(self, message):
        (path,) = [p for p in self.files() if p.read_bytes() == message]
        path.unlink()

    def folder(self, name="INBOX"):
        return [Kept(p.read_bytes()) for p in self.files(name)]
