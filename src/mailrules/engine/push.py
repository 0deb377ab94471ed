"""Open mailboxes between passes: one thread watches all of them for what their servers tell."""

from __future__ import annotations

import contextlib
import heapq
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from mailrules.config.settings import Listener
from mailrules.model.mailbox import Pushing

RENEWAL = (7 * 60.0, 8.5 * 60.0)
"""Seconds, at random between, after which a server is shown that we are there: routers forget connections after ten
minutes, servers after thirty (RFC 2177)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A server has told that something came for a listener."""

    listener: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A parked connection has ended; its mailbox is closed."""

    listener: str
    error: Exception
    held: float
    """Seconds for which it had been parked."""


News = Heard | Lost


@dataclass(slots=True, eq=False)
class _Parked:
    listener: Listener
    mailbox: Pushing
    descriptor: int
    since: float


class Watch:
    """The parked mailboxes. Used by one thread, but for `wake`, which may come from anywhere."""

    def __init__(self) -> None:
        self._parked: dict[str, _Parked] = {}
        self.connections: Counter[str] = Counter()
        """Parked mailboxes by account."""
        self._renewals: list[tuple[float, int, _Parked]] = []
        self._numbers = count()
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def __contains__(self, name: str) -> bool:
        return name in self._parked

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Those whose mailboxes are parked, as they were written then."""
        return tuple(parked.listener for parked in self._parked.values())

    def park(self, listener: Listener, mailbox: Pushing) -> Iterator[News]:
        """Watch a mailbox that listens; gives what it has heard by now."""
        parked = _Parked(listener, mailbox, mailbox.fileno(), time.monotonic())
        if parked.descriptor < 0:
            yield Lost(listener.name, ConnectionAbortedError("the connection is closed"), 0.0)
            return
        self._parked[listener.name] = parked
        self.connections[listener.account.name] += 1
        self._selector.register(parked.descriptor, selectors.EVENT_READ, parked)
        self._renew_later(parked)
        yield from self._look(parked)

    def take(self, name: str) -> Pushing | None:
        """The mailbox of a listener, watched no more; it still listens."""
        parked = self._parked.pop(name, None)
        if parked is None:
            return None
        self._selector.unregister(parked.descriptor)
        self.connections[parked.listener.account.name] -= 1
        return parked.mailbox

    def drop(self, name: str) -> None:
        """Close the mailbox of a listener, if one is parked."""
        mailbox = self.take(name)
        if mailbox is not None:
            mailbox.close()

    def wait(self, longest: float) -> list[News]:
        """What has been heard; comes back after *longest* seconds, or when woken, with nothing."""
        if self._renewals:
            longest = min(longest, max(0.0, self._renewals[0][0] - time.monotonic()))
        news: list[News] = []
        for key, _ in self._selector.select(longest):
            if key.data is None:
                self._sleep_on()
            else:
                news += self._look(key.data)
        return [*news, *self._renew()]

    def wake(self) -> None:
        """Have `wait` come back. Safe to call from any thread and from a signal handler."""
        with contextlib.suppress(OSError):  # full: it will wake up anyhow; closed: nobody sleeps
            self._waker.send(b"\0")

    def close(self) -> None:
        """Close every mailbox, and let go of everything."""
        for name in tuple(self._parked):
            self.drop(name)
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def _sleep_on(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def _look(self, parked: _Parked) -> Iterator[News]:
        try:
            if parked.mailbox.heard():
                yield Heard(parked.listener.name)
        except Exception as error:
            yield self._lose(parked, error)

    def _renew_later(self, parked: _Parked) -> None:
        at = time.monotonic() + random.uniform(*RENEWAL)  # noqa: S311 - spreads load, guards nothing
        heapq.heappush(self._renewals, (at, next(self._numbers), parked))

    def _renew(self) -> Iterator[News]:
        """Of those whose time has come, the ones that are still parked."""
        now = time.monotonic()
        while self._renewals and self._renewals[0][0] <= now:
            parked = heapq.heappop(self._renewals)[2]
            if self._parked.get(parked.listener.name) is not parked:
                continue
            try:
                parked.mailbox.renew()
                self._renew_later(parked)
            except Exception as error:
                yield self._lose(parked, error)

    def _lose(self, parked: _Parked, error: Exception) -> Lost:
        self.drop(parked.listener.name)
        return Lost(parked.listener.name, error, time.monotonic() - parked.since)
