"""What runs when: the listeners of one process with the moments of their next runs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailrules.config.settings import Listener
from mailrules.core.schedule import GRACE, caught_up, first_run, following, why_over
from mailrules.engine.pauses import LONGEST
from mailrules.engine.standing import Idle, spent
from mailrules.model.journal import Journal

LONGEST_BACKOFF = 300.0
"""Seconds between tries of a listener that keeps failing."""
STEADY = 60.0
"""Seconds for which a parked connection must hold, so that its loss is not counted with the one before."""
RECONNECT = 1.0
"""Seconds before the first try to replace a connection on which a server was to tell what comes."""
MANY = 20
"""Failures in a row after which they no longer grow, whatever the schedule."""


@dataclass(slots=True)
class Course:
    """A listener on its way from run to run."""

    listener: Listener
    done: int = 0
    """Runs on record, of all processes."""
    failed: int = 0
    """Tries in a row that failed."""
    lost: int = 0
    """Connections in a row that were lost soon after they had been parked."""
    began: datetime | None = None
    """When the latest run began."""
    due: datetime | None = None
    """When it looks next; None when it does not any more."""
    expires: datetime | None = None
    """When there is something to do for an expiry."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A listener whose time has come."""

    listener: Listener
    looks: bool
    """Whether it makes a pass; otherwise only an expiry has come."""


