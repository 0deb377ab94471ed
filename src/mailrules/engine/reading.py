"""What waits, read and decided: the header block first, more only where that does not tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.core.parse import fingerprint, parse
from mailrules.core.skeleton import assembled, leaf
from mailrules.engine.conclude import concluded
from mailrules.engine.process import Case, later
from mailrules.engine.world import World
from mailrules.model.code import Code
from mailrules.model.decision import Decision
from mailrules.model.entry import Entry, State
from mailrules.model.mailbox import Head, Mailbox, Octets, Ref, Selective
from mailrules.model.message import Extent, Message

HELD = 32 * 1024 * 1024
"""Octets of header blocks and parts beyond which what needs more is fetched before other messages are looked at."""


@dataclass(frozen=True, slots=True)
class Read:
    """A waiting message whose header block has been read."""

    head: Head
    message: Message
    fingerprint: str
    prior: Entry | None = None


class _Tried(NamedTuple):
    """A message as far as it is loaded, and what that tells."""

    read: Read
    message: Message
    decision: Decision


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads an open mailbox for a listener, and decides by its rules."""

    listener: Listener
    decider: Decider
    world: World
    mailbox: Mailbox

    def read(self, head: Head, prior: Entry | None = None) -> Read:
        """A message by its header block, with its entry when an earlier pass had it in hand."""
        print_ = fingerprint(head.header, head.size)
        if prior and not prior.fingerprint:  # until now its header could not be read
            prior = replace(prior, fingerprint=print_)
        return Read(head, self._parse(head, head.header, Extent.HEADER), print_, prior)

    def entry(self, read: Read, **known: Any) -> Entry:
        """A new entry with what is *known* already of its columns."""
        message = read.message
        return Entry(
            listener=self.listener.name,
            account=self.listener.account.name,
            ref=read.head.ref,
            fingerprint=read.fingerprint,
            message_id=message.message_id,
            subject=message.subject,
            sender=str(message.author),
            date=message.date or read.head.received,
            **{"state": State.CLAIMED} | known,
        )

    def unread(self, ref: Ref) -> Entry:
        """A new entry of a message whose header block did not come."""
        return Entry(self.listener.name, self.listener.account.name, ref, fingerprint="", state=State.CLAIMED)

    def cases(self, fresh: Sequence[Read]) -> Iterator[Case]:
        """Each message with its decision, in order; more than the header block is fetched only where it is needed.

        First the structure and the text, where the mailbox can give these alone; the whole of what is unknown then.
        """
        tried = [self._by_header(read) for read in fresh]
        for together in _together(self._by_parts(tried)):
            yield from self._by_whole(together)

    def _by_header(self, read: Read) -> _Tried:
        """A message that holds no parts needs no more than its header block to show that."""
        decision = self._at_first(read)
        if decision.needs not in (Extent.STRUCTURE, Extent.TEXT):
            return _Tried(read, read.message, decision)
        text = decision.needs is Extent.TEXT
        single = leaf(read.head, read.message, text=text, trust=self.listener.account.trust)
        return _Tried(read, single, self._decide(single)) if single else _Tried(read, read.message, decision)

    def _by_parts(self, tried: Sequence[_Tried]) -> Iterator[_Tried]:
        wanted = [one for one in tried if one.decision.needs in (Extent.STRUCTURE, Extent.TEXT)]
        if not wanted or not isinstance(self.mailbox, Selective):
            yield from tried
            return
        text = any(one.decision.needs is Extent.TEXT for one in wanted)
        found = self.mailbox.parts([one.read.head for one in wanted], text=text)
        parts = next(found, None)
        for one in tried:
            if parts is None or parts[0] != one.read.head.ref:
                yield one
                continue
            message = assembled(one.read.head, parts[1], one.message, text=text, trust=self.listener.account.trust)
            yield one if message is None else _Tried(one.read, message, self._decide(message))
            parts = next(found, None)

    def _by_whole(self, tried: Sequence[_Tried]) -> Iterator[Case]:
        bodies = self.mailbox.bodies([one.read.head.ref for one in tried if one.decision.needs])
        body = next(bodies, None)
        for read, message, decision in tried:
            if not decision.needs:
                yield self._case(read, message, decision)
            elif body is not None and body[0] == read.head.ref:
                whole = self._parse(read.head, body[1])
                yield self._case(read, whole, self._decide(whole))
                body = next(bodies, None)
            else:
                entry = later(read.prior or self.entry(read), "its body could not be read", self.world)
                yield Case(read.message, Decision(None, Code.KEEP), entry, held=read.prior is not None)

    def _at_first(self, read: Read) -> Decision:
        """By the header block; of a message that is too big to be read whole, for good."""
        why = oversized(read.head, self.listener) if self.listener.oversize == "header" else ""
        if not why:
            return self._decide(read.message)
        decision = self._decide(self._parse(read.head, read.head.header, Extent.CUT))
        lacking = [step.name for step in decision.steps if step.needs_body]
        if not lacking:
            return decision
        failure = f"{lacking[0]} needs the whole message, but {why}"
        return Decision(decision.rule, Code.KEEP, failure=failure, span=decision.span)

    def _case(self, read: Read, message: Message, decision: Decision) -> Case:
        prior = read.prior
        message = message if decision.steps else read.message  # which others wait for, and need not hold whole
        if prior is None:
            entry = self.entry(read, **concluded(decision, State.CLAIMED))
            return Case(message, decision, entry)
        held = prior.state is not State.RETRY
        entry = replace(prior, **concluded(decision, prior.state if held else State.CLAIMED, prior.steps))
        return Case(message, decision, entry, held=held, again=True)

    def _parse(self, head: Head, raw: Octets, extent: Extent = Extent.WHOLE) -> Message:
        return parse(
            raw,
            extent=extent,
            size=head.size,
            received=head.received,
            flags=head.flags,
            trust=self.listener.account.trust,
        )

    def _decide(self, message: Message) -> Decision:
        try:
            return self.decider.decide(message, self.world.clock())
        except (Exception, SystemExit) as error:
            return Decision(None, Code.KEEP, failure=f"{type(error).__name__} while deciding: {error}")


def oversized(head: Head, listener: Listener) -> str:
    """Why a message is too big for a listener, by the server's word; empty when it is not."""
    size, most = head.size, listener.max_size
    if size is None or most is None or size <= most:
        return ""
    return f"it has {_shown(size)}, more than max_size: {_shown(most)}"


def _shown(octets: int) -> str:
    """`25 MB`, `1.2 GB`, `900 octets`."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if octets >= length:
            return f"{octets / length:.3g} {unit}"
    return f"{octets} octets"


def _together(tried: Iterable[_Tried]) -> Iterator[list[_Tried]]:
    """As many as may be in memory at once."""
    batch: list[_Tried] = []
    octets = 0
    for one in tried:
        batch.append(one)
        octets += len(one.message.raw)
        if octets > HELD:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch
