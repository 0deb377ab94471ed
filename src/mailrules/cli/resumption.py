"""What an operator may order about a message that does not go on by itself, and what is then put on record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mailrules.cli.record import last_records
from mailrules.model.entry import PASSED, Entry, State, StepRecord, StepState

RESUMABLE = frozenset({State.PARKED, State.RETRY, State.SKIPPED})
"""States in which a message can be ordered about; in any other it is done, or in hand."""
AGAIN = "taken up again by the operator"
GIVEN_UP = "given up by the operator"
SET_ASIDE = "set aside by the operator"
BEHIND = PASSED | {StepState.UNKNOWN, StepState.STARTED}
"""States of a step that is not run again by itself."""


class Order(StrEnum):
    """What is to become of it."""

    AGAIN = "again"
    """Go on from the step that failed; one in doubt is run again."""
    DONE = "done"
    """Take the step in doubt as done, and go on after it."""
    GIVE_UP = "give-up"
    """Leave the message alone for good."""
    ANEW = "anew"
    """Decide by the rules as they are now, and run every step."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """An order carried out on one entry, not yet on record."""

    entry: Entry
    records: tuple[StepRecord, ...] = ()
    """To append to its steps."""

    @property
    def steps(self) -> list[str]:
        """The steps that are taken as done or set aside, for a person."""
        return [f"step {record.position + 1}, {record.detail}" for record in self.records]


def refusal(entry: Entry, order: Order) -> str:
    """Why an order makes no sense for this message, and what to do instead; empty when it does."""
    if order is Order.GIVE_UP and entry.state is State.SKIPPED:
        return "it is left alone already"
    if order is not Order.DONE or (entry.steps and entry.steps[-1].state is StepState.UNKNOWN):
        return ""
    last = entry.steps[-1] if entry.steps else None
    why = "no step of it was cut off"
    if last is not None and last.state is StepState.FAILED:
        why = f"step {last.position + 1} ({last.name}) failed: it is known that it did not happen"
    again, give_up = f"`mailrules retry {entry.id}` runs it again", "with --give-up it is left alone"
    return f"{why}, so --done does not fit; {again}, {give_up}, with --anew it is decided afresh"


def resumption(entry: Entry, order: Order, now: datetime) -> Resumption:
    """The entry as *order* leaves it: due at once, or given up."""
    if order is Order.GIVE_UP:
        return Resumption(replace(entry, state=State.SKIPPED, retry_at=None, reason=f"{GIVEN_UP}{_before(entry)}"))
    due = replace(entry, state=State.RETRY, retry_at=now, attempts=0, reason=f"{AGAIN}{_before(entry)}")
    if order is Order.DONE:
        last = entry.steps[-1]
        return Resumption(due, (_marked(last, StepState.SUCCEEDED, "taken as done by the operator", now),))
    if order is Order.ANEW:
        # One that failed half way is behind for those who have it.
        behind = [record for record in last_records(entry) if record.state in BEHIND or record.result]
        return Resumption(due, tuple(_marked(record, StepState.FAILED, SET_ASIDE, now) for record in behind))
    return Resumption(due)


def _before(entry: Entry) -> str:
    """What stood there before, once: an operator may order twice."""
    for said in (AGAIN, GIVEN_UP):
        if entry.reason.startswith(said):
            return entry.reason.removeprefix(said)
    return f"; before: {entry.reason}" if entry.reason else ""


def _marked(record: StepRecord, state: StepState, said: str, now: datetime) -> StepRecord:
    said = f"{record.detail or record.name} ({said})"
    return replace(record, state=state, detail=said, result={}, at=now)  # it neither gave data nor goes on from there
