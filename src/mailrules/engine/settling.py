"""What becomes of messages in the mailbox once all that was asked for them is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from mailrules.config.settings import Listener
from mailrules.engine.process import later
from mailrules.engine.world import World
from mailrules.model.entry import IN_HAND, Entry, State
from mailrules.model.mailbox import Mailbox, Ref, Settlement

WAIT_FOR_SIBLINGS = timedelta(minutes=1)
"""The pause before a disposition is tried again that another listener's work held up."""


@dataclass(frozen=True, slots=True)
class Acted:
    """A message of which nothing is left to do but its disposition, if its entry says that it is `acted`."""

    entry: Entry
    again: bool
    """Whether an earlier pass may have carried out its disposition."""
    performed: bool
    """Whether steps were performed: its disposition does not wait for other messages then."""


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles what a listener has acted on, in an open mailbox."""

    listener: Listener
    world: World
    mailbox: Mailbox

    def settle(self, acted: Sequence[Acted]) -> list[Entry]:
        """Carry out the dispositions of all that have acted, in bulk, and close them.

        Where there is nothing but dispositions, this waits for the end of the pass: a server takes as long to move one
        message as a thousand. Until then a crash costs nothing, as all is on record.
        """
        held = self._held_elsewhere([one.entry for one in acted if one.entry.disposition.removes])
        due = [one for one in acted if one.entry.state is State.ACTED and one.entry.ref not in held]
        settlements = [
            Settlement(one.entry.ref, one.entry.disposition, again=one.again)
            for one in due
            if not one.entry.disposition.idle
        ]
        failed = self.mailbox.settle(settlements) if settlements else {}
        closed = {one.entry.ref: self._closed(one.entry, failed.get(one.entry.ref)) for one in due}
        closed |= {one.entry.ref: self._held(one.entry, held[one.entry.ref]) for one in acted if one.entry.ref in held}
        self.world.journal.advance(closed.values())
        return recorded(self.world, [closed.get(one.entry.ref, one.entry) for one in acted])

    def _held_elsewhere(self, entries: Sequence[Entry]) -> dict[Ref, str]:
        """Of messages about to go, those that another listener on the folder still has in hand, with its name."""
        refs = [entry.ref for entry in entries if entry.state is State.ACTED]
        held: dict[Ref, str] = {}
        for name in self.listener.siblings if refs else ():
            known = self.world.journal.known(name, refs, account=self.listener.account.name)
            held |= {ref: name for ref, entry in known.items() if entry.state in IN_HAND}
        return held

    def _held(self, entry: Entry, name: str) -> Entry:
        reason = f"listener '{name}' has it in hand: {entry.disposition} waits"
        return replace(entry, state=State.RETRY, reason=reason, retry_at=self.world.clock() + WAIT_FOR_SIBLINGS)

    def _closed(self, entry: Entry, failure: str | None) -> Entry:
        if failure is not None:
            return later(entry, f"{entry.disposition}: {failure}", self.world)
        return replace(entry, state=State.DONE, retry_at=None)


def recorded(world: World, ended: list[Entry]) -> list[Entry]:
    """Let who observes the journal know of entries that have come to their end."""
    for entry in ended:
        world.recorded(entry)
    return ended
