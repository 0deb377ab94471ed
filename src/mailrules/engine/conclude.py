"""What a decision comes to in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailrules.model.decision import Decision
from mailrules.model.entry import State, StepRecord


def concluded(decision: Decision, state: State, steps: Sequence[StepRecord] = ()) -> dict[str, Any]:
    """What a decision writes into an entry in *state* with *steps* on record.

    Without steps there is nothing left but to settle.
    """
    if decision.failure:
        state = State.PARKED
    elif not (decision.steps or steps):
        state = State.DONE if decision.disposition.idle else State.ACTED
    return {
        "state": state,
        "rule": decision.rule,
        "rule_span": str(decision.span),
        "code": decision.code,
        "disposition": decision.disposition,
        "captures": decision.captures,
        "retry_at": None,
        "reason": decision.failure or "; ".join(f"passed over: {rule}" for rule in decision.passed_over),
    }
