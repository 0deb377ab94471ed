"""The mailbox on a POP3 server as a `Mailbox`: UIDL is the identity, deleting is all it can do."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

from mailrules.api import Head, Octets, PasswordCredential, Ref, Settlement, TokenCredential
from mailrules.builtin.folder.spool import PIECE
from mailrules.builtin.line.tls import Server
from mailrules.builtin.line.wire import MIB
from mailrules.builtin.pop3.session import WINDOW, Pop3Session

log = logging.getLogger(__name__)

ALL_LINES = 99_999_999
"""More lines than any message has: TOP gives the whole of it then (RFC 1939, section 7)."""
HEADER = "TOP {} 0"
MOST_FOR_HEADER = 256 * MIB
"""Octets of a message that is read whole for its header block, where the server has no TOP."""
BATCH_OCTETS = 8 * MIB
"""Octets of messages that are read before the first is given."""


class Pop3Mailbox:
    """One mailbox. It connects when asked something: a session sees what was there when it began, and no more."""

    def __init__(self, server: Server, credential: PasswordCredential | TokenCredential, folder: str) -> None:
        self._server = server
        self._credential = credential
        self._folder = folder
        self._session: Pop3Session | None = None
        self._listed = False

    def connect(self) -> Pop3Session:
        """The session that is open, or a new one."""
        if self._session is None or self._session.closed:
            self._session = Pop3Session.opened(self._server, self._credential)
            self._listed = False
        return self._session

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:  # noqa: ARG002 - POP3 does not know what was seen
        """Every message there, in the server's order; POP3 cannot tell which were seen."""
        if self._listed:
            self.close()
        numbers = self.connect().numbers
        self._listed = True
        return [Ref(self._folder, "", uid) for uid in numbers]

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """Header blocks by TOP, or cut off whole messages where the server has no TOP."""
        top = self.connect().has("TOP")
        refs = refs if top else [ref for ref in refs if self._may_be_read(ref)]
        for batch in self._batches(refs, octets_each=0 if top else None):
            for ref, size, content in self._read(batch, HEADER if top else "RETR {}"):
                yield Head(ref, header_of(content), size=size)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """Whole messages; by TOP where the server has it, as RETR marks them as seen on some (Dovecot)."""
        command = f"TOP {{}} {ALL_LINES}" if self.connect().has("TOP") else "RETR {}"
        for batch in self._batches(refs):
            for ref, _, content in self._read(batch, command):
                yield ref, content

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Delete, and end the session: only that makes deletions last."""
        failed = {
            settlement.ref: f"POP3 cannot {', '.join(sorted(verbs))}"
            for settlement in settlements
            if (verbs := settlement.disposition.verbs() - {"delete"})
        }
        wanted = [s.ref for s in settlements if s.disposition.delete and s.ref not in failed]
        if not wanted:
            return failed
        session = self.connect()
        there = {session.numbers[ref.uid]: ref for ref in wanted if ref.uid in session.numbers}
        refused = session.delete(sorted(there))
        return failed | {there[number]: reason for number, reason in refused.items()}

    def close(self) -> None:
        """Log out. Never raises."""
        if self._session:
            self._session.close()
        self._session = None

    def _may_be_read(self, ref: Ref) -> bool:
        """Whether it is small enough to be read whole for its header block alone."""
        session = self.connect()
        size = session.sizes.get(session.numbers.get(ref.uid, 0), 0)
        if size > MOST_FOR_HEADER:
            log.warning("%s: message %s is left out: it has %d octets, and no TOP", self._server, ref.uid, size)
        return size <= MOST_FOR_HEADER

    def _read(self, refs: Sequence[Ref], command: str) -> list[tuple[Ref, int | None, Octets]]:
        """What *command* gives for each that is still there, all read."""
        session = self.connect()
        there = [(ref, session.numbers[ref.uid]) for ref in refs if ref.uid in session.numbers]
        commands = [command.format(number) for _, number in there]
        size = session.sizes.get(there[0][1], 0) if len(there) == 1 and command != HEADER else 0
        answers = [session.spooled(commands[0], size)] if size > PIECE else session.messages(commands)
        return [
            (ref, session.sizes.get(number), answer)
            for (ref, number), answer in zip(there, answers, strict=True)
            if answer is not None
        ]

    def _batches(self, refs: Sequence[Ref], octets_each: int | None = None) -> Iterator[list[Ref]]:
        """In their order; a big one, which goes through the disk, comes alone."""
        session = self.connect()
        batch: list[Ref] = []
        octets = 0
        for ref in refs:
            size = session.sizes.get(session.numbers.get(ref.uid, 0), 0) if octets_each is None else octets_each
            if batch and (octets + size > BATCH_OCTETS or size > PIECE or len(batch) == WINDOW):
                yield batch
                batch, octets = [], 0
            batch.append(ref)
            octets += size
            if size > PIECE:
                yield batch
                batch, octets = [], 0
        if batch:
            yield batch


def header_of(content: Octets) -> bytes:
    """The header block with the empty line that ends it; all of it where there is none."""
    ends = [at + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (at := content.find(mark)) >= 0]
    return content[: min(ends, default=None)]
