"""One pass of one listener: what waits is read, decided, acted on and settled. No memory outside the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.core.parse import fingerprint, parse
from mailrules.engine.process import Case, later, process
from mailrules.engine.standing import spent
from mailrules.engine.world import World
from mailrules.model.code import Code
from mailrules.model.decision import Decision
from mailrules.model.entry import Entry, State
from mailrules.model.journal import Query
from mailrules.model.mailbox import Head, Mailbox, Ref, Settlement
from mailrules.model.message import Extent, Message

BATCH = 1000
"""Messages whose header blocks are in memory at once, and whose dispositions are settled together."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a pass did."""

    listener: str
    entries: tuple[Entry, ...] = ()
    left: int = 0
    """Messages that wait for the next pass."""
    before_start: int = 0
    """Messages that the first pass left alone, as `start:` says."""
    ended: str = ""
    """Why the listener takes no more mail; empty while it does."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message to handle, with its entry when an earlier pass had it in hand."""

    ref: Ref
    prior: Entry | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A waiting message whose header block has been read."""

    head: Head
    message: Message
    fingerprint: str
    prior: Entry | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass under way: a listener with its decider, on an open mailbox, in a world."""

    listener: Listener
    decider: Decider
    world: World
    mailbox: Mailbox

    def run(self) -> Report:
        """Handle what waits, oldest first, up to `max_emails`."""
        refs = self.mailbox.refs(unseen_only=self.listener.unseen_only)
        skipped = self._begin(refs)
        queue, left = self._queue(refs)
        entries: list[Entry] = []
        present = frozenset(refs)
        for at in range(0, len(queue), BATCH):
            if self.world.stopping() or (at and self._stopped()):
                break
            entries += self._batch(queue[at : at + BATCH], present)
            self.world.progress(self.listener.name, min(at + BATCH, len(queue)), len(queue))
        left = 0 if self._stopped() else left + len(queue) - len(entries)
        return Report(self.listener.name, tuple(entries), left, skipped, spent(self.listener, self.world.journal))

    def _stopped(self) -> bool:
        """Whether the one message that a listener was to take is on record: what is new stays where it is."""
        return self.listener.stop_after_first and bool(self.world.journal.history(self.listener.name).stopped)

    def _is_last(self, case: Case) -> bool:
        return self.listener.stop_after_first and case.entry.code.fires

    def _begin(self, refs: Sequence[Ref]) -> int:
        """On the very first pass, put on record what `start:` leaves alone."""
        journal, name, start = self.world.journal, self.listener.name, self.listener.start
        if journal.first_pass(name) is not None:
            return 0
        skipped = []
        for head in self.mailbox.heads(refs) if start != "all" else ():
            if not isinstance(start, datetime) or head.received is None or head.received < start:
                reason = f"it was there before the first pass (start: {start})"
                skipped.append(replace(self._entry(self._read(head)), state=State.SKIPPED, reason=reason))
        journal.begin(name, self.world.clock(), skipped)
        return len(skipped)

    def _queue(self, refs: Sequence[Ref]) -> tuple[list[_Waiting], int]:
        """What a crash left in hand, what is due again, then what is new; and how many must wait."""
        journal, name, now = self.world.journal, self.listener.name, self.world.clock()
        in_hand = [_Waiting(entry.ref, entry) for entry in journal.unfinished(name)]
        again = [_Waiting(entry.ref, entry) for entry in journal.due(name, now)]
        known = journal.known(name, refs, account=self.listener.account.name)
        again += [] if self._stopped() else [_Waiting(ref) for ref in refs if ref not in known]
        most = len(again) if self.listener.max_emails < 0 else self.listener.max_emails
        return in_hand + again[:most], max(0, len(again) - most)

    def _batch(self, queue: Sequence[_Waiting], present: frozenset[Ref]) -> list[Entry]:
        heads = {head.ref: head for head in self.mailbox.heads([waiting.ref for waiting in queue])}
        finished = [self._gone(w.prior, present) for w in queue if w.prior and w.ref not in heads]
        read = [self._read(heads[waiting.ref], waiting.prior) for waiting in queue if waiting.ref in heads]
        fresh, doubles = self._without_doubles(read, present)
        finished += self.world.journal.claim(doubles) if doubles else []
        acted: list[Case] = []
        waiting: list[Case] = []
        for case in self._decided(fresh):
            waiting.append(case)
            if case.acts or self._is_last(case):
                acted += self._act(waiting)
                waiting = []
            if self.world.stopping() or any(map(self._is_last, acted[-1:])):
                break
        finished += self._settle(acted + self._act(waiting))
        for entry in finished:
            self.world.recorded(entry)
        order = {waiting.ref: position for position, waiting in enumerate(queue)}
        return sorted(finished, key=lambda entry: order[entry.ref])

    def _act(self, cases: Sequence[Case]) -> list[Case]:
        """Take them in hand in one write, then perform their steps; what another process took is left out."""
        held = [case.entry for case in cases if case.held]
        if held:
            self.world.journal.save(held)
        fresh = [case.entry for case in cases if not case.held]
        claimed = {entry.ref: entry for entry in (self.world.journal.claim(fresh) if fresh else ())}
        claimed |= {entry.ref: entry for entry in held}
        taken = [replace(case, entry=claimed[case.entry.ref]) for case in cases if case.entry.ref in claimed]
        for case in filter(self._is_last, taken):  # before it acts: a crash leaves it in hand, and it is taken up first
            reason = f"it ended: #{case.entry.id} was its first message (stop_after_first)"
            self.world.journal.stop(self.listener.name, reason)
        return [replace(case, entry=process(case, self.listener, self.world)) if case.acts else case for case in taken]

    def _without_doubles(self, read: Sequence[_Read], present: frozenset[Ref]) -> tuple[list[_Read], list[Entry]]:
        """What is really new, and entries for references whose header block was met before, elsewhere."""
        prints = [one.fingerprint for one in read if one.prior is None]
        met = dict(self.world.journal.handled(self.listener.name, prints)) if prints else {}
        here: dict[str, Ref] = {}
        fresh: list[_Read] = []
        doubles: list[Entry] = []
        for one in read:
            earlier = met.get(one.fingerprint) if one.prior is None else None
            if earlier and earlier.state in (State.RETRY, State.PARKED) and earlier.ref not in present:
                fresh += self._moved(earlier, one)
            elif earlier:
                doubles.append(self._double(one, f"#{earlier.id}"))
            elif one.prior is None and one.fingerprint in here:
                doubles.append(self._double(one, f"UID {here[one.fingerprint].uid}"))
            else:
                here[one.fingerprint] = one.head.ref
                fresh.append(one)
        return fresh, doubles

    def _moved(self, earlier: Entry, read: _Read) -> list[_Read]:
        """A message that waits for a retry or a person turned up under another UID or folder: its entry follows it."""
        found = self.world.journal.find(Query(ids=frozenset({earlier.id or 0})))
        moved = [replace(entry, ref=read.head.ref) for entry in found]
        self.world.journal.save(moved)
        return [replace(read, prior=entry) for entry in moved if entry.state is State.RETRY]

    def _double(self, read: _Read, name: str) -> Entry:
        return replace(self._entry(read), state=State.SKIPPED, reason=f"the same message was handled as {name}")

    def _decided(self, fresh: Sequence[_Read]) -> Iterator[Case]:
        """Each message with its decision, in order; more than the header block is fetched only where it is needed."""
        tried = [(read, self._decide(read.message)) for read in fresh]
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
                entry = later(read.prior or self._entry(read), "its body could not be read", self.world)
                yield Case(read.message, Decision(None, Code.KEEP), entry, held=read.prior is not None)

    def _case(self, read: _Read, message: Message, decision: Decision) -> Case:
        entry = read.prior or self._entry(read)
        held = read.prior is not None and entry.state is not State.RETRY
        if entry.state is State.RETRY:
            entry = replace(entry, state=State.CLAIMED)
        return Case(message, decision, concluded(entry, decision), held=held, again=read.prior is not None)

    def _read(self, head: Head, prior: Entry | None = None) -> _Read:
        return _Read(
            head, self._parse(head), prior.fingerprint if prior else fingerprint(head.header, head.size), prior
        )

    def _parse(self, head: Head, raw: bytes | None = None) -> Message:
        return parse(
            head.header if raw is None else raw,
            extent=Extent.HEADER if raw is None else Extent.WHOLE,
            size=head.size,
            received=head.received,
            flags=head.flags,
            trust=self.listener.account.trust,
        )

    def _decide(self, message: Message) -> Decision:
        try:
            return self.decider.decide(message, self.world.clock())
        except Exception as error:
            return Decision(None, Code.KEEP, failure=f"{type(error).__name__} while deciding: {error}")

    def _entry(self, read: _Read) -> Entry:
        message = read.message
        return Entry(
            listener=self.listener.name,
            account=self.listener.account.name,
            ref=read.head.ref,
            fingerprint=read.fingerprint,
            state=State.CLAIMED,
            message_id=message.message_id,
            subject=message.subject,
            sender=str(message.author),
            date=message.date or read.head.received,
        )

    def _gone(self, entry: Entry, present: frozenset[Ref]) -> Entry:
        """A message in hand that is not in the mailbox any more, or not under that number."""
        if any(ref.validity != entry.ref.validity for ref in present):
            gone = later(entry, "the server numbered its messages anew; this one is looked for", self.world)
        elif entry.state is State.ACTED:
            gone = replace(entry, state=State.DONE, reason="")
        else:
            gone = replace(entry, state=State.SKIPPED, reason="it went from the mailbox before it was handled")
        self.world.journal.save([gone])
        return gone

    def _settle(self, cases: Sequence[Case]) -> list[Entry]:
        """Carry out the dispositions of all that have acted, in bulk, and close them."""
        due = [case for case in cases if case.entry.state is State.ACTED]
        settlements = [
            Settlement(case.entry.ref, case.entry.disposition, again=case.again)
            for case in due
            if not case.entry.disposition.idle
        ]
        failed = self.mailbox.settle(settlements) if settlements else {}
        closed = {case.entry.ref: self._closed(case.entry, failed.get(case.entry.ref)) for case in due}
        self.world.journal.save(closed.values())
        return [closed.get(case.entry.ref, case.entry) for case in cases]

    def _closed(self, entry: Entry, failure: str | None) -> Entry:
        if failure is not None:
            return later(entry, f"{entry.disposition}: {failure}", self.world)
        return replace(entry, state=State.DONE, retry_at=None)


def concluded(entry: Entry, decision: Decision) -> Entry:
    """The entry with what was decided. Without steps there is nothing left but to settle."""
    entry = replace(
        entry,
        rule=decision.rule,
        rule_span=str(decision.span),
        code=decision.code,
        disposition=decision.disposition,
        captures=decision.captures,
        reason=decision.failure or "; ".join(f"passed over: {rule}" for rule in decision.passed_over),
    )
    if decision.failure:
        return replace(entry, state=State.PARKED)
    if decision.steps or entry.steps:
        return entry
    return replace(entry, state=State.DONE if decision.disposition.idle else State.ACTED)


def run_pass(listener: Listener, decider: Decider, world: World) -> Report:
    """One pass from opening the mailbox to closing it.

    Raises:
        Transient: the mailbox cannot be reached, or broke off; what was in hand is taken up by the next pass.
        PersonNeeded: somebody must act first.
        JournalError: nothing may be acted on now.
    """
    began = world.clock()
    with closing(world.open(listener)) as mailbox:
        report = Pass(listener, decider, world, mailbox).run()
    if listener.schedule.remembered and not world.stopping():  # a run that was broken off is one missed
        world.journal.ran(listener.name, began)
    return report
