"""The listening loop: passes of many listeners by their schedules, each failing and recovering on its own."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.core.expiry import ExpiryError
from mailrules.engine.agenda import Agenda, Turn
from mailrules.engine.chart import Chart, cause, remedy
from mailrules.engine.expire import next_expiry
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle
from mailrules.engine.turn import take_turn
from mailrules.engine.world import World
from mailrules.model.action import PersonNeeded

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
        text, what_to_do = cause(self.error), remedy(self.error)
        return f"{text}; {what_to_do}" if what_to_do else text


Outcome = Report | Failure | Idle


@dataclass(frozen=True, slots=True)
class _Finished:
    """A pass that is over, as the thread that ran it says."""

    turn: Turn
    result: Report | Exception
    expires: datetime | None = None
    """When there is something to do for an expiry."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be listened to, and in which world."""

    listeners: tuple[Listener, ...]
    deciders: Mapping[str, Decider]
    world: World

    @classmethod
    def of(cls, listeners: Iterable[Listener], world: World) -> _Plan:
        """With the rules compiled."""
        wanted = tuple(listeners)
        return cls(wanted, {listener.name: Decider(listener.rules) for listener in wanted}, world)


@dataclass(slots=True)
class Loop:
    """Runs the passes of *listeners* until `stop` is called, or until every listener has ended."""

    listeners: Iterable[Listener]
    world: World
    told: Callable[[Outcome], None]
    """Told of every pass, and once of each listener that has ended, in the loop's own thread."""
    alive: Callable[[], None] = lambda: None
    """Called at every turn of the loop, in its own thread, and every `longest` seconds at least."""
    longest: float = math.inf
    _events: queue.SimpleQueue[_Finished | _Plan | None] = field(default_factory=queue.SimpleQueue)
    _stopping: bool = False

    def stop(self) -> None:
        """End after the messages in hand. Safe to call from a signal handler."""
        self._stopping = True
        self._events.put(None)

    def replace(self, listeners: Iterable[Listener], world: World) -> None:
        """From the next turn on listen to these, in *world*, with the same journal. Safe to call from any thread.

        A pass under way comes to its end as it began. A listener that was there and was well keeps its rhythm, if that
        is written as before.
        """
        self._events.put(_Plan.of(listeners, world))

    def run(self) -> None:
        """Listen until stopped. A failing listener backs off by itself; the others go on."""
        agenda, chart = Agenda(self.world.clock), Chart(self.world.journal, self.world.clock)
        plan = _Plan.of(self.listeners, self.world)
        self._take_up(plan, agenda, chart)
        with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="pass") as pool:
            while agenda.busy and not self._stopping:
                for turn in agenda.take():
                    pool.submit(self._take, turn, plan.deciders[turn.listener.name], plan.world)
                self.alive()
                event = self._next(agenda.wait(min(LONGEST_SLEEP, self.longest)))
                if isinstance(event, _Plan):
                    plan = event
                    self._take_up(plan, agenda, chart)
                else:
                    self._note(event, agenda, chart)

        while not self._events.empty():
            event = self._events.get()
            self._note(event if isinstance(event, _Finished) else None, agenda, chart)
        chart.write(everything=True)

    def _next(self, timeout: float) -> _Finished | _Plan | None:
        """The pass that ended, or what to listen to; None when there is neither, and another pass may be due."""
        try:
            return self._events.get(timeout=timeout)
        except queue.Empty:
            return None

    def _take_up(self, plan: _Plan, agenda: Agenda, chart: Chart) -> None:
        for name in agenda.names - plan.deciders.keys():
            agenda.leave(name)
            chart.ended(name, "it is not in the files any more")
        for listener in plan.listeners:
            agenda.change(listener, plan.world.journal, expires=_first_expiry(listener, plan.world))
            if agenda.looks_on(listener.name):
                chart.taken_up(listener, agenda.next_look(listener.name))
        self._note(None, agenda, chart)

    def _note(self, finished: _Finished | None, agenda: Agenda, chart: Chart) -> None:
        if finished is not None:
            listener, result = finished.turn.listener, finished.result
            if isinstance(result, Report):
                self.told(result)
                agenda.ran(finished.turn, ended=result.ended, expires=finished.expires)
                if finished.turn.looks and listener.name in agenda.names:
                    chart.succeeded(listener, result, agenda.next_look(listener.name))
            else:
                pause = agenda.failed(finished.turn, hopeless=isinstance(result, PersonNeeded))
                self.told(Failure(listener.name, result, pause))
                if listener.name in agenda.names:
                    chart.failed(listener, result, agenda.next_look(listener.name))
        for idle in agenda.ended():
            self.told(idle)
            chart.ended(idle.listener, idle.reason)
        chart.write()

    def _take(self, turn: Turn, decider: Decider, world: World) -> None:
        try:
            report = take_turn(turn.listener, decider, world, looks=turn.looks)
            finished = _Finished(turn, report, next_expiry(turn.listener, world))
        except Exception as error:
            finished = _Finished(turn, error)
        except BaseException as error:  # a listener never dies in silence
            finished = _Finished(turn, RuntimeError(f"{type(error).__name__}: {error}"))
        self._events.put(finished)


def _first_expiry(listener: Listener, world: World) -> datetime | None:
    """What a script cannot say now, the first turn tells as a failure."""
    try:
        return next_expiry(listener, world)
    except ExpiryError:
        return world.clock()
