"""The listening loop: passes of many listeners at their intervals, each failing and recovering on its own."""

from __future__ import annotations

import heapq
import queue
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mailrules.api.options import redact
from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.engine.passes import Report, run_pass
from mailrules.engine.world import World

WORKERS = 8
"""Passes that run at the same time."""
LONGEST_BACKOFF = 300.0
"""Seconds between tries of a listener that keeps failing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A pass that did not come to its end."""

    listener: str
    error: Exception
    retry_in: float
    """Seconds until the next try."""

    @property
    def reason(self) -> str:
        """One line: what went wrong, and what to do where that is known."""
        remedy = getattr(self.error, "remedy", "")
        known = type(self.error).__module__.startswith("mailrules.")
        text = str(self.error) if known else f"{type(self.error).__name__}: {self.error}"
        return redact(f"{text}; {remedy}" if remedy else text)


@dataclass(slots=True)
class Loop:
    """Runs the passes of *listeners* until `stop` is called."""

    listeners: Iterable[Listener]
    world: World
    told: Callable[[Report | Failure], None]
    """Told of every pass, in the loop's own thread."""
    _finished: queue.SimpleQueue[Report | Failure | None] = field(default_factory=queue.SimpleQueue)
    _failures: dict[str, int] = field(default_factory=dict)

    def stop(self) -> None:
        """End after the messages in hand. Safe to call from a signal handler."""
        self._finished.put(None)

    def run(self) -> None:
        """Listen until stopped. A failing listener backs off by itself; the others go on."""
        watched = {listener.name: (listener, Decider(listener.rules)) for listener in self.listeners}
        due = [(0.0, name) for name in watched]
        with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="pass") as pool:
            while True:
                while due and due[0][0] <= time.monotonic():
                    pool.submit(self._pass, *watched[heapq.heappop(due)[1]])
                outcome = self._next(due)
                if outcome is None:
                    break
                if isinstance(outcome, Report | Failure):
                    self.told(outcome)
                    heapq.heappush(due, (time.monotonic() + self._pause(outcome, watched), outcome.listener))

        while not self._finished.empty():
            if last := self._finished.get():
                self.told(last)

    def _next(self, due: list[tuple[float, str]]) -> Report | Failure | bool | None:
        """What ended; None to stop; False when another pass is due."""
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        try:
            return self._finished.get(timeout=wait)
        except queue.Empty:
            return False

    def _pause(self, outcome: Report | Failure, watched: dict[str, tuple[Listener, Decider]]) -> float:
        return outcome.retry_in if isinstance(outcome, Failure) else watched[outcome.listener][0].every

    def _pass(self, listener: Listener, decider: Decider) -> None:
        try:
            outcome: Report | Failure = run_pass(listener, decider, self.world)
            self._failures[listener.name] = 0
        except Exception as error:
            failed = self._failures[listener.name] = self._failures.get(listener.name, 0) + 1
            outcome = Failure(listener.name, error, backoff(failed, listener.every))
        self._finished.put(outcome)


def backoff(failed: int, every: float) -> float:
    """Seconds before the next try after *failed* failures in a row: doubling, with jitter, up to five minutes."""
    longest = min(LONGEST_BACKOFF, max(every, 1.0) * 2.0 ** min(failed - 1, 10))
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
