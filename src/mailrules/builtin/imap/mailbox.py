"""An IMAP folder as a `Mailbox`: UIDs and PEEK only, batches on the wire, dispositions in bulk."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from mailrules.api import Head, Octets, Parts, Ref, Settlement, Transient
from mailrules.builtin.folder.spool import PIECE
from mailrules.builtin.imap.fetch import Items, read_fetches, read_flags, read_moment, read_search, uid_batches, uid_set
from mailrules.builtin.imap.idle import Listening
from mailrules.builtin.imap.line import Answer, Sent, Stream
from mailrules.builtin.imap.parts import Fetching
from mailrules.builtin.imap.pieces import spooled
from mailrules.builtin.imap.session import BUSY, Session
from mailrules.builtin.imap.settle import Settling
from mailrules.builtin.line.tls import senseless
from mailrules.builtin.line.wire import MIB, Limits

log = logging.getLogger(__name__)

HEADS = 2_000
"""Header blocks in one command."""
LONGEST_HEADER = MIB
"""Octets of a header block that is still read, once one has been met that goes beyond all limits."""
CUT_HEADS = 100
"""Header blocks in one command then."""
BODIES = 50
"""Messages in one command where their sizes are not known."""
BODY_OCTETS = 8 * MIB
"""Octets of messages in one command where their sizes are known."""
LARGEST = 32 * MIB
"""Octets of one that is fetched whole, whatever the server said of its size before."""

LISTING = Limits(line=32 * MIB, total=32 * MIB, responses=10_000)
HEADERS = Limits(total=192 * MIB)
MESSAGES = Limits(literal=LARGEST, total=2 * LARGEST)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a message is fetched."""

    items: bytes
    """As the command asks for it."""
    name: bytes
    """The item that a message must bring."""
    limits: Limits


HEADER = Part(b" (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])", b"BODY[HEADER]", HEADERS)
CUT_HEADER = Part(HEADER.items.replace(b"]", b"]<0.%d>" % (LONGEST_HEADER + 1)), b"BODY[HEADER]<0>", HEADERS)
WHOLE = Part(b" (UID BODY.PEEK[])", b"BODY[]", MESSAGES)
Found: TypeAlias = dict[int, Items]


