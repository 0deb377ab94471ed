"""The listening loop: passes of many listeners by their schedules, each failing and recovering on its own."""

from __future__ import annotations

import logging
import math
import queue
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.core.expiry import ExpiryError
from mailrules.engine.agenda import Agenda, Turn
from mailrules.engine.chart import Chart, cause, remedy
from mailrules.engine.expire import next_expiry
from mailrules.engine.lanes import Lanes
from mailrules.engine.passes import Report, run_pass
from mailrules.engine.push import Heard, News, Watch
from mailrules.engine.standing import Idle
from mailrules.engine.turn import Connection, take_turn
from mailrules.engine.world import World
from mailrules.engine.worlds import targets
from mailrules.model.action import PersonNeeded, Transient
from mailrules.model.journal import JournalError
from mailrules.model.mailbox import Pushing

LONGEST_SLEEP = 30.0
"""Seconds after which the clock is looked at again: it may have been set, or the machine may have slept."""
PUT_OFF = 2.0
"""Seconds until a journal that failed while other listeners were taken up is asked again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A pass that did not come to its end."""

    listener: str
    error: BaseException
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
    mailbox: Pushing | None = None
    """What stays open of an idle listener."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be listened to, and in which world."""

    listeners: Mapping[str, Listener]
    deciders: Mapping[str, Decider]
    world: World
    keepers: frozenset[str]
    """Those that keep a connection."""

    @classmethod
    def of(cls, listeners: Iterable[Listener], world: World) -> _Plan:
        """With the rules compiled."""
        wanted = {listener.name: listener for listener in listeners}
        deciders = {name: Decider(listener.rules) for name, listener in wanted.items()}
        return cls(wanted, deciders, world, keepers(wanted.values()))


