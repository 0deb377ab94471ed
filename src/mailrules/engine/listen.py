"""The listening loop: passes of many listeners by their schedules, each failing and recovering on its own."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from mailrules.api.options import redact
from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.core.expiry import ExpiryError
from mailrules.engine.agenda import Agenda, Turn
from mailrules.engine.expire import next_expiry
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle
from mailrules.engine.turn import take_turn
from mailrules.engine.world import World

WORKERS = 8
"""Passes that run at the same time."""
LONGEST_SLEEP = 30.0
"""Seconds after which the clock is looked at again: it may have been set, or the machine may have slept."""


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


Outcome = Report | Failure | Idle


@dataclass(frozen=True, slots=True)
class _Finished:
    """A pass that is over, as the thread that ran it says."""

    turn: Turn
    result: Report | Exception
    expires: datetime | None = None
    """When there is something to do for an expiry."""


@dataclass(slots=True)
class Loop:
    """Runs the passes of *listeners* until `stop` is called, or until every listener has ended."""

    listeners: Iterable[Listener]
    world: World
    told: Callable[[Outcome], None]
    """Told of every pass, and once of each listener that has ended, in the loop's own thread."""
    _finished: queue.SimpleQueue[_Finished | None] = field(default_factory=queue.SimpleQueue)
    _stopping: bool = False

    def stop(self) -> None:
        """End after the messages in hand. Safe to call from a signal handler."""
        self._stopping = True
        self._finished.put(None)

    def run(self) -> None:
        """Listen until stopped. A failing listener backs off by itself; the others go on."""
        agenda = Agenda(self.world.clock)
        deciders: dict[str, Decider] = {}
        for listener in self.listeners:
            deciders[listener.name] = Decider(listener.rules)
            agenda.enter(listener, self.world.journal, expires=self._first_expiry(listener))
        self._note(None, agenda)
        with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="pass") as pool:
            while agenda.busy and not self._stopping:
                for turn in agenda.take():
                    pool.submit(self._take, turn, deciders[turn.listener.name])
                self._note(self._next(agenda.wait(LONGEST_SLEEP)), agenda)

        while not self._finished.empty():
            self._note(self._finished.get(), agenda)

    def _next(self, timeout: float) -> _Finished | None:
        """The pass that ended; None when none did, and another one may be due."""
        try:
            return self._finished.get(timeout=timeout)
        except queue.Empty:
            return None

    def _note(self, finished: _Finished | None, agenda: Agenda) -> None:
        if finished is not None:
            turn, result = finished.turn, finished.result
            if isinstance(result, Report):
                self.told(result)
                agenda.ran(turn, ended=result.ended, expires=finished.expires)
            else:
                self.told(Failure(turn.listener.name, result, agenda.failed(turn)))
        for idle in agenda.ended():
            self.told(idle)

    def _first_expiry(self, listener: Listener) -> datetime | None:
        """What a script cannot say now, the first turn tells as a failure."""
        try:
            return next_expiry(listener, self.world)
        except ExpiryError:
            return self.world.clock()

    def _take(self, turn: Turn, decider: Decider) -> None:
        try:
            report = take_turn(turn.listener, decider, self.world, looks=turn.looks)
            finished = _Finished(turn, report, next_expiry(turn.listener, self.world))
        except Exception as error:
            finished = _Finished(turn, error)
        self._finished.put(finished)
