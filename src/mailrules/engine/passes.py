"""One pass of one listener: what waits is read, decided, acted on and settled. No memory outside the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.engine.allowance import Allowance
from mailrules.engine.expire import EXPIRY
from mailrules.engine.intake import Intake
from mailrules.engine.process import Case, later, process
from mailrules.engine.reading import Read, Reader
from mailrules.engine.settling import Acted, Settler, recorded
from mailrules.engine.standing import spent
from mailrules.engine.world import World
from mailrules.model.entry import Entry, State
from mailrules.model.journal import Query
from mailrules.model.mailbox import Head, Mailbox, Ref

BATCH = 2000
"""Messages whose header blocks are in memory at once, and that the journal takes in hand in one write."""


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
class Pass:
    """A pass under way: a listener on an open mailbox, in a world."""

    listener: Listener
    world: World
    mailbox: Mailbox
    reader: Reader
    settler: Settler
    allowance: Allowance
    intake: Intake

    def run(self) -> Report:
        """Handle what waits, oldest first, up to `max_emails`."""
        refs = self.mailbox.refs(unseen_only=self.listener.unseen_only)
        skipped = self._begin(refs)
        queue, left, entries = self._queue(refs)
        entries = recorded(self.world, entries)
        acted: list[Acted] = []
        present = frozenset(refs)
        self.allowance.present = len(present)
        for at in range(0, len(queue), BATCH):
            if self.world.stopping() or (at and self._stopped()):
                break

            def told(handled: int, before: int = at) -> None:
                self.world.progress(self.listener.name, before + handled, len(queue))

            ended, more = self._batch(queue[at : at + BATCH], present, told)
            entries += recorded(self.world, ended)
            acted += more
            if any(one.performed or one.again for one in more):
                entries += self.settler.settle(acted)
                acted = []
        entries += self.settler.settle(acted)
        order = {waiting.ref: position for position, waiting in enumerate(queue)}
        left = 0 if self._stopped() else left + len(queue) - sum(entry.ref in order for entry in entries)
        entries.sort(key=lambda entry: order.get(entry.ref, -1))
        return Report(self.listener.name, tuple(entries), left, skipped, spent(self.listener, self.world.journal))

    def _stopped(self) -> bool:
        """Whether the one message that a listener was to take is on record: what is new stays where it is."""
        return self.listener.stop_after_first and bool(self.world.journal.history(self.listener.name).stopped)

    def _is_last(self, entry: Entry) -> bool:
        return self.listener.stop_after_first and entry.code.fires

    def _begin(self, refs: Sequence[Ref]) -> int:
        """On the very first pass, put on record what `start:` leaves alone."""
        journal, start = self.world.journal, self.listener.start
        if journal.first_pass(beginning(self.listener)) is not None:
            return 0
        if self.listener.unseen_only and start != "all":
            refs = self.mailbox.refs(unseen_only=False)  # what is read may be marked unread some day
        reason = f"it was there before the first pass (start: {start})"
        unread = dict.fromkeys(refs) if start != "all" else {}
        skipped: list[Entry] = []
        for head in self.mailbox.heads(tuple(unread)):  # let go of one by one: there may be a great many
            del unread[head.ref]
            if not (isinstance(start, datetime) and came_since(head, start)):
                skipped.append(self.reader.entry(self.reader.read(head), state=State.SKIPPED, reason=reason))
        skipped += [replace(self.reader.unread(ref), state=State.SKIPPED, reason=reason) for ref in unread]
        journal.begin(beginning(self.listener), self.world.clock(), skipped)
        journal.begin(self.listener.name, self.world.clock(), [])
        return len(skipped)

    def _queue(self, refs: Sequence[Ref]) -> tuple[list[_Waiting], int, list[Entry]]:
        """What a crash left in hand, what is due again, then what is new; how many must wait; what is too old."""
        journal, name, now = self.world.journal, self.listener.name, self.world.clock()
        in_hand = [_Waiting(entry.ref, entry) for entry in self._ours(journal.unfinished(name))]
        again = [_Waiting(entry.ref, entry) for entry in self._ours(journal.due(name, now))]
        known = journal.known(name, refs, account=self.listener.account.name)
        new = [] if self._stopped() else [ref for ref in refs if ref not in known]
        most = self.listener.max_emails
        old = self.intake.too_old(new, wanted=most if most < 0 else max(0, most - len(again)))
        gone = {entry.ref for entry in old}
        again += [_Waiting(ref) for ref in new if ref not in gone]
        most = len(again) if most < 0 else most
        return in_hand + again[:most], max(0, len(again) - most), old

    def _ours(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Those that stand for a message of this account: a listener may have watched another one before."""
        mine = self.listener.account.name
        return (entry for entry in entries if entry.ref.validity != EXPIRY and entry.account == mine)

    def _batch(
        self, queue: Sequence[_Waiting], present: frozenset[Ref], told: Callable[[int], None]
    ) -> tuple[list[Entry], list[Acted]]:
        """What has come to its end without being acted on, and what has been acted on."""
        heads = {head.ref: head for head in self.mailbox.heads([waiting.ref for waiting in queue])}
        read = [self.reader.read(heads[waiting.ref], waiting.prior) for waiting in queue if waiting.ref in heads]
        ended = self._without_head([waiting for waiting in queue if waiting.ref not in heads], present)
        ended += [self._replaced(one.prior) for one in read if one.prior and one.prior.fingerprint != one.fingerprint]
        read = [one for one in read if one.prior is None or one.prior.fingerprint == one.fingerprint]
        fresh, doubles = self._without_doubles(read, present)
        ended += self.world.journal.claim(doubles) if doubles else []
        fresh, too_big = self.intake.too_big(fresh)
        ended += too_big
        acted: list[Acted] = []
        waiting: list[Case] = []
        for handled, decided in enumerate(self.reader.cases(fresh), start=1):
            told(handled)
            case = self.allowance.weigh(decided)
            waiting.append(case)
            if case.acts or self._is_last(case.entry):
                acted += self._act(waiting)
                waiting = []
            if self.world.stopping() or any(self._is_last(one.entry) for one in acted[-1:]):
                break
        return ended, acted + self._act(waiting)

    def _act(self, cases: Sequence[Case]) -> list[Acted]:
        """Take them in hand in one write, then perform their steps; what another process took is left out."""
        self.allowance.spend()
        held = [case.entry for case in cases if case.held]
        if held:
            self.world.journal.save(held)
        fresh = [case.entry for case in cases if not case.held]
        claimed = {entry.ref: entry for entry in (self.world.journal.claim(fresh) if fresh else ())}
        claimed |= {entry.ref: entry for entry in held}
        taken = [(case, claimed[case.entry.ref]) for case in cases if case.entry.ref in claimed]
        for _, entry in taken:
            if self._is_last(entry):  # before it acts: a crash leaves it in hand, and it is taken up first
                reason = f"it ended: #{entry.id} was its first message (stop_after_first)"
                self.world.journal.stop(self.listener.name, reason)
        return [self._acted(case, entry) for case, entry in taken]

    def _acted(self, case: Case, claimed: Entry) -> Acted:
        performed = case.acts
        entry = process(replace(case, entry=claimed), self.listener, self.world) if performed else claimed
        return Acted(entry, again=case.again, performed=performed)

    def _without_doubles(self, read: Sequence[Read], present: frozenset[Ref]) -> tuple[list[Read], list[Entry]]:
        """What is really new, and entries for messages that were met before under a reference that is gone.

        Where both lie in the mailbox they are two messages, however alike.
        """
        prints = [one.fingerprint for one in read if one.prior is None]
        met = dict(self.world.journal.handled(self.listener.name, prints)) if prints else {}
        if self.listener.unseen_only and any(earlier.ref not in present for earlier in met.values()):
            present = frozenset(self.mailbox.refs(unseen_only=False))  # it may only have been read
        fresh: list[Read] = []
        doubles: list[Entry] = []
        for one in read:
            earlier = met.get(one.fingerprint) if one.prior is None else None
            if earlier is None or earlier.ref in present or _another(earlier):
                fresh.append(one)
            elif earlier.state in (State.RETRY, State.PARKED):
                fresh += self._moved(earlier, one)
            else:
                reason = f"the same message was handled as #{earlier.id}"
                doubles.append(self.reader.entry(one, state=State.SKIPPED, reason=reason))
        return fresh, doubles

    def _moved(self, earlier: Entry, read: Read) -> list[Read]:
        """A message that waits for a retry or a person turned up under another UID or folder: its entry follows it."""
        found = self.world.journal.find(Query(ids=frozenset({earlier.id or 0})))
        moved = [replace(entry, ref=read.head.ref) for entry in found]
        self.world.journal.save(moved)
        return [replace(read, prior=entry) for entry in moved if entry.state is State.RETRY]

    def _without_head(self, waiting: Sequence[_Waiting], present: frozenset[Ref]) -> list[Entry]:
        """Messages whose header block did not come: on record, so that they neither block others nor get lost."""
        if waiting and self.listener.unseen_only:
            present = frozenset(self.mailbox.refs(unseen_only=False))
        ended = [self._gone(one.prior, present) for one in waiting if one.prior and one.ref not in present]
        reason = "its header could not be read"
        unread = [
            later(one.prior or self.reader.unread(one.ref), reason, self.world) for one in waiting if one.ref in present
        ]
        self.world.journal.save([entry for entry in unread if entry.id is not None])
        fresh = [entry for entry in unread if entry.id is None]
        return ended + [entry for entry in unread if entry.id is not None] + self.world.journal.claim(fresh)

    def _replaced(self, entry: Entry) -> Entry:
        """Never act by an old decision on a message that is another one."""
        parked = replace(entry, state=State.PARKED, reason="another message lies under its number now", retry_at=None)
        self.world.journal.save([parked])
        return parked

    def _gone(self, entry: Entry, present: frozenset[Ref]) -> Entry:
        """A message in hand that is not in the mailbox any more, or not under that number."""
        if any(ref.validity != entry.ref.validity for ref in present):
            gone = later(entry, "the server numbered its messages anew; this one is looked for", self.world)
        elif entry.state is State.ACTED:
            gone = replace(entry, state=State.DONE, retry_at=None)
        else:
            reason = "it went from the mailbox before it was handled"
            gone = replace(entry, state=State.SKIPPED, reason=reason, retry_at=None)
        self.world.journal.save([gone])
        return gone


