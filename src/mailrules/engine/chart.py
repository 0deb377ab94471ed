"""How each listener fares, kept in the journal for whoever watches over it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailrules.api.options import redact
from mailrules.config.settings import Listener
from mailrules.core.health import overdue
from mailrules.engine.passes import Report
from mailrules.engine.perform import placed
from mailrules.model.action import PersonNeeded
from mailrules.model.health import Health
from mailrules.model.journal import Journal, JournalError

PACE = timedelta(seconds=5)
"""What tells nothing new but the time is written no more often."""


def cause(error: BaseException) -> str:
    """What went wrong, in one sentence without secrets; what nobody has foreseen with the line of the program."""
    known = type(error).__module__.startswith("mailrules.")
    return redact(str(error) if known else placed(error))


def remedy(error: BaseException) -> str:
    """What to do about it; empty where that is not known."""
    return redact(str(getattr(error, "remedy", "")))


@dataclass(slots=True)
class Chart:
    """The records of a process's listeners: in the journal at once where something changed, else now and then.

    `next_run` is when this process looks next; without one nothing is promised, and nothing can become overdue.
    """

    journal: Journal
    clock: Callable[[], datetime]
    _records: dict[str, Health] | None = None
    _promised: set[str] = field(default_factory=set)
    _unwritten: set[str] = field(default_factory=set)
    _urgent: bool = True
    _written: datetime | None = None
    _troubled: bool = False

    def taken_up(self, listener: Listener, next_run: datetime | None) -> None:
        """A process looks after it, as it is written now: what is promised counts from when that began."""
        name, before = listener.name, self._of(listener.name)
        promised = before.overdue if name in self._promised else overdue(listener.schedule, self.clock())
        self._promised.add(name)
        self._put(name, replace(before, next_run=next_run, overdue=promised, ended=""))

    def succeeded(self, listener: Listener, report: Report, next_run: datetime | None = None) -> None:
        """A check has come to its end."""
        now = self.clock()
        promised = overdue(listener.schedule, now) if next_run else None
        record = Health(now, next_run=next_run, overdue=promised, waiting=report.left, ended=report.ended)
        self._put(listener.name, record)

    def failed(self, listener: Listener, error: BaseException, next_run: datetime | None = None) -> None:
        """A check has failed."""
        before = self._of(listener.name)
        record = replace(
            before,
            failures=before.failures + 1,
            since=before.since or self.clock(),
            error=cause(error),
            remedy=remedy(error),
            person=isinstance(error, PersonNeeded),
            next_run=next_run,
            overdue=before.overdue if next_run else None,
        )
        self._put(listener.name, record)

    def ended(self, name: str, reason: str) -> None:
        """It looks no more."""
        self._promised.discard(name)
        self._put(name, replace(self._of(name), ended=reason, next_run=None, overdue=None))

    def write(self, *, everything: bool = False) -> None:
        """Put on record what is due to be. A journal that cannot be written is told once, and tried again later."""
        now = self.clock()
        if not self._unwritten or not (everything or self._urgent or self._is_time(now)):
            return
        try:
            self.journal.note({name: self._known[name] for name in self._unwritten})
        except JournalError as error:
            level = logging.DEBUG if self._troubled else logging.ERROR
            logging.getLogger("mailrules").log(level, "how the listeners fare is not on record: %s", error)
            self._troubled, self._urgent = True, False
        else:
            self._unwritten.clear()
            self._troubled = self._urgent = False
        self._written = now

    def _is_time(self, now: datetime) -> bool:
        return self._written is None or not timedelta(0) <= now - self._written < PACE

    @property
    def _known(self) -> dict[str, Health]:
        if self._records is None:
            try:
                self._records = dict(self.journal.health())
            except JournalError:  # what it cannot give now, it cannot take either, and `write` says so
                self._records = {}
        return self._records

    def _of(self, name: str) -> Health:
        return self._known.get(name, Health())

    def _put(self, name: str, record: Health) -> None:
        before = self._of(name)
        self._known[name] = record
        self._unwritten.add(name)
        self._urgent = self._urgent or _news(before) != _news(record)


def _news(record: Health) -> tuple[Health, bool]:
    """All but the moments, which change with every check."""
    return replace(record, last_success=None, next_run=None, overdue=None), record.last_success is None
