"""Messages without the contents that nobody needs: which octets to ask for, and a body made of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mailrules.api import Head, Leaf, Parts, Ref
from mailrules.builtin.imap.fetch import Items, read_fetches, uid_batches, uid_set
from mailrules.builtin.imap.line import Sent, Stream
from mailrules.builtin.imap.session import Session
from mailrules.builtin.imap.structure import Part, read_structure
from mailrules.builtin.line.wire import MIB, Limits

SMALL = 4_096
"""Octets that it is not worth to leave out: to ask what is in a message, or for one more piece of it, costs as much."""
LARGEST = 2 * MIB
"""Octets of what is to be fetched of a message beyond which it is fetched whole."""
FEW = 64
"""Octets of plain text that may well be blank, so that the HTML is fetched with it."""
TOGETHER = 500
"""Messages that are asked for together."""
OCTETS = 8 * MIB
"""Octets that are asked for together."""
STRUCTURES = Limits(line=16 * MIB, literal=MIB, total=64 * MIB)
PIECES = Limits(literal=LARGEST, total=OCTETS + LARGEST + 16 * MIB)
ALL = (0, -1)
"""The range of a body as it is."""
_TEXT = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for of one message."""

    ref: Ref
    ranges: tuple[tuple[int, int], ...]
    """Of its body: where each begins, and its length."""
    octets: int
    leaves: tuple[Leaf, ...] = ()


class Fetching:
    """Of many messages, what is needed."""

    def __init__(self, session: Session, *, text: bool) -> None:
        self._session = session
        self._text = text

    def run(self, heads: Sequence[Head]) -> Iterator[tuple[Ref, Parts]]:
        """What could be put together, in the order asked for; the next ones are asked for before, as everywhere."""
        ahead: deque[tuple[Sequence[Plan], list[Sent]]] = deque()
        found: dict[int, Items] = {}
        stream: Stream = []
        for plans in _together(self._plans(heads)):
            ahead.append((plans, [self._asked(uids, ranges, stream) for ranges, uids in _alike(plans)]))
            if len(ahead) > 1:
                yield from self._come(*ahead.popleft(), found)
        while ahead:
            yield from self._come(*ahead.popleft(), found)

    def _plans(self, heads: Sequence[Head]) -> Iterator[Plan]:
        """One for each message that need not be fetched whole."""
        lengths = {head.ref: head.size - len(head.header) for head in heads if head.size is not None}
        simple = {head.ref for head in heads if head.size is not None and self._is_simple(head, lengths[head.ref])}
        told = self._structures([int(ref.uid) for ref in lengths if ref not in simple])
        for head in heads:
            leaves = told.get(int(head.ref.uid))
            if head.ref in simple:
                yield Plan(head.ref, (ALL,), lengths[head.ref])
            elif leaves and (plan := planned(head.ref, lengths[head.ref], leaves, text=self._text)):
                yield plan

    def _is_simple(self, head: Head, length: int) -> bool:
        """Whether nothing could be left out of it, or too little."""
        return self._text and (length <= SMALL or (length <= LARGEST and b"multipart/" not in head.header.lower()))

    def _structures(self, uids: Sequence[int]) -> dict[int, Sequence[Part]]:
        stream: Stream = []
        ask = b"UID FETCH %s (UID BODYSTRUCTURE)"
        commands = [
            self._session.ahead(ask % uid_set(batch), keep=b"FETCH", limits=STRUCTURES, stream=stream)
            for batch in uid_batches(uids, TOGETHER)
        ]
        answers = (self._session.answer(sent) for sent in commands)
        return dict(filter(None, (read_structure(response) for answer in answers for response in answer.responses)))

    def _asked(self, uids: Iterable[int], ranges: Iterable[tuple[int, int]], stream: Stream) -> Sent:
        items = b"".join(b" BODY.PEEK[TEXT]" + (b"" if each == ALL else b"<%d.%d>" % each) for each in ranges)
        fetch = b"UID FETCH %s (UID%s)" % (uid_set(uids), items)
        return self._session.ahead(fetch, keep=b"FETCH", limits=PIECES, stream=stream)

    def _come(
        self, plans: Sequence[Plan], commands: Iterable[Sent], found: dict[int, Items]
    ) -> Iterator[tuple[Ref, Parts]]:
        """A command that is refused brings nothing: its messages are fetched whole then, where more can be said."""
        for sent in commands:
            answer = self._session.answer(sent)
            with self._session.talking():
                for uid, items in read_fetches(answer.responses).items():
                    found.setdefault(uid, {}).update(items)
        for plan in plans:
            parts = put_together(plan, found.pop(int(plan.ref.uid), {}))
            if parts is not None:
                yield plan.ref, parts