def came_since(head: Head, start: datetime) -> bool:
    """Whether the server says that it came at that moment or later."""
    return head.received is not None and head.received >= start


def _another(earlier: Entry) -> bool:
    """Whether a message like one that we deleted must be another: nothing in it says that it is the same."""
    return earlier.state is State.DONE and earlier.disposition.delete and not earlier.message_id


def beginning(listener: Listener) -> str:
    """By which name the journal keeps a first pass: a listener that is turned to another folder begins anew there."""
    return f"{listener.name} on {listener.account.name}/{listener.folder}"


def run_pass(listener: Listener, decider: Decider, world: World) -> Report:
    """One pass from opening the mailbox to closing it.

    Raises:
        Transient: the mailbox cannot be reached, or broke off; what was in hand is taken up by the next pass.
        PersonNeeded: somebody must act first.
        JournalError: nothing may be acted on now.
    """
    with closing(world.open(listener)) as mailbox:
        return pass_over(mailbox, listener, decider, world)


def pass_over(mailbox: Mailbox, listener: Listener, decider: Decider, world: World) -> Report:
    """One pass over an open mailbox, which stays open; raises as `run_pass`."""
    began = world.clock()
    reader = Reader(listener, decider, world, mailbox)
    settler, allowance = Settler(listener, world, mailbox), Allowance(listener, world)
    intake = Intake(listener, world, mailbox, reader)
    report = Pass(listener, world, mailbox, reader, settler, allowance, intake).run()
    if listener.schedule.remembered and not world.stopping():  # a run that was broken off is one missed
        world.journal.ran(listener.name, began)
    return report
