"""What runs when: the listeners of one process with the moments of their next runs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailrules.config.settings import Listener
from mailrules.core.schedule import GRACE, caught_up, first_run, following, why_over
from mailrules.engine.standing import Idle, spent
from mailrules.model.journal import Journal

LONGEST_BACKOFF = 300.0
"""Seconds between tries of a listener that keeps failing."""


@dataclass(slots=True)
class Course:
    """A listener on its way from run to run."""

    listener: Listener
    done: int = 0
    """Runs on record, of all processes."""
    failed: int = 0
    """Tries in a row that failed."""
    began: datetime | None = None
    """When the latest run began."""


@dataclass(slots=True)
class Agenda:
    """Gives out listeners as their time comes, by *clock*."""

    clock: Callable[[], datetime]
    _courses: dict[str, Course] = field(default_factory=dict)
    _due: list[tuple[datetime, str]] = field(default_factory=list)
    _running: int = 0
    _ended: list[Idle] = field(default_factory=list)
    _seen: datetime | None = None

    def enter(self, listener: Listener, journal: Journal) -> None:
        """Plan the first run of this process."""
        history = journal.history(listener.name)
        if reason := spent(listener, journal):
            self._ended.append(Idle(listener.name, reason))
            return
        self._courses[listener.name] = Course(listener, history.runs)
        schedule = listener.schedule
        self._plan(listener.name, first_run(schedule, self.clock(), last=history.last_run, done=history.runs))

    @property
    def busy(self) -> bool:
        """Whether anything runs, or will."""
        return bool(self._due or self._running)

    def ended(self) -> list[Idle]:
        """Listeners that have come to their end since this was last asked."""
        ended, self._ended = self._ended, []
        return ended

    def wait(self, longest: float) -> float:
        """Seconds until the next run is due, *longest* at most."""
        if not self._due:
            return longest if self._running else 0.0
        return min(longest, max(0.0, (self._due[0][0] - self.clock()).total_seconds()))

    def take(self) -> Iterator[Listener]:
        """The listeners whose time has come; each is on its way until `ran` or `failed`."""
        now = self.clock()
        self._follow(now)
        while self._due and self._due[0][0] <= now:
            planned, name = heapq.heappop(self._due)
            course = self._courses[name]
            at = caught_up(course.listener.schedule, planned, now, done=course.done)
            if at == now:
                course.began = now
                self._running += 1
                yield course.listener
            else:
                self._plan(name, at)

    def ran(self, name: str, *, ended: str = "") -> None:
        """A run has come to its end; *ended* is why it was the last one."""
        course = self._courses[name]
        self._running -= 1
        course.done += 1
        course.failed = 0
        if ended:
            self._ended.append(Idle(name, ended))
        else:
            now = self.clock()
            self._plan(name, following(course.listener.schedule, course.began or now, now, done=course.done))

    def failed(self, name: str) -> float:
        """A run has failed; gives the seconds until it is tried again."""
        course = self._courses[name]
        self._running -= 1
        course.failed += 1
        pause = backoff(course.failed, course.listener.schedule.every)
        at, until = self.clock() + timedelta(seconds=pause), course.listener.schedule.until
        self._plan(name, None if until is not None and at >= until else at)
        return pause

    def _plan(self, name: str, at: datetime | None) -> None:
        if at is not None:
            heapq.heappush(self._due, (at, name))
            return
        course = self._courses[name]
        self._ended.append(Idle(name, why_over(course.listener.schedule, done=course.done)))

    def _follow(self, now: datetime) -> None:
        """A clock that was set back must not hold up a plain pause."""
        if self._seen is not None and now < self._seen - GRACE:
            self._due = [(min(at, self._soon(name, now)), name) for at, name in self._due]
            heapq.heapify(self._due)
        self._seen = now

    def _soon(self, name: str, now: datetime) -> datetime:
        """The latest moment to which the next run may be put off; for ever where moments are named."""
        schedule = self._courses[name].listener.schedule
        plain = not schedule.cron and schedule.since is None
        return now + timedelta(seconds=schedule.every) if plain else datetime.max.replace(tzinfo=now.tzinfo)


def backoff(failed: int, every: float) -> float:
    """Seconds before the next try after *failed* failures in a row: doubling, with jitter, up to five minutes."""
    longest = min(LONGEST_BACKOFF, max(every, 1.0) * 2.0 ** min(failed - 1, 10))
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