class Loop:
    """Runs the passes of *listeners* until `stop` is called, or until every listener has ended."""

    def __init__(
        self,
        listeners: Iterable[Listener],
        world: World,
        told: Callable[[Outcome], None],
        alive: Callable[[], None] = lambda: None,
        longest: float = math.inf,
    ) -> None:
        """Be ready to run.

        *told* is told of every pass, and once of each listener that has ended, in the loop's own thread; *alive* is
        called at every turn of the loop, in its own thread, and every *longest* seconds at least.
        """
        self._plan = _Plan.of(listeners, world)
        self._told, self._alive = told, alive
        self._longest = min(LONGEST_SLEEP, longest)
        self._agenda, self._chart = Agenda(world.clock), Chart(world.journal, world.clock)
        self._watch, self._lanes = Watch(), Lanes()
        self._events: queue.SimpleQueue[_Finished | _Plan] = queue.SimpleQueue()
        self._stopping = False
        self._put_off: _Plan | None = None
        """What is to be listened to from now on, as soon as the journal lets it be taken up."""
        self._polled: set[str] = set()
        """Idle listeners of which it has been said that they are polled."""

    def stop(self) -> None:
        """End after the messages in hand. Safe to call from a signal handler."""
        self._stopping = True
        self._watch.wake()

    def replace(self, listeners: Iterable[Listener], world: World) -> None:
        """From the next turn on listen to these, in *world*, with the same journal. Safe to call from any thread.

        A pass under way comes to its end as it began. A listener that was there and was well keeps its rhythm, if that
        is written as before.
        """
        self._happened(_Plan.of(listeners, world))

    def run(self) -> None:
        """Listen until stopped. A failing listener backs off by itself; the others go on."""
        self._take_up(self._plan)
        with closing(self._watch):
            with ThreadPoolExecutor(max_workers=self._lanes.most, thread_name_prefix="pass") as pool:
                while (self._agenda.busy or self._put_off) and not self._stopping:
                    for turn in self._turns():
                        pool.submit(self._take, turn, self._plan, self._connection(turn))
                    self._tell_ended()
                    self._alive()
                    self._hear(self._watch.wait(self._rest()))
                    self._catch_up()
            self._catch_up()
            self._tell_ended()
        self._chart.write(everything=True)

    def _turns(self) -> Iterator[Turn]:
        """Those that begin now; none while it is not settled what is to be listened to."""
        if self._put_off is None:
            for turn in self._agenda.take():
                self._lanes.add(turn)
            yield from self._lanes.start(self._may)

    def _rest(self) -> float:
        """Seconds for which nothing need be done unless something happens."""
        if self._put_off is not None:
            return min(PUT_OFF, self._longest)
        return min(self._agenda.wait(self._longest), self._lanes.wait())

    def _happened(self, event: _Finished | _Plan) -> None:
        self._events.put(event)
        self._watch.wake()

    def _catch_up(self) -> None:
        """Take up what has happened since."""
        while not self._events.empty():
            event = self._events.get()
            if isinstance(event, _Finished):
                self._note(event)
            else:
                self._put_off = event
        if self._put_off is not None and not self._stopping:
            self._change_to(self._put_off)

    def _change_to(self, plan: _Plan) -> None:
        """Take it up; where the journal fails, in the middle of it even, all of it again later."""
        known = self._put_off is self._plan
        try:
            self._take_up(plan)
            self._put_off = None
        except JournalError as error:
            level = logging.DEBUG if known else logging.ERROR
            logging.getLogger("mailrules").log(level, "nothing is begun until the journal can be read: %s", error)

    def _take_up(self, plan: _Plan) -> None:
        agenda, chart = self._agenda, self._chart
        self._plan = plan
        for turn in self._lanes.withdraw():
            agenda.give_back(turn)
        for name in agenda.names - plan.deciders.keys():
            agenda.leave(name)
            chart.ended(name, "it is not in the files any more")
        for listener in plan.listeners.values():
            agenda.change(listener, plan.world.journal, expires=_first_expiry(listener, plan.world))
            if agenda.looks_on(listener.name):
                chart.taken_up(listener, agenda.next_look(listener.name))
        for before in self._watch.listeners:
            if not self._keeps(before):
                self._watch.drop(before.name)

    def _note(self, finished: _Finished) -> None:
        agenda, chart, result = self._agenda, self._chart, finished.result
        listener = finished.turn.listener
        self._lanes.over(finished.turn, well=isinstance(result, Report))
        if isinstance(result, Report):
            self._told(result)
            agenda.ran(finished.turn, ended=result.ended, expires=finished.expires)
            if finished.turn.looks and listener.name in agenda.names:
                chart.succeeded(listener, result, agenda.next_look(listener.name))
        else:
            after = (result.after if isinstance(result, Transient) else None) or 0.0
            pause = agenda.failed(finished.turn, hopeless=isinstance(result, PersonNeeded), after=after)
            self._fail(listener, result, pause)
        if finished.mailbox is not None:
            self._park(listener, finished.mailbox)
            if isinstance(result, Report) and result.left and result.entries and listener.name in self._watch:
                agenda.hasten(listener.name)  # it has told of these, and will not again
        elif listener.idle and finished.turn.looks and isinstance(result, Report) and not result.ended:
            full = f"its account has no connection left to keep (max_connections: {listener.account.max_connections})"
            kept = listener.name in self._plan.keepers
            self._tell_polled(listener, "its protocol cannot tell what comes" if kept else full)

    def _fail(self, listener: Listener, error: Exception, pause: float) -> None:
        self._told(Failure(listener.name, error, pause))
        if listener.name in self._agenda.names:
            self._chart.failed(listener, error, self._agenda.next_look(listener.name))

    def _tell_ended(self) -> None:
        for idle in self._agenda.ended():
            self._told(idle)
            self._watch.drop(idle.listener)
            self._chart.ended(idle.listener, idle.reason)
        self._chart.write()

    def _may(self, listener: Listener) -> bool:
        """Whether its account has a connection left for it, or it has one."""
        account = listener.account
        used = self._lanes.connections[account.name] + self._watch.connections[account.name]
        return used < account.max_connections or listener.name in self._watch

    def _connection(self, turn: Turn) -> Connection:
        """What the turn may work with."""
        name = turn.listener.name
        return Connection(self._watch.take(name) if turn.looks else None, keeps=name in self._plan.keepers)

    def _park(self, listener: Listener, mailbox: Pushing) -> None:
        if self._stopping or not self._keeps(listener):
            mailbox.close()
            return
        if not mailbox.pushes:
            self._tell_polled(listener, "its server has no IDLE")
        self._hear(self._watch.park(listener, mailbox))

    def _keeps(self, listener: Listener) -> bool:
        """Whether a connection that was opened for *listener* serves it as it is written now."""
        now = self._plan.listeners.get(listener.name)
        alike = now is not None and now.name in self._plan.keepers and _reach(now) == _reach(listener)
        return alike and self._agenda.looks_on(listener.name)

    def _tell_polled(self, listener: Listener, why: str) -> None:
        if listener.name not in self._polled:
            self._polled.add(listener.name)
            text = "%s: it is looked at by its schedule only, whatever `idle: true` says"
            logging.getLogger(f"mailrules.{listener.name}").warning(text, why)

    def _hear(self, news: Iterable[News]) -> None:
        for one in news:
            if isinstance(one, Heard):
                self._agenda.hasten(one.listener)
            elif (listener := self._plan.listeners.get(one.listener)) is not None:
                self._fail(listener, one.error, self._agenda.lost(one.listener, one.held))

    def _take(self, turn: Turn, plan: _Plan, connection: Connection) -> None:
        listener, world = turn.listener, plan.world
        try:
            visit = connection.visit if listener.idle else run_pass
            report = take_turn(listener, plan.deciders[listener.name], world, looks=turn.looks, visit=visit)
            finished = _Finished(turn, report, next_expiry(listener, world), connection.mailbox)
        except Exception as error:
            finished = _Finished(turn, error, mailbox=connection.mailbox)
        except BaseException as error:  # a listener never dies in silence
            finished = _Finished(turn, RuntimeError(f"{type(error).__name__}: {error}"), mailbox=connection.mailbox)
        self._happened(finished)


def _reach(listener: Listener) -> tuple[object, ...]:
    """All that a mailbox is opened by."""
    account = listener.account
    must_exist = targets(listener.rules) if account.missing_folder == "fail" else ()
    return account.name, account.receive, account.auth, listener.folder, must_exist


def keepers(listeners: Iterable[Listener]) -> frozenset[str]:
    """Of the idle ones, those that can keep a connection: of each account so many that the others have one, too."""
    of_account: dict[str, list[Listener]] = {}
    for listener in listeners:
        of_account.setdefault(listener.account.name, []).append(listener)
    kept: list[Listener] = []
    for group in of_account.values():
        most = group[0].account.max_connections
        idle = [listener for listener in group if listener.idle]
        kept += idle if len(group) <= most else idle[: most - 1]
    return frozenset(listener.name for listener in kept)


def _first_expiry(listener: Listener, world: World) -> datetime | None:
    """What a script cannot say now, the first turn tells as a failure."""
    try:
        return next_expiry(listener, world)
    except ExpiryError:
        return world.clock()
