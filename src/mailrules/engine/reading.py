"""What waits, read and decided: the header block first, more only where that does not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.core.parse import fingerprint, parse
from mailrules.engine.conclude import concluded
from mailrules.engine.process import Case, later
from mailrules.engine.world import World
from mailrules.model.code import Code
from mailrules.model.decision import Decision
from mailrules.model.entry import Entry, State
from mailrules.model.mailbox import Head, Mailbox, Octets, Ref
from mailrules.model.message import Extent, Message


@dataclass(frozen=True, slots=True)
class Read:
    """A waiting message whose header block has been read."""

    head: Head
    message: Message
    fingerprint: str
    prior: Entry | None = None


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
        """Each message with its decision, in order; more than the header block is fetched only where it is needed."""
        tried = [(read, self._at_first(read)) for read in fresh]
        bodies = self.mailbox.bodies([read.head.ref for read, decision in tried if decision.needs_body])
        body = next(bodies, None)
        for read, decision in tried:
            if not decision.needs_body:
                yield self._case(read, read.message, decision)
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
