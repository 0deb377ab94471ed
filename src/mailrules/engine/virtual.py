"""The mailboxes of a dry run: the real ones read-only, under what earlier passes would have done to them.

A message that a rule would move is gone from its folder and there in the other one, for every later listener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from mailrules.config.settings import Listener
from mailrules.model.mailbox import Head, Mailbox, Octets, Parts, Ref, Selective, Settlement

VIRTUAL = "dry-run"
"""The validity of a reference to a message that is not really there."""


@dataclass(slots=True)
class Effects:
    """What would have been done to one account so far."""

    watched: frozenset[str] = frozenset()
    """Folders that some listener reads: only what arrives there has to be remembered."""
    gone: set[Ref] = field(default_factory=set)
    seen: set[Ref] = field(default_factory=set)
    arrived: dict[str, list[tuple[Head, Octets]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VirtualMailbox:
    """One folder as it would be by now. Never settles anything for real."""

    real: Mailbox
    folder: str
    effects: Effects

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:
        """See `mailrules.api.Mailbox`."""
        hidden = self.effects.gone | (self.effects.seen if unseen_only else set())
        real = [ref for ref in self.real.refs(unseen_only=unseen_only) if ref not in hidden]
        return real + [head.ref for head, _ in self._arrived() if head.ref not in hidden]

    def _arrived(self) -> list[tuple[Head, Octets]]:
        return self.effects.arrived.get(self.folder, [])

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """See `mailrules.api.Mailbox`."""
        moved = {head.ref: head for head, _ in self._arrived()}
        yield from self.real.heads([ref for ref in refs if ref.validity != VIRTUAL and ref not in self.effects.gone])
        yield from (moved[ref] for ref in refs if ref in moved and ref not in self.effects.gone)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """See `mailrules.api.Mailbox`."""
        moved = {head.ref: raw for head, raw in self._arrived()}
        yield from self.real.bodies([ref for ref in refs if ref.validity != VIRTUAL and ref not in self.effects.gone])
        yield from ((ref, moved[ref]) for ref in refs if ref in moved and ref not in self.effects.gone)

    def parts(self, heads: Sequence[Head], *, text: bool) -> Iterator[tuple[Ref, Parts]]:
        """See `mailrules.api.Selective`; where the real one is none, everything is fetched whole."""
        if isinstance(self.real, Selective):
            real = [head for head in heads if head.ref.validity != VIRTUAL and head.ref not in self.effects.gone]
            yield from self.real.parts(real, text=text)

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Note what would be done, where later passes see it."""
        targets = {s.ref: self.effects.watched & {*s.disposition.copy, s.disposition.move} for s in settlements}
        for head, raw in self._whole([ref for ref, folders in targets.items() if folders]):
            for folder in sorted(folder for folder in targets[head.ref] if folder):
                there = self.effects.arrived.setdefault(folder, [])
                ref = Ref(folder, VIRTUAL, f"{head.ref.folder}/{head.ref.uid}")
                there.append((replace(head, ref=ref), raw))
        for settlement in settlements:
            if settlement.disposition.delete or settlement.disposition.move:
                self.effects.gone.add(settlement.ref)
            if settlement.disposition.seen:
                self.effects.seen.add(settlement.ref)
        return {}

    def _whole(self, refs: Sequence[Ref]) -> Iterator[tuple[Head, Octets]]:
        heads = {head.ref: head for head in self.heads(refs)}
        yield from ((heads[ref], raw) for ref, raw in self.bodies(refs) if ref in heads)

    def close(self) -> None:
        """See `mailrules.api.Mailbox`."""
        self.real.close()


def overlaid(
    open_readonly: Callable[[Listener], Mailbox], listeners: Iterable[Listener]
) -> Callable[[Listener], Mailbox]:
    """Opens mailboxes for one dry run, which remember among themselves what would have been done."""
    watched: dict[str, set[str]] = {}
    for listener in listeners:
        watched.setdefault(listener.account.name, set()).add(listener.folder)
    accounts = {name: Effects(frozenset(folders)) for name, folders in watched.items()}

    def open_(listener: Listener) -> Mailbox:
        return VirtualMailbox(open_readonly(listener), listener.folder, accounts[listener.account.name])

    return open_


def read_all(mailbox: Mailbox) -> dict[str, bytes]:
    """Every message of a mailbox by its UID, oldest first; the mailbox is closed."""
    with closing(mailbox):
        return {ref.uid: raw[:] for ref, raw in mailbox.bodies(mailbox.refs(unseen_only=False))}
