"""The operator's log: one line an event on stderr, and what a pass did as such lines."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from mailrules.api import PersonNeeded
from mailrules.cli.record import last_records, moment
from mailrules.cli.terminal import plural, safe
from mailrules.engine.listen import Failure, Outcome
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle
from mailrules.model.entry import Entry, State, StepState

TROUBLED = frozenset({State.PARKED, State.RETRY})
OUT_OF_THE_WAY = {StepState.WITHHELD: logging.INFO, StepState.IGNORED: logging.WARNING}
"""Steps that nothing came of while their message went on, and how much that matters."""


@contextmanager
def log_on_stderr(*, verbose: bool) -> Iterator[None]:
    """Meanwhile mailrules' own log goes to stderr: warnings and what actions say; with *verbose*, each message too."""
    lines = _Stderr()
    lines.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    log = logging.getLogger("mailrules")
    before = log.handlers, log.propagate, log.level
    log.handlers, log.propagate = [lines], False
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        log.handlers, log.propagate = before[:2]
        log.setLevel(before[2])


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what is stderr at that moment: a progress bar puts itself in between, to stay below the lines."""

    @property
    def stream(self) -> TextIO:
        """See `logging.StreamHandler`."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """It is never another."""


class _OneLine(logging.Formatter):
    """Text from mail stays on its line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """See `logging.Formatter`."""
        record.message = safe(record.message)
        return super().formatMessage(record)


class PassLog:
    """The lines of one run. What a person must do is told once and not at every try, and when it has been done."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        """What was told of listeners for which somebody must act."""

    def __call__(self, outcome: Outcome) -> None:
        """Tell of one outcome."""
        before = self._told.pop(outcome.listener, "")
        log = logging.getLogger(f"mailrules.{outcome.listener}")
        if isinstance(outcome, Failure) and isinstance(outcome.error, PersonNeeded):
            self._told[outcome.listener] = outcome.reason
            level = logging.DEBUG if before == outcome.reason else logging.ERROR
            log.log(level, "a person must act: %s; next try in %.0f s", outcome.reason, outcome.retry_in)
            return
        if before and isinstance(outcome, Report):
            log.info("it goes on")
        log_outcome(outcome)


def log_outcome(outcome: Outcome) -> None:
    """One line for a pass that did something or failed, one for each message in trouble; all of them under `-v`."""
    log = logging.getLogger(f"mailrules.{outcome.listener}")
    if isinstance(outcome, Idle):
        log.info("%s", outcome.reason)
        return
    if isinstance(outcome, Failure):
        log.error("%s; next try in %.0f s", outcome.reason, outcome.retry_in)
        return
    for entry in outcome.entries:
        level = logging.WARNING if entry.state in TROUBLED else logging.DEBUG
        log.log(level, "%s", message_line(entry))
        for record in last_records(entry) if entry.state is not State.RETRY else ():
            if record.state in OUT_OF_THE_WAY:
                told = f"#{entry.id} step {record.position + 1} {record.state}: {record.detail}"
                log.log(OUT_OF_THE_WAY[record.state], "%s", told)
    if outcome.entries:
        log.info("%s", pass_line(outcome))


def pass_line(report: Report) -> str:
    """`3 messages: 2 done, 1 retry; 4 messages wait for the next pass`."""
    counted = Counter(str(entry.state) for entry in report.entries)
    states = ", ".join(f"{number} {state}" for state, number in counted.most_common())
    waiting = f"; {plural(report.left, 'message')} wait for the next pass" if report.left else ""
    return f"{plural(len(report.entries), 'message')}: {states}{waiting}"


def message_line(entry: Entry) -> str:
    """`#12 done: 'Invoice #42' from billing@acme.example, rule 'invoices', code 4: move to Invoices`."""
    return ", ".join(_parts(entry))


def _parts(entry: Entry) -> Iterator[str]:
    yield f"#{entry.id} {entry.state}: {entry.subject!r} from {entry.sender}"
    if entry.rule is not None:
        yield f"rule {entry.rule!r}"
    yield f"code {int(entry.code)}: {entry.disposition}"
    if entry.reason:
        yield entry.reason
    if entry.state is State.RETRY:
        yield f"again at {moment(entry.retry_at)}"
