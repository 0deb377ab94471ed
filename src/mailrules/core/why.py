"""Why a rule decides or does not, in one sentence, from the trace of a decision."""

from __future__ import annotations

from collections.abc import Iterator

from mailrules.model.condition import Verdict
from mailrules.model.decision import Decision, Trace


def why(rule: str, trace: Trace, decision: Decision) -> str:
    """One sentence on *rule*, whose own trace is *trace*; *decision* is what came of all the rules."""
    if decision.rule == rule:
        return f"rule '{rule}' decides: it is the first that matches"
    if rule in decision.continued:
        return f"rule '{rule}' speaks, and lets later rules speak too (continue: true)"
    if trace.verdict is Verdict.YES and decision.rule is not None:
        return f"rule '{rule}' matches, but '{decision.rule}' ({decision.span}) comes before it and decides"
    if trace.verdict is Verdict.UNKNOWN:
        return f"rule '{rule}' is passed over: {trace.reason or 'it cannot be told whether it matches'}"
    blamed = "; ".join(_blamed(trace))
    return f"rule '{rule}' does not match: {blamed or trace.reason or 'its script says so'}"


def _blamed(trace: Trace) -> Iterator[str]:
    """The conditions that keep what is above them from saying yes."""
    for child in trace.children:
        if child.label == "none" and child.verdict is not Verdict.YES:
            yield from (f"none of them may hold: {_said(each)}" for each in child.children if _holds(each))
        elif child.verdict is not Verdict.YES:
            yield from _blamed(child) if child.children else (_said(child),)


def _holds(trace: Trace) -> bool:
    return trace.verdict is not Verdict.NO


def _said(trace: Trace) -> str:
    because = "; ".join(part for part in (f"saw {trace.seen}" if trace.seen else "", trace.reason) if part)
    return f"'{trace.label}' says {trace.verdict.value}" + (f" ({because})" if because else "")
