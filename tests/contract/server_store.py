"""A mailbox on a real server, as `MailboxContract` wants to see it: by IMAP, through the standard library."""

from __future__ import annotations

import re
from pathlib import Path

from imapclient.imap_utf7 import encode as encode_utf7
from tests.servers.mailbox import expect, quoted

from mailrules.api import PasswordCredential, Place, Secret, build_options
from mailrules.testing.mailbox_contract import Kept


class ServerStore:
    def __init__(self, protocol, mailbox, **options):
        self.protocol = protocol
        self.mailbox = mailbox
        self.options = build_options(protocol.options, {"host": "127.0.0.1", **options}, root=Path())

    def put(self, *messages, seen=False):
        for message in messages:
            self.mailbox.append(message, flags="\\Seen" if seen else "")

    def take_away(self, message):
        subject = re.search(rb"Subject: (\w+)", message)[1].decode()
        with self.mailbox.session() as imap:
            expect(imap.select("INBOX"))
            (numbers,) = expect(imap.search(None, "SUBJECT", subject, "SMALLER", str(len(message) + 1)))
            for number in numbers.split():
                if imap.fetch(number, "(BODY.PEEK[])")[1][0][1] == message:
                    imap.store(number, "+FLAGS", "\\Deleted")
            expect(imap.expunge())

    def open(self, *, readonly=False):
        credential = PasswordCredential(self.mailbox.user, Secret(self.mailbox.password))
        return self.protocol.open(self.options, credential, Place(Path(), readonly=readonly))

    def folder(self, name="INBOX"):
        with self.mailbox.session() as imap:
            status, (count,) = imap.select(quoted(encode_utf7(name).decode()), readonly=True)
            if status != "OK" or count == b"0":
                return []
            data = imap.fetch("1:*", "(FLAGS BODY.PEEK[])")[1]
        # Flags stand before the literal or after it, as the server likes.
        texts = [item[0] + after for item, after in zip(data[::2], data[1::2], strict=True)]
        flags = [re.search(rb"FLAGS \(([^)]*)\)", text)[1].decode().split() for text in texts]
        return [Kept(item[1], frozenset(marks) - {"\\Recent"}) for item, marks in zip(data[::2], flags, strict=True)]

    def state(self):
        return self.mailbox.snapshot()
