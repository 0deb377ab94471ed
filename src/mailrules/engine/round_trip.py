"""A mail that an account sends to itself: whether it arrives, and how long that takes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from mailrules.api import (
    Check,
    Disposition,
    Mailbox,
    NoCredential,
    PersonNeeded,
    Place,
    Pushing,
    Ref,
    Settlement,
    Transient,
)
from mailrules.config.settings import Account
from mailrules.engine.check import Checked, run_one
from mailrules.engine.credential import with_credential
from mailrules.engine.sending import AccountSender

PATIENCE = 60.0
"""Seconds within which it must arrive."""
PAUSE = 1.0
"""Seconds between two looks."""


def round_trip(account: Account, root: Path, *, patience: float = PATIENCE) -> Iterator[Checked]:
    """Send a probe, wait for it in INBOX, delete it there: a result each."""
    probe = _Probe(account, root, patience)
    with closing(probe):
        for name, run in (("sent", probe.send), ("arrived", probe.wait), ("deleted", probe.delete)):
            done = run_one("round trip", Check(name, run))
            yield done
            if done.state == "failed":
                return


class _Probe:
    """The mail on its way."""

    def __init__(self, account: Account, root: Path, patience: float) -> None:
        self._account = account
        self._root = root
        self._patience = patience
        self._mail = EmailMessage()
        self._there: set[Ref] = set()
        self._sent = 0.0
        self._found: Ref | None = None
        self.mailbox: Mailbox | None = None

    def send(self) -> str:
        """Look what is there, then hand the mail over."""
        address = self._address()
        mailbox = self._open()
        self._there = set(mailbox.refs(unseen_only=False))
        self._mail["From"] = self._mail["To"] = address
        self._mail["Subject"] = f"mailrules round trip {secrets.token_hex(4)}"
        self._mail["Date"] = format_datetime(datetime.now(UTC))
        self._mail["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
        self._mail["Auto-Submitted"] = "auto-generated"
        self._mail.set_content(
            "Sent by `mailrules accounts test --round-trip`, which deletes it when it has arrived.\n"
        )
        self._sent = time.monotonic()
        said = AccountSender(self._account, self._root)(self._mail, recipients=[address])
        return f"to {address}: {said}"

    def wait(self) -> str:
        """Look until it is there."""
        assert self.mailbox is not None
        end = self._sent + self._patience
        while not (found := self._look(self.mailbox)):
            left = end - time.monotonic()
            if left <= 0:
                raise Transient(
                    f"it is not in INBOX after {self._patience:g} s; it may come later, or be filed elsewhere"
                )
            self._pause(self.mailbox, min(PAUSE, left))
        self._found = found
        return f"after {time.monotonic() - self._sent:.1f} s"

    def delete(self) -> str:
        """Take it away again."""
        assert self.mailbox is not None
        assert self._found is not None
        failed = self.mailbox.settle([Settlement(self._found, Disposition(delete=True))])
        if failed:
            raise PersonNeeded(
                next(iter(failed.values())), remedy=f"delete the mail {self._mail['Subject']!r} yourself"
            )
        return "it is gone from INBOX"

    def close(self) -> None:
        """Let go of the mailbox. Never raises."""
        if self.mailbox:
            self.mailbox.close()

    def _address(self) -> str:
        login = getattr(self._account.auth[1], "login", "") if self._account.auth else ""
        address = self._account.sender.address if self._account.sender else str(login)
        if "@" not in address:
            raise PersonNeeded("nobody knows its address", remedy="write the account's address as `from:`")
        if not (self._account.send and self._account.receive):
            lacking = "receive" if self._account.send else "send"
            raise PersonNeeded(
                f"the account has no `{lacking}:`", remedy=f"add `{lacking}:`, or leave --round-trip out"
            )
        if "delete" not in self._account.receive[0].item.verbs:
            raise PersonNeeded("its protocol cannot delete, so the mail would stay", remedy="leave --round-trip out")
        return address

    def _open(self) -> Mailbox:
        assert self._account.receive is not None
        provided, options = self._account.receive
        place = Place(self._root, account=self._account.name)

        def open_(shown: object) -> Mailbox:
            return provided.item.open(options, shown, place)  # type: ignore[arg-type]

        unasked = provided.item.accepts == {NoCredential}
        self.mailbox = open_(NoCredential()) if unasked else with_credential(self._account, place, open_)
        return self.mailbox

    def _pause(self, mailbox: Mailbox, seconds: float) -> None:
        """Sleep; a mailbox that is not told of new mail may lock out who delivers it, as on POP3, and is let go of."""
        if isinstance(mailbox, Pushing):
            time.sleep(seconds)
            return
        mailbox.close()
        time.sleep(seconds)
        self._open()

    def _look(self, mailbox: Mailbox) -> Ref | None:
        fresh = [ref for ref in mailbox.refs(unseen_only=False) if ref not in self._there]
        wanted = str(self._mail["Message-ID"]).encode()
        for head in mailbox.heads(fresh):
            if wanted in head.header:
                return head.ref
        return None
