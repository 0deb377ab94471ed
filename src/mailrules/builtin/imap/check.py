"""Whether an IMAP account works: `mailrules accounts test`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from mailrules.api import Check, Credential, NoCredential, PasswordCredential, Place, Remark, TokenCredential
from mailrules.api.check import LOG_IN
from mailrules.builtin.imap.session import Session
from mailrules.builtin.line.check import greeted, logged_in, reaching, secured
from mailrules.builtin.line.tls import Server

LACKING = {
    ("MOVE",): "no MOVE, so a message is moved by copying it, seeing that the copy is there, and deleting it",
    ("UIDPLUS", "IMAP4REV2"): "no UIDPLUS, so a deleted message is only flagged \\Deleted, and stays",
    ("IDLE",): "no IDLE, so new mail is found when the schedule says, and not at once",
}
"""Capabilities, any of a group, and what mailrules does without."""


class ImapChecks:
    """One connection, looked at step by step. Folders are opened as by a run, and left as they are."""

    def __init__(self, server: Server, credential: Credential, place: Place) -> None:
        self._server = server
        self._credential = credential
        self._place = place
        self._session: Session | None = None
        self._opened: set[str] = set()

    def each(self, folders: Sequence[str]) -> Iterator[Check]:
        """Every check, in order."""
        yield from reaching(self._server)
        try:
            yield Check("TLS", self._connect)
            yield Check(LOG_IN, self._log_in)
            yield Check("abilities", self._abilities)
            for folder in folders:
                yield Check(f"folder {folder}", partial(self._open, folder), needed=False)
                if folder in self._opened:
                    yield Check(f"permissions {folder}", self._permissions, needed=False)
        finally:
            if self._session:
                self._session.close()

    @property
    def _open_session(self) -> Session:
        assert self._session is not None  # checks run in order
        return self._session

    def _connect(self) -> str | Remark:
        self._session = greeted(self._server, "IMAP", lambda: Session(self._server, self._place))
        return secured(self._server, self._session.line.wire.sock)

    def _log_in(self) -> str:
        session = self._open_session
        unasked = session.line.state == "AUTH"
        assert isinstance(self._credential, NoCredential | PasswordCredential | TokenCredential)
        session.log_in(self._credential)
        return "the server takes us in unasked (PREAUTH)" if unasked else logged_in(self._credential)

    def _abilities(self) -> str | Remark:
        lacking = [words for names, words in LACKING.items() if not self._open_session.has(*names)]
        return Remark("; ".join(lacking)) if lacking else "MOVE, UIDPLUS, IDLE"

    def _open(self, folder: str) -> str:
        session = self._open_session
        session.folder = folder
        session.select()
        self._opened.add(folder)
        count = session.line.exists
        return f"{count} message{'' if count == 1 else 's'}"

    def _permissions(self) -> str | Remark:
        kept = self._open_session.kept
        if kept is None or rb"\*" in kept:
            return "may be changed, keeps every flag"
        names = b" ".join(sorted(kept)).decode("ascii", "replace")
        return Remark(f"may be changed, and keeps only the flags {names}" if kept else "no flag is kept here")
