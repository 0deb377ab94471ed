"""The journal's row for one message, and its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mailrules.model.code import Code
from mailrules.model.mailbox import Ref
from mailrules.model.rule import UNTOUCHED, Disposition


class State(StrEnum):
    """Where a message stands."""

    CLAIMED = "claimed"
    """Decided and taken; nothing done yet."""
    ACTING = "acting"
    """A step has started."""
    ACTED = "acted"
    """Every step has succeeded; the server copy is still untouched."""
    DONE = "done"
    """The disposition has been carried out."""
    RETRY = "retry"
    """Something failed that may succeed later, at `retry_at`."""
    PARKED = "parked"
    """A person must look; `retry` takes it up again."""
    SKIPPED = "skipped"
    """Left alone on purpose; `reason` says why."""


UNFINISHED = frozenset({State.CLAIMED, State.ACTING, State.ACTED})
"""States in which only a crash leaves a message."""
IN_HAND = UNFINISHED | {State.RETRY, State.PARKED}
"""States in which something is still owed to a message."""


class StepState(StrEnum):
    """Where one step stands."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It said so; it may be tried again."""
    UNKNOWN = "unknown"
    """The process died between start and answer, and it may not be repeated."""
    WITHHELD = "withheld"
    """It decided not to act; the transition went on."""
    IGNORED = "ignored"
    """It failed, and its `on_error` said to go on."""
    DESCRIBED = "described"
    """Told, not done: dry run and tests."""


PASSED = frozenset({StepState.SUCCEEDED, StepState.DESCRIBED, StepState.WITHHELD, StepState.IGNORED})
"""States of a step that is not run again."""
UNDONE = frozenset({StepState.FAILED, StepState.WITHHELD, StepState.IGNORED})
"""States of a step that nothing came of: changed rules are not held against it."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One try of one step."""

    position: int
    """From 0, in the decision's steps."""
    name: str
    digest: str
    state: StepState
    key: str
    """The idempotency key."""
    detail: str = ""
    """What it did, or why it failed; secrets struck out."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """Data for later steps; of a try that has not succeeded, what it had done: the next goes on from there."""
    at: datetime | None = None
    span: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of one listener in the journal."""

    listener: str
    account: str
    ref: Ref
    fingerprint: str
    """Of the header block: finds the message again after a UIDVALIDITY reset or a move."""
    state: State
    id: int | None = None
    """The journal's own number, by which the CLI names it; None before it is claimed."""
    rule: str | None = None
    rule_span: str = ""
    code: Code = Code.KEEP
    disposition: Disposition = UNTOUCHED
    reason: str = ""
    """Why it is skipped, retried or parked; else empty."""
    attempts: int = 0
    retry_at: datetime | None = None
    message_id: str = ""
    subject: str = ""
    sender: str = ""
    date: datetime | None = None
    captures: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()
    """In order; the last record of a position counts."""
    updated: datetime | None = None

    def step(self, position: int) -> StepRecord | None:
        """The latest record of the step at *position*."""
        found = [record for record in self.steps if record.position == position]
        return found[-1] if found else None
