"""When a listener runs, and when it expires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from mailrules.model.rule import Step


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rhythm (a pause, or a cron expression), and how long it lasts."""

    every: float = 60.0
    """Seconds from one run to the next; without meaning where there is a `cron`."""
    cron: str = ""
    """Five fields, of the local time in `timezone`."""
    timezone: str = "UTC"
    since: datetime | None = None
    """The first moment of a run, aware; with `every` also where the rhythm starts."""
    until: datetime | None = None
    """From this moment on there is no run, aware."""
    max_runs: int | None = None
    """How many runs in all; None is any number."""
    overlap: Literal["skip", "queue"] = "skip"
    """What becomes of runs that come due while one is under way: left out, or one of them right after it."""
    misfire: Literal["once", "skip"] = "once"
    """What becomes of runs missed while nothing ran: one of them as soon as possible, or left out."""

    @property
    def remembered(self) -> bool:
        """Whether the next run depends on earlier ones of other processes: then each is put on record."""
        return bool(self.cron) or self.since is not None or self.max_runs is not None


@dataclass(frozen=True, slots=True)
class Expiry:
    """A moment at which a listener ends, or does something and goes on."""

    written: str
    """As it was written, for people: `14d after the start`."""
    key: str
    """Tells it apart from the others of its listener, in every process."""
    at: datetime | None = None
    """What `delay` counts from, aware; None is the listener's first pass."""
    delay: timedelta = timedelta(0)
    cron: str = ""
    """Instead: the first moment of these after the first pass, in `timezone`."""
    timezone: str = "UTC"
    script: Callable[[datetime], Any] | None = None
    """Instead: a function of the first pass that gives the moment, or None."""
    steps: tuple[Step, ...] = ()
    terminate: bool = True
    """Whether the listener ends with it."""
