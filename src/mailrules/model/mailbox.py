"""What a receiving protocol gives: messages by reference, and dispositions carried out in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from mmap import mmap
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from mailrules.model.rule import Disposition

Octets: TypeAlias = bytes | mmap
"""A message as it came: in memory, or, of a big one, a map of a file that nobody else can reach."""


class Ref(NamedTuple):
    """The identity of one message in its mailbox, stable across connections; a tuple, as it is looked up so often.

    IMAP: UIDVALIDITY and UID (RFC 9051, section 2.3.1.1). POP3: empty and UIDL (RFC 1939). Files: empty and file name.
    """

    folder: str
    validity: str
    uid: str


@dataclass(frozen=True, slots=True)
class Head:
    """A message as first seen: its header block and what the server knows of it."""

    ref: Ref
    header: bytes
    size: int | None = None
    received: datetime | None = None
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that holds no parts, as the server tells of it."""

    type: str
    """The media type, lower-cased."""
    octets: int
    """As it is transferred, encoded."""
    cut: int = 0
    """How many of them are left out, somewhere in the midst of it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The body of a message, octet for octet, with the insides of some parts left out."""

    body: bytes
    leaves: Sequence[Leaf] = ()
    """Every part that holds no parts, in order; none are told where nothing is left out."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A disposition to carry out on one message."""

    ref: Ref
    disposition: Disposition
    again: bool = False
    """It may have been carried out before: look before copying a second time."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to put into a folder."""

    raw: bytes
    flags: tuple[str, ...] = ()
    """As IMAP writes them: `\\Seen`, or a keyword. What a mailbox cannot keep, it leaves out."""
    received: datetime | None = None
    """When it came, aware; None for now."""


class Mailbox(Protocol):
    """One open folder. Used by one thread at a time; every method may raise `Transient` or `PersonNeeded`.

    Reading never changes anything: no flag, no cursor (IMAP PEEK, POP3 without DELE, files untouched).
    """

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:
        """Every message there, oldest first."""

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """The header blocks, in the order asked for, batched on the wire; one that has gone is left out."""

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """The whole messages, in the order asked for, batched on the wire; one that has gone is left out."""

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Carry them out in as few commands as the protocol allows; gives the reason for each that failed.

        Idempotent: a message that is not there any more counts as settled.
        """

    def close(self) -> None:
        """Let go of the connection. Never raises."""


@runtime_checkable
class Pushing(Mailbox, Protocol):
    """A mailbox whose server tells by itself, between passes, that something came.

    From `listen` to `resume` nothing else is asked of it, and one thread watches many such by what they read from.
    """

    @property
    def pushes(self) -> bool:
        """Whether the server does tell; where it does not, the connection is kept all the same."""

    def fileno(self) -> int:
        """What becomes readable when the server tells something."""

    def listen(self) -> None:
        """Have the server tell from now on, without waiting for its answer."""

    def heard(self) -> bool:
        """Read what is there, never waiting for more; whether something came since `refs` was last asked."""

    def renew(self) -> None:
        """Show the server that we are there, without waiting for its answer; called every few minutes.

        Raises:
            Transient: it has not answered the time before.
        """

    def resume(self) -> None:
        """End the listening, so that other things may be asked."""


@runtime_checkable
class Selective(Mailbox, Protocol):
    """A mailbox that can give parts of messages: IMAP, by BODYSTRUCTURE (RFC 9051, section 7.5.2)."""

    def parts(self, heads: Sequence[Head], *, text: bool) -> Iterator[tuple[Ref, Parts]]:
        """The parts, with the text or with no contents at all, in the order asked for, batched on the wire.

        A message that is gone is left out, and one that is to be fetched whole: it is as good as all text, or the
        server does not say clearly what is in it.
        """
