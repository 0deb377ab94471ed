"""Running one step of a transition, for real or by describing it."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mailrules.config.settings import Listener
from mailrules.engine.deadline import Overrun, StepThreads
from mailrules.model.action import Context, Data, InDoubt, Permanent, Transient, Withheld
from mailrules.model.entry import StepState
from mailrules.model.journal import JournalError
from mailrules.model.message import Message
from mailrules.model.rule import Step


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step for one message: all that edges may go by."""

    step: Step
    message: Message
    data: Data
    listener: Listener
    key: str
    """The idempotency key."""
    progress: Mapping[str, Any] = field(default_factory=dict)
    """What the try before had done already."""


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of a step."""

    state: StepState
    result: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    """What was done, where the action says it better than its description foretold."""


MOST_KEPT = 1 << 20
"""Characters of JSON that one step may give: the journal keeps them, and later steps read them back at every try."""
_UNKNOWN = "nobody knows whether it happened, and it is not repeated by itself"

Perform: TypeAlias = Callable[[Attempt], Performed]
"""May raise what an action raises."""


def describe_only(attempt: Attempt) -> Performed:
    """Do nothing: what the step would do is told by its description.

    A pure step (`map`) runs, for it touches nothing and later steps are described with its result.
    """
    step = attempt.step
    given = step.action.run(attempt.message, attempt.data, None) if step.pure else None  # type: ignore[arg-type]
    result = dict(given or {})
    return Performed(StepState.DESCRIBED, said=str(result.pop("done", "")), result=result)


def performer(context_of: Callable[[Attempt], Context], *, threads: StepThreads | None = None) -> Perform:
    """A performer that does it, with the edges that *context_of* gives for an attempt, and cuts off what hangs.

    What does not end by its deadline may be repeated if the action says so; otherwise nobody knows what came of it.
    """
    held = threads or StepThreads()

    def run(attempt: Attempt) -> Performed:
        step = attempt.step

        def act() -> Mapping[str, Any] | None:
            return step.action.run(attempt.message, attempt.data, context_of(attempt))

        log = logging.getLogger(f"mailrules.{attempt.listener.name}")
        try:
            given = held.run(act, seconds=step.timeout, what=step.label, log=log)
        except Overrun as error:
            if step.repeatable:
                raise Transient(str(error)) from error
            raise InDoubt(f"{error}: {_UNKNOWN}") from error
        except (Transient, Permanent, Withheld, JournalError):
            raise
        except (Exception, SystemExit) as error:
            if step.repeatable:
                raise
            raise InDoubt(f"{placed(error)}: {_UNKNOWN}") from error
        result = _kept(given, step)
        return Performed(StepState.SUCCEEDED, said=str(result.pop("done", "")), result=result)

    return run


def _kept(given: object, step: Step) -> dict[str, Any]:
    """What it gave, if that is a mapping of a size that can be kept; else it has run, and what came of it is lost."""
    if isinstance(given, Mapping | None):
        result = dict(given or {})
        if _length(result) <= MOST_KEPT:
            return result
        reason = f"it has run, but gave over {MOST_KEPT >> 20} MiB, more than is kept for later steps"
    else:
        reason = f"it has run, but returned {type(given).__name__} where a mapping or None is meant"
    raise (Permanent if step.repeatable else InDoubt)(reason)


def _length(result: Mapping[str, Any]) -> int:
    try:
        return len(json.dumps(result, default=str))
    except (TypeError, ValueError, RecursionError):  # what JSON cannot say is kept as its text
        return len(str(result))


def placed(error: BaseException) -> str:
    """What went wrong where nobody has foreseen it, with the line of the program."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    for place in traceback.extract_tb(error.__traceback__)[-1:]:
        said += f" (in {place.filename.rpartition('/')[2]}:{place.lineno})"
    return said
