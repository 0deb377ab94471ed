"""A big message from an IMAP server: fetched in pieces (RFC 9051, section 6.4.5), so that none is in memory whole."""

from __future__ import annotations

import logging
from collections import deque

from mailrules.api import Octets
from mailrules.builtin.folder.spool import PIECE, Spool
from mailrules.builtin.imap.fetch import read_fetches
from mailrules.builtin.imap.line import Sent, Stream
from mailrules.builtin.imap.session import BUSY, Session
from mailrules.builtin.line.wire import Limits

log = logging.getLogger(__name__)

AHEAD = 2
"""Pieces that are asked for at once."""
LIMITS = Limits(literal=PIECE, total=(AHEAD + 1) * PIECE)


def spooled(session: Session, uid: int, size: int) -> Octets | None:
    """The message of that UID, of *size* octets as the server says, through the disk; None where it does not come.

    A server may be wrong about the size: what counts is what it sends, from half of it to twice.

    Raises:
        Transient: the server has no time or breaks off, or the disk is full.
    """
    pieces = _Pieces(session, uid, size)
    with Spool(size) as spool:
        while (piece := pieces.at(spool.octets)) and spool.octets <= 2 * size + PIECE:
            spool.write(piece)
            if spool.octets >= size and len(piece) < PIECE:
                break
        if piece is not None and size // 2 <= spool.octets <= 2 * size + PIECE:
            return spool.message()
    why = pieces.refused or f"RFC822.SIZE says {size} octets, but it sends {'more' if piece else spool.octets}"
    log.warning("%s: left out, by UID: %d; %s", session.server, uid, why)
    return None


class _Pieces:
    """The pieces of one message, by their offsets, some of them asked for before they are wanted."""

    def __init__(self, session: Session, uid: int, size: int) -> None:
        self._session, self._uid, self._size = session, uid, size
        self._ahead: deque[tuple[int, Sent]] = deque()
        self._stream: Stream = []
        self._come: dict[int, bytes] = {}
        self.refused = ""
        """Why the server gave none."""

    def at(self, offset: int) -> bytes | None:
        """What begins there, a piece or less; empty at the end, None when the message is not to be had."""
        while offset not in self._come:
            if not self._ahead or self._ahead[0][0] != offset:  # a piece was shorter than asked for
                while self._ahead:
                    self._read()
                self._come.clear()
                self._ask(offset)
            while len(self._ahead) < AHEAD and (after := self._ahead[-1][0] + PIECE) < self._size:
                self._ask(after)
            if not self._read():
                return None
        return self._come.pop(offset)

    def _ask(self, offset: int) -> None:
        fetch = b"UID FETCH %d (UID BODY.PEEK[]<%d.%d>)" % (self._uid, offset, PIECE)
        self._ahead.append((offset, self._session.ahead(fetch, keep=b"FETCH", limits=LIMITS, stream=self._stream)))

    def _read(self) -> bool:
        """The answer to the oldest command; whether its piece has come."""
        offset, sent = self._ahead.popleft()
        answer = self._session.answer(sent)
        if not answer.done:
            refusal = self._session.refusal(sent, answer)
            if any(code in answer.text.upper() for code in BUSY):
                raise refusal
            self.refused = str(refusal)
        with self._session.talking():
            found = read_fetches(answer.responses).get(self._uid, {})
        for name, octets in found.items():
            if name.startswith(b"BODY[]"):
                self._come[int(name[7:-1] or offset)] = octets
        return offset in self._come