class ImapMailbox(Listening):
    """One folder on an IMAP server.

    What breaks all limits is no reason to give up the mailbox, as it may be the doing of one message: then it connects
    anew, and asks for less.
    """

    def __init__(self, connect: Callable[[], Session]) -> None:
        """Connect; *connect* gives a new session with the same folder open."""
        self._connect = connect
        self._session = connect()
        self._sizes: dict[int, int] = {}
        self._listed = False

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:
        r"""Every message there, by rising UID; one that is marked \Deleted counts as gone."""
        if self._listed:  # a server may search what it knew before the last command
            self._session.demand(b"NOOP")
        else:
            self._session.line.came = 0  # listed again, who asked may still go by the first list
        self._listed = True
        wanted = b"UNDELETED UNSEEN" if unseen_only else b"UNDELETED"
        compact = self._session.has("ESEARCH", "IMAP4REV2")
        command, keep = (b"UID SEARCH RETURN (ALL) ", b"ESEARCH") if compact else (b"UID SEARCH ", b"SEARCH")
        answer = self._session.demand(command + wanted, keep=keep, limits=LISTING)
        with self._session.talking():
            uids = read_search(answer.responses)
        return [Ref(self._session.folder, self._session.validity, str(uid)) for uid in uids]

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """Header blocks in the order asked for; a batch is read whole before the first of it is given."""
        wanted = self._here(refs)
        given: set[Ref] = set()
        try:
            for ref, items in self._each(batches(wanted, HEADS), HEADER):
                given.add(ref)
                yield self._head(ref, items, items[HEADER.name])
            return
        except Transient as error:
            self._begin_anew(error)
        for ref, items in self._each(batches([ref for ref in wanted if ref not in given], CUT_HEADS), CUT_HEADER):
            header = items[CUT_HEADER.name]
            if len(header) <= LONGEST_HEADER:
                yield self._head(ref, items, header)
            else:
                log.warning("left out, by UID: %s; its header block has over %d octets", ref.uid, LONGEST_HEADER)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """Whole messages in the order asked for; a batch is read whole before the first of it, a big one by pieces."""
        for big, run in groupby(self._here(refs), lambda ref: self._sizes.get(uid_of(ref), 0) > PIECE):
            if not big:
                yield from self._small(list(run))
                continue
            for ref in run:
                raw = spooled(self._session, uid_of(ref), self._sizes[uid_of(ref)])
                if raw is not None:
                    yield ref, raw

    def _small(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, bytes]]:
        for ref, items in self._each(self._by_size(refs), WHOLE):
            yield ref, items[WHOLE.name]

    def parts(self, heads: Sequence[Head], *, text: bool) -> Iterator[tuple[Ref, Parts]]:
        """See `mailrules.api.Selective`; a structure beyond all limits leaves it and the others to be fetched whole."""
        here = set(self._here([head.ref for head in heads]))
        try:
            yield from Fetching(self._session, text=text).run([head for head in heads if head.ref in here])
        except Transient as error:
            self._begin_anew(error)

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Marks, copies, moves, deletions, each in few commands; gives the reason for each that failed."""
        with self._session.talking():
            return Settling(self._session, settlements).run()

    def close(self) -> None:
        """Log out. Never raises."""
        with contextlib.suppress(Exception):
            self._session.close()

    def _here(self, refs: Sequence[Ref]) -> list[Ref]:
        """Those of this folder; another UIDVALIDITY makes them strangers too (RFC 9051, section 2.3.1.1)."""
        here = {folder for folder in {ref.folder for ref in refs} if self._session.is_open(folder)}
        return [ref for ref in refs if ref.validity == self._session.validity and ref.folder in here]

    def _begin_anew(self, error: Transient) -> None:
        """Connect again after an answer that makes no sense; any other *error* is raised."""
        if not senseless(error):
            raise error
        log.warning("%s; asked anew, for less", error)
        self._session = self._connect()
        self._session.line.came = 1  # what came before, it will not tell of

    def _each(self, batches: Iterable[Sequence[Ref]], part: Part) -> Iterator[tuple[Ref, Items]]:
        """Each of which *part* came, with what came of it."""
        for batch, found in self._fetch(batches, part):
            for ref in batch:
                items = found.pop(uid_of(ref), {})
                if part.name in items:
                    yield ref, items

    def _fetch(self, batches: Iterable[Sequence[Ref]], part: Part) -> Iterator[tuple[Sequence[Ref], Found]]:
        """Each batch with what came for it; the next one is asked for before, so that the server works meanwhile."""
        ahead: deque[tuple[Sequence[Ref], list[tuple[list[int], Sent]]]] = deque()
        found: Found = {}
        stream: Stream = []
        for batch in batches:
            asked = [(uids, self._asked(uids, part, stream)) for uids in uid_batches(map(uid_of, batch), HEADS)]
            ahead.append((batch, asked))
            if len(ahead) > 1:
                yield self._come(*ahead.popleft(), part, found), found
        while ahead:
            yield self._come(*ahead.popleft(), part, found), found

    def _asked(self, uids: Iterable[int], part: Part, stream: Stream) -> Sent:
        fetch = b"UID FETCH " + uid_set(uids) + part.items
        return self._session.ahead(fetch, keep=b"FETCH", limits=part.limits, stream=stream)

    def _come(
        self, batch: Sequence[Ref], asked: Iterable[tuple[list[int], Sent]], part: Part, found: Found
    ) -> Sequence[Ref]:
        """Read what answers *batch* into *found*, where some of the next one may be too."""
        for uids, sent in asked:
            answer = self._read(sent, found)
            if not answer.done:
                self._one_by_one(uids, part, found, self._session.refusal(sent, answer))
        return batch

    def _read(self, sent: Sent, found: Found) -> Answer:
        """The answer to one command, what it brought added to *found*, also where it is a refusal in the end.

        Raises:
            Transient: the server has no time, whatever the message.
        """
        answer = self._session.answer(sent)
        with self._session.talking():
            for uid, items in read_fetches(answer.responses).items():
                found.setdefault(uid, {}).update(items)
        if not answer.done and any(code in answer.text.upper() for code in BUSY):
            raise self._session.refusal(sent, answer)
        return answer

    def _one_by_one(self, uids: Sequence[int], part: Part, found: Found, refusal: Transient) -> None:
        """After a refusal, ask for each message that did not come: one that cannot be read keeps nobody from others.

        Raises:
            Transient: several were asked for and none can be read, so that it is not about a message.
        """
        missing = [uid for uid in uids if part.name not in found.get(uid, {})]
        refused = list(missing) if len(uids) == 1 else []
        for uid in missing if len(uids) > 1 else ():
            if not self._read(self._asked([uid], part, []), found).done:
                refused.append(uid)
        if len(refused) == len(uids) > 1:
            raise refusal
        if refused:
            log.warning("left out, by UID: %s; %s", uid_set(refused).decode(), refusal)

    def _head(self, ref: Ref, items: Items, header: bytes) -> Head:
        size = items.get(b"RFC822.SIZE", b"")
        if size.isdigit():
            self._sizes[uid_of(ref)] = int(size)
        return Head(
            ref,
            header,
            size=self._sizes.get(uid_of(ref)),
            received=read_moment(items.get(b"INTERNALDATE", b"")),
            flags=read_flags(items.get(b"FLAGS", b"")),
        )

    def _by_size(self, refs: Sequence[Ref]) -> Iterator[list[Ref]]:
        batch: list[Ref] = []
        octets = 0
        for ref in refs:
            size = self._sizes.get(uid_of(ref), BODY_OCTETS // BODIES)
            if batch and octets + size > BODY_OCTETS:
                yield batch
                batch, octets = [], 0
            batch.append(ref)
            octets += size
        if batch:
            yield batch


def batches(refs: Sequence[Ref], most: int) -> Iterator[Sequence[Ref]]:
    """*refs* in their order, at most so many at a time."""
    for start in range(0, len(refs), most):
        yield refs[start : start + most]


def uid_of(ref: Ref) -> int:
    """Its UID as a number."""
    return int(ref.uid)
