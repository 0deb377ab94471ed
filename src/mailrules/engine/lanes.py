"""Which of the turns that are due may run: a bounded pool, in which no mailbox delays the others for long.

A run counts against the bound while it is young. One that has gone on for longer mostly waits for its server, and
gives its place to the next, up to a number of threads. Listeners that failed last time, or took long, have a lane of
their own, so that it is they who wait for each other.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from mailrules.config.settings import Listener
from mailrules.engine.agenda import Turn

YOUNG = 1.0
"""Seconds for which a run counts against the bound of its lane; one that takes longer is slow."""


@dataclass(slots=True)
class Lane:
    """Turns that wait for each other; of each account the first only is looked at."""

    young: int
    """How many young runs there may be."""
    most: int
    """How many runs there may be."""
    waiting: dict[str, deque[tuple[int, Turn]]] = field(default_factory=dict)
    """By account, each with its number in the order in which they became due."""
    ready: list[tuple[int, str]] = field(default_factory=list)
    """A heap: the first number of each account that is not held."""
    held: list[tuple[int, str]] = field(default_factory=list)
    """The same of accounts that have no connection left."""
    running: dict[str, float] = field(default_factory=dict)
    """When each run began, by listener."""

    def room_in(self, now: float) -> float:
        """Seconds until one more may run; infinite where only the end of one gives room."""
        if len(self.running) >= self.most:
            return math.inf
        young = sorted(began for began in self.running.values() if now - began < YOUNG)
        return 0.0 if len(young) < self.young else young[len(young) - self.young] + YOUNG - now

    def add(self, number: int, turn: Turn) -> None:
        """Have a turn wait."""
        account = turn.listener.account.name
        queue = self.waiting.setdefault(account, deque())
        queue.append((number, turn))
        if len(queue) == 1:
            heapq.heappush(self.ready, (number, account))

    def next(self, may: Callable[[Listener], bool]) -> Turn | None:
        """The first turn that may run, taken out."""
        while self.ready:
            first = heapq.heappop(self.ready)
            queue = self.waiting[first[1]]
            if not may(queue[0][1].listener):
                self.held.append(first)
                continue
            turn = queue.popleft()[1]
            if queue:
                heapq.heappush(self.ready, (queue[0][0], first[1]))
            else:
                del self.waiting[first[1]]
            return turn
        return None

    def look_again(self) -> None:
        """Ask of the accounts that were held whether they may now."""
        for one in self.held:
            heapq.heappush(self.ready, one)
        self.held.clear()


class Lanes:
    """The turns that are due, those that run, and what they have taken of each account."""

    def __init__(self) -> None:
        self._well, self._aside = Lane(young=8, most=96), Lane(young=4, most=32)
        self._slow: set[str] = set()
        """Listeners whose latest run failed or took long."""
        self._numbers = count()
        self.connections: Counter[str] = Counter()
        """Runs by account."""

    @property
    def most(self) -> int:
        """How many runs there may be in all."""
        return self._well.most + self._aside.most

    def add(self, turn: Turn) -> None:
        """Have a turn wait until it may run."""
        (self._aside if turn.listener.name in self._slow else self._well).add(next(self._numbers), turn)

    def start(self, may: Callable[[Listener], bool]) -> Iterator[Turn]:
        """The turns that run from now on, until `over`; *may* says whether an account has a connection left."""
        for lane in (self._well, self._aside):
            lane.look_again()
            while lane.room_in(time.monotonic()) <= 0 and (turn := lane.next(may)):
                lane.running[turn.listener.name] = time.monotonic()
                self.connections[turn.listener.account.name] += 1
                yield turn

    def over(self, turn: Turn, *, well: bool) -> None:
        """A run has come to its end; *well* is whether it succeeded."""
        name = turn.listener.name
        began = self._well.running.pop(name, None)
        if began is None:
            began = self._aside.running.pop(name)
        self.connections[turn.listener.account.name] -= 1
        quick = time.monotonic() - began < YOUNG
        (self._slow.discard if well and quick else self._slow.add)(name)

    def wait(self) -> float:
        """Seconds until a turn that waits may run for no other reason than that time has passed."""
        now = time.monotonic()
        return min((lane.room_in(now) for lane in (self._well, self._aside) if lane.ready), default=math.inf)

    def withdraw(self) -> Iterator[Turn]:
        """The turns that wait, which wait no more."""
        for lane in (self._well, self._aside):
            for queue in lane.waiting.values():
                yield from (turn for _, turn in queue)
            for emptied in (lane.waiting, lane.ready, lane.held):
                emptied.clear()
