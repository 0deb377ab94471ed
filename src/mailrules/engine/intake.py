"""Which messages a listener takes at all: none that is too old, and what becomes of one that is too big."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailrules.api import Duration
from mailrules.config.settings import Listener
from mailrules.engine.reading import Read, Reader, oversized
from mailrules.engine.world import World
from mailrules.model.entry import Entry, State
from mailrules.model.mailbox import Mailbox, Ref

LOOKED_AT = 500
"""Header blocks that are looked at, at a time, for how old the messages are."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Looks at what waits in an open mailbox before it is decided."""

    listener: Listener
    world: World
    mailbox: Mailbox
    reader: Reader

    def too_old(self, refs: Sequence[Ref], *, wanted: int) -> list[Entry]:
        """Entries of the messages among *refs* that are too old, each put on record once.

        It looks, from the oldest on, until it has met as many younger ones as are *wanted*; -1 looks at all.
        """
        found: list[Entry] = []
        for at in range(0, len(refs) if self.listener.max_age else 0, LOOKED_AT):
            if self.world.stopping() or 0 <= wanted <= at - len(found):
                break
            heads = self.mailbox.heads(refs[at : at + LOOKED_AT])
            old = [(read, why) for read in map(self.reader.read, heads) if (why := self._age(read))]
            found += [self.reader.entry(read, state=State.SKIPPED, reason=why) for read, why in old]
        return self.world.journal.claim(found) if found else []

    def _age(self, read: Read) -> str:
        """Why it is too old, by the server's word or else its Date; empty when it is not, or nobody knows."""
        came, oldest = read.head.received or read.message.date, self.listener.max_age
        if came is None or oldest is None or self.world.clock() - came <= oldest:
            return ""
        return f"it came on {came:%Y-%m-%d}, longer ago than max_age: {Duration(oldest.total_seconds())}"

    def too_big(self, read: Sequence[Read]) -> tuple[list[Read], list[Entry]]:
        """Those that are to be handled, and entries of those that are too big for that.

        What an earlier pass acted on is finished as it was begun.
        """
        fine: list[Read] = []
        entries: list[Entry] = []
        for one in read:
            why = "" if self.listener.oversize == "header" else oversized(one.head, self.listener)
            if why and (one.prior is None or (one.prior.state is State.RETRY and not one.prior.steps)):
                entries.append(self._refused(one, why))
            else:
                fine.append(one)
        self.world.journal.save([entry for entry in entries if entry.id is not None])
        claimed = self.world.journal.claim([entry for entry in entries if entry.id is None]) if entries else []
        return fine, [entry for entry in entries if entry.id is not None] + claimed

    def _refused(self, read: Read, why: str) -> Entry:
        if self.listener.oversize == "skip":
            state = State.SKIPPED
        else:
            state, why = State.PARKED, f"{why}; look at it yourself, or write a larger max_size and retry it"
        if read.prior:
            return replace(read.prior, state=state, reason=why, retry_at=None)
        return self.reader.entry(read, state=state, reason=why)
