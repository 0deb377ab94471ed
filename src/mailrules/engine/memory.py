"""A mailbox of messages at hand: test cases and messages named on the command line go through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrules.core.parse import parse
from mailrules.model.mailbox import Head, Ref, Settlement


@dataclass(frozen=True, slots=True)
class MemoryMailbox:
    """Raw messages by name, in order. What is settled changes nothing."""

    messages: Mapping[str, bytes]
    received: datetime | None = None
    flags: frozenset[str] = frozenset()

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:
        """See `mailrules.api.Mailbox`."""
        return [] if unseen_only and "\\Seen" in self.flags else [Ref("", "", name) for name in self.messages]

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """See `mailrules.api.Mailbox`."""
        for ref in refs:
            if ref.uid in self.messages:
                raw = self.messages[ref.uid]
                yield Head(ref, parse(raw).header_block, len(raw), self.received, self.flags)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, bytes]]:
        """See `mailrules.api.Mailbox`."""
        return ((ref, self.messages[ref.uid]) for ref in refs if ref.uid in self.messages)

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:  # noqa: ARG002 - nothing changes
        """See `mailrules.api.Mailbox`."""
        return {}

    def close(self) -> None:
        """See `mailrules.api.Mailbox`."""