@dataclass(slots=True)
class Agenda:
    """Gives out listeners as their time comes, by *clock*."""

    clock: Callable[[], datetime]
    _courses: dict[str, Course] = field(default_factory=dict)
    _due: list[tuple[datetime, str]] = field(default_factory=list)
    _in_hand: set[str] = field(default_factory=set)
    _ended: list[Idle] = field(default_factory=list)
    _seen: datetime | None = None

    def enter(self, listener: Listener, journal: Journal, *, expires: datetime | None = None) -> None:
        """Plan the first run of this process; *expires* is when there is something to do for an expiry."""
        history, reason = journal.history(listener.name), spent(listener, journal)
        course = self._courses[listener.name] = Course(listener, history.runs, expires=expires)
        first = first_run(listener.schedule, self.clock(), last=history.last_run, done=history.runs)
        if listener.name in self._in_hand:  # the end of its turn plans the next, if that looked
            course.due = None if reason else first
        elif reason:
            self._end(course, reason)
        else:
            self._plan(course, first)

    def change(self, listener: Listener, journal: Journal, *, expires: datetime | None = None) -> None:
        """Take up a listener as it is written now. One that was well keeps its rhythm; what failed is tried at once."""
        name = listener.name
        course = self._courses.get(name)
        alike = course is not None and _alike(course.listener, listener)
        if course is None or not alike or (course.failed and name not in self._in_hand):
            self.leave(name)
            self.enter(listener, journal, expires=expires)
            return
        course.listener, course.expires = listener, expires
        if name not in self._in_hand:
            self._forget(name)
            self._wake(course)

    def leave(self, name: str) -> None:
        """Plan no more turns of a listener; one that is under way comes to its end."""
        self._courses.pop(name, None)
        self._forget(name)

    def next_look(self, name: str) -> datetime | None:
        """When a listener looks next; None when it does not, or does now."""
        course = self._courses.get(name)
        return course.due if course else None

    def looks_on(self, name: str) -> bool:
        """Whether a listener looks, now or some time."""
        return name in self._in_hand or self.next_look(name) is not None

    @property
    def names(self) -> frozenset[str]:
        """The listeners that are looked after, ended ones too."""
        return frozenset(self._courses)

    @property
    def busy(self) -> bool:
        """Whether anything runs, or will."""
        return bool(self._due or self._in_hand)

    def ended(self) -> list[Idle]:
        """Listeners that have come to their end since this was last asked."""
        ended, self._ended = self._ended, []
        return ended

    def wait(self, longest: float) -> float:
        """Seconds until the next run is due, *longest* at most."""
        if not self._due:
            return longest if self._in_hand else 0.0
        return min(longest, max(0.0, (self._due[0][0] - self.clock()).total_seconds()))

    def take(self) -> Iterator[Turn]:
        """The listeners whose time has come; each is on its way until `ran` or `failed`."""
        now = self.clock()
        self._follow(now)
        while self._due and self._due[0][0] <= now:
            course = self._courses[heapq.heappop(self._due)[1]]
            looks = course.due is not None and course.due <= now
            if looks and course.due is not None:
                at = caught_up(course.listener.schedule, course.due, now, done=course.done)
                looks = at == now
                if not looks:
                    self._plan(course, at)
                    continue
            if looks:
                course.began, course.due = now, None
            self._in_hand.add(course.listener.name)
            yield Turn(course.listener, looks)

    def ran(self, turn: Turn, *, ended: str = "", expires: datetime | None = None) -> None:
        """A turn has come to its end; *ended* is why it was the last one, *expires* the next to do for an expiry."""
        self._in_hand.discard(turn.listener.name)
        course = self._courses.get(turn.listener.name)
        if course is None:
            return
        course.failed = 0
        course.expires = expires
        course.done += turn.looks
        if ended:
            self._end(course, ended)
        elif turn.looks:
            self._plan(course, self._following(course))
        else:
            self._wake(course)

    def failed(self, turn: Turn, *, hopeless: bool = False, after: float = 0.0) -> float:
        """A turn has failed; gives the seconds until it is tried again: many where that is *hopeless*, or *after*."""
        self._in_hand.discard(turn.listener.name)
        course = self._courses.get(turn.listener.name)
        if course is None:
            return 0.0
        course.failed += 1
        every = RECONNECT if course.listener.idle else course.listener.schedule.every
        pause = backoff(MANY if hopeless and course.failed > 1 else course.failed, every)
        if after > 0:
            pause = max(pause, min(after, LONGEST) + random.uniform(0, RECONNECT))  # noqa: S311 - spreads load
        at, until = self.clock() + timedelta(seconds=pause), course.listener.schedule.until
        if course.expires is not None:
            course.expires = max(course.expires, at)
        if turn.looks:
            self._plan(course, None if until is not None and at >= until else at)
        else:
            self._wake(course)
        return pause

    def _following(self, course: Course) -> datetime | None:
        """The run after the one that has ended; of an idle listener, to which a notice may come, at least its end."""
        now, schedule = self.clock(), course.listener.schedule
        planned = following(schedule, course.began or now, now, done=course.done)
        used_up = schedule.max_runs is not None and course.done >= schedule.max_runs
        if planned is None and course.listener.idle and not used_up and schedule.until is not None:
            return max(schedule.until, now)
        return planned

    def hasten(self, name: str) -> None:
        """Something came: look now, if the listener looks at all.

        The end of a turn that is under way plans anew, and one that failed has its back-off.
        """
        course = self._courses.get(name)
        if course is not None and not course.failed:
            self._bring_forward(name, self.clock())

    def give_back(self, turn: Turn) -> None:
        """A turn that was taken has not begun: it is due again."""
        name = turn.listener.name
        self._in_hand.discard(name)
        course = self._courses.get(name)
        if course is not None:
            course.due = self.clock() if turn.looks else course.due
            self._wake(course)

    def lost(self, name: str, held: float) -> float:
        """Its connection, *held* for so many seconds, has ended; gives the seconds until the next try."""
        course = self._courses.get(name)
        if course is None:
            return 0.0
        course.lost = 1 if held >= STEADY else course.lost + 1
        pause = backoff(course.lost, RECONNECT)
        self._bring_forward(name, self.clock() + timedelta(seconds=pause))
        return pause

    def _bring_forward(self, name: str, at: datetime) -> None:
        course = self._courses.get(name)
        if course is not None and course.due is not None and name not in self._in_hand:
            course.due = min(course.due, at)
            self._forget(name)
            self._wake(course)

    def _plan(self, course: Course, at: datetime | None) -> None:
        """Look next *at* that moment, or never again."""
        course.due = at
        if at is None:
            self._ended.append(Idle(course.listener.name, why_over(course.listener.schedule, done=course.done)))
        self._wake(course)

    def _end(self, course: Course, reason: str) -> None:
        """It looks no more; an expiry that is to be tried again still is."""
        course.due = None
        self._ended.append(Idle(course.listener.name, reason))
        self._wake(course)

    def _forget(self, name: str) -> None:
        self._due = [(at, other) for at, other in self._due if other != name]
        heapq.heapify(self._due)

    def _wake(self, course: Course) -> None:
        moments = [moment for moment in (course.due, course.expires) if moment is not None]
        if moments:
            heapq.heappush(self._due, (min(moments), course.listener.name))

    def _follow(self, now: datetime) -> None:
        """A clock that was set back must not hold up a plain pause."""
        if self._seen is not None and now < self._seen - GRACE:
            for course in self._courses.values():
                schedule = course.listener.schedule
                if course.due is not None and not schedule.cron and schedule.since is None:
                    course.due = min(course.due, now + timedelta(seconds=schedule.every))
            waiting = {name for _, name in self._due}
            self._due = []
            for name in waiting:
                self._wake(self._courses[name])
        self._seen = now


def _alike(before: Listener, now: Listener) -> bool:
    """Whether both run by the same rhythm to the same end."""

    def rhythm(listener: Listener) -> tuple[object, ...]:
        return listener.schedule, listener.stop_after_first, [expiry.key for expiry in listener.expires]

    return rhythm(before) == rhythm(now)


def backoff(failed: int, every: float) -> float:
    """Seconds before the next try after *failed* failures in a row: doubling, with jitter, up to five minutes."""
    longest = min(LONGEST_BACKOFF, max(every, 1.0) * 2.0 ** min(failed - 1, 10))
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
