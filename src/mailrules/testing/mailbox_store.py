"""The mailbox of a contract from outside: what other clients do and see, and messages to do it with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mailrules.api import Disposition, Mailbox, ReceiveProtocol, Settlement

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as the store holds it."""

    content: bytes
    flags: frozenset[str] = frozenset()


class Store(Protocol):
    """The mailbox under test from outside: what a server's other clients, or the file system, do and see."""

    protocol: ReceiveProtocol

    def put(self, *messages: bytes, seen: bool = False) -> None:
        """Let messages arrive in INBOX, in this order."""

    def take_away(self, message: bytes) -> None:
        """Let another client delete a message for good."""

    def open(self, *, readonly: bool = False) -> Mailbox:
        """INBOX as the engine opens it."""

    def folder(self, name: str = "INBOX") -> Sequence[Kept]:
        """What a folder holds, oldest first; nothing where there is no such folder."""

    def state(self) -> Any:
        """Everything there is, for comparing: folders, messages, flags, order."""


def message(name: str, body: str = "") -> bytes:
    """A message with *name* as its subject."""
    lines = [
        f"From: Jo Doe <{name}@sender.example>",
        "To: desk@receiver.example",
        f"Subject: {name}",
        f"Message-ID: <{name}@sender.example>",
        "Date: Mon, 02 Mar 2026 10:00:00 +0000",
        "",
        body or f"The text of {name}.",
        "",
        ".. two dots, then one",
        ".",
        "From the end",
        "",
    ]
    return "\r\n".join(lines).encode()


A, B, C = message("a"), message("b"), message("c")


def plain(content: bytes) -> bytes:
    """*content* with its lines ended alike: a store may keep them otherwise."""
    return re.sub(rb"\r?\n", b"\r\n", content)


def subjects(contents: Iterable[bytes]) -> list[str]:
    """Which messages, in their order."""
    return [found[1].decode() if (found := re.search(rb"(?m)^Subject: (\w+)", one)) else "" for one in contents]


def needs(*verbs: str) -> Callable[[F], F]:
    """A test for protocols that can do all of these; the others skip it."""

    def marked(test: F) -> F:
        test.verbs = frozenset(verbs)  # type: ignore[attr-defined]  # read by the fixture `_able`
        return test

    return marked


@contextmanager
def opened(store: Store, *, readonly: bool = False) -> Iterator[Mailbox]:
    """The mailbox, for the length of the block."""
    with closing(store.open(readonly=readonly)) as mailbox:
        yield mailbox


def settle(store: Store, *dispositions: Disposition, again: bool = False) -> list[str | None]:
    """Carry these out on the messages in their order; gives the reason for each that failed."""
    with opened(store) as mailbox:
        refs = mailbox.refs(unseen_only=False)
        wanted = [Settlement(ref, disposition, again) for ref, disposition in zip(refs, dispositions, strict=False)]
        failed = mailbox.settle(wanted)
        return [failed.get(one.ref) for one in wanted]