def _together(plans: Iterable[Plan]) -> Iterator[list[Plan]]:
    batch: list[Plan] = []
    octets = 0
    for plan in plans:
        if batch and (octets + plan.octets > OCTETS or len(batch) == TOGETHER):
            yield batch
            batch, octets = [], 0
        batch.append(plan)
        octets += plan.octets
    if batch:
        yield batch


def _alike(plans: Iterable[Plan]) -> Iterator[tuple[tuple[tuple[int, int], ...], list[int]]]:
    """The UIDs of which the same is wanted."""
    groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for plan in plans:
        groups.setdefault(plan.ranges, []).append(int(plan.ref.uid))
    for ranges, uids in groups.items():
        for batch in uid_batches(uids, TOGETHER):
            yield ranges, batch


def planned(ref: Ref, length: int, parts: Sequence[Part], *, text: bool) -> Plan | None:
    """What to ask for of a body of so many octets; None where the whole message is as good.

    The server tells how long the parts are, and not where they begin: all that stands between them, delimiters and
    header blocks, is as long as what they leave of the body. So a part begins at the earliest behind those before it,
    and at the latest so much later; what lies between the latest start and the earliest end is surely within it.
    """
    between = length - sum(part.octets for part in parts)
    texts = _texts(parts) if text else frozenset[int]()
    leaves: list[Leaf] = []
    ranges: list[tuple[int, int]] = []
    begin = 0
    for number, end in enumerate(accumulate(part.octets for part in parts)):
        part = parts[number]
        cut = part.octets - between
        if number in texts or cut <= SMALL or not part.container:
            cut = 0
        else:
            ranges.append((begin, end - cut - begin))
            begin = end
        leaves.append(Leaf(part.type, part.octets, cut))
    ranges.append((begin, length - begin))
    octets = sum(size for _, size in ranges)
    if between < 0 or octets > LARGEST:
        return None
    return Plan(ref, tuple(ranges), octets, tuple(leaves)) if len(ranges) > 1 else Plan(ref, (ALL,), octets)


def _texts(parts: Sequence[Part]) -> frozenset[int]:
    """Which parts are the text, as messages are read here; HTML only where the plain text may be blank.

    This is a guess: where the header blocks of the parts say otherwise, a text is found missing later.
    """
    texts: list[int] = []
    for number, part in enumerate(parts):
        added = texts and part.named and part.container != "multipart/alternative"
        if part.type in _TEXT and part.disposition != "attachment" and not added:
            texts.append(number)
    plain = [number for number in texts if parts[number].type == "text/plain"]
    return frozenset(plain if sum(parts[number].octets for number in plain) > FEW else texts)


def put_together(plan: Plan, items: Items) -> Parts | None:
    """The body, from what came; None where something did not come, or not as long as it should be."""
    if plan.ranges == (ALL,):
        return Parts(items[b"BODY[TEXT]"]) if b"BODY[TEXT]" in items else None
    pieces = [items.get(b"BODY[TEXT]<%d>" % begin, b"") for begin, _ in plan.ranges]
    if [len(piece) for piece in pieces] != [size for _, size in plan.ranges]:
        return None
    return Parts(b"".join(pieces), plan.leaves)
