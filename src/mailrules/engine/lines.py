"""Ways to send that stay open for a moment, so that many mails need one connection and one log-in."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mailrules.api import Transport

T = TypeVar("T")

IDLE_SECONDS = 10.0
"""How long a line is kept that nobody uses: shorter than any server waits (RFC 5321, section 4.5.3.2.7)."""
MOST_MAILS = 50
"""Mails a line, before it is made anew: servers count."""


@dataclass(frozen=True, slots=True)
class Line:
    """An open way to send, used by one thread at a time."""

    transport: Transport
    shown: Any
    """The credential that it was opened with: another one opens another line."""
    mails: int = 0
    since: float = 0.0
    """When it was last used, on the monotonic clock."""


class Lines:
    """The lines of one process by account; threads each take one of their own, and close none that another uses."""

    def __init__(self, *, idle: float = IDLE_SECONDS, most: int = MOST_MAILS) -> None:
        self._idle, self._most = idle, most
        self._kept: dict[str, list[Line]] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Timer | None = None
        weakref.finalize(self, _close, self._kept)

    def use(self, name: str, shown: Any, *, opened: Callable[[], Transport], send: Callable[[Transport], T]) -> T:
        """What *send* gives, on a line of account *name* that is kept, or one that *opened* opens.

        A line on which anything went wrong is not kept.
        """
        line = self._taken(name, shown) or Line(opened(), shown)
        try:
            given = send(line.transport)
        except BaseException:
            line.transport.close()
            raise
        self._keep(name, replace(line, mails=line.mails + 1, since=time.monotonic()))
        return given

    def close(self) -> None:
        """Let go of all that nobody uses. Never raises."""
        self._drop(time.monotonic() + self._idle)

    def _taken(self, name: str, shown: Any) -> Line | None:
        with self._lock:
            kept = self._kept.get(name, [])
            fitting = next((line for line in reversed(kept) if line.shown == shown), None)
            if fitting:
                kept.remove(fitting)
            return fitting

    def _keep(self, name: str, line: Line) -> None:
        if line.mails >= self._most:
            line.transport.close()
            return
        with self._lock:
            self._kept.setdefault(name, []).append(line)
            self._sweep_later()

    def _sweep_later(self) -> None:
        """See to it that idle lines are closed, in a thread that keeps no process alive."""
        if self._sweeper is None:
            self._sweeper = threading.Timer(self._idle, _sweep, [weakref.ref(self)])
            self._sweeper.daemon = True
            self._sweeper.start()

    def sweep(self) -> None:
        """Close what nobody has used for a while, and see to it that this goes on."""
        self._drop(time.monotonic())
        with self._lock:
            self._sweeper = None
            if any(self._kept.values()):
                self._sweep_later()

    def _drop(self, now: float) -> None:
        with self._lock:
            old = [line for kept in self._kept.values() for line in kept if now - line.since >= self._idle]
            for name, kept in self._kept.items():
                self._kept[name] = [line for line in kept if not any(line is each for each in old)]
        for line in old:
            line.transport.close()


def _sweep(lines: weakref.ref[Lines]) -> None:
    alive = lines()
    if alive is not None:
        alive.sweep()


def _close(kept: dict[str, list[Line]]) -> None:
    for line in [line for lines in kept.values() for line in lines]:
        line.transport.close()
    kept.clear()
