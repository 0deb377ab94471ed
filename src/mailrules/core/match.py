"""The plain evaluator: what every condition means. The index only saves calling it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from mailrules.core.operators import NEEDS_END, PREDICATES, found
from mailrules.core.view import Reading, View, seen
from mailrules.model.condition import All, AnyOf, Condition, NoneOf, Operator, Test, Verdict
from mailrules.model.decision import Trace
from mailrules.model.message import Extent, Message

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
_OPPOSITE = {YES: NO, NO: YES, UNKNOWN: UNKNOWN}
_WORDS = {All: "all", AnyOf: "any", NoneOf: "none"}


def evaluate(condition: Condition, message: Message, now: datetime, *, timezone: str = "UTC") -> Verdict:
    """Whether *condition* holds of *message* at the moment *now* (aware). Never raises `NotLoadedError`."""
    return verdict(condition, View(message, now, timezone))


def explain(condition: Condition, message: Message, now: datetime, *, timezone: str = "UTC") -> Trace:
    """The same verdict as a tree: each test with the value it saw and why it says yes, no or unknown."""
    return trace(condition, View(message, now, timezone))


def captures(condition: Condition, message: Message, now: datetime, *, timezone: str = "UTC") -> dict[str, str]:
    """The named groups of the patterns that made *condition* hold; of two with one name, the first."""
    return captured(condition, View(message, now, timezone))


def verdict(condition: Condition, view: View) -> Verdict:
    """`evaluate` on a message already in view."""
    kind = type(condition)
    if kind is Test:
        return _test(condition, view)  # type: ignore[arg-type]
    if kind is All:
        return _all(verdict(each, view) for each in condition.conditions)  # type: ignore[union-attr]
    either = _any(verdict(each, view) for each in condition.conditions)  # type: ignore[union-attr]
    return either if kind is AnyOf else _OPPOSITE[either]


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    result = YES
    for each in verdicts:
        if each is NO:
            return NO
        if each is UNKNOWN:
            result = UNKNOWN
    return result


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    result = NO
    for each in verdicts:
        if each is YES:
            return YES
        if each is UNKNOWN:
            result = UNKNOWN
    return result


def values(test: Test, view: View) -> Reading:
    """What *test* is put to; of attachments whose sizes are not loaded, those that all but their size speaks for."""
    read = view.reading(test)
    if test.field != "attachment" or not read.values or not view.message.extent.partial:
        return read
    rest = tuple(operator for operator in test.operators if operator.name != "size")
    if len(rest) == len(test.operators):
        return read
    if any(_witness(replace(test, operators=rest), Reading((value,)), view) is not None for value in read.values):
        return read._replace(values=(), certain=False, reason="attachment sizes not loaded", more=Extent.WHOLE)
    return read._replace(values=())


def _test(test: Test, view: View) -> Verdict:
    reading = values(test, view)
    if not test.count and test.exists is None:
        return _operators(test, reading, view)
    asked = [] if test.exists is None else [_exists(test.exists, reading)]
    if test.count and test.field in ("attachment", "bounce"):
        return _all([*asked, _count(test.count, _satisfying(test, reading, view), reading)])
    if test.count:
        asked.append(_count(test.count, reading.number, reading))
    if test.operators:
        asked.append(_operators(test, reading, view))
    return _all(asked)


def _operators(test: Test, reading: Reading, view: View) -> Verdict:
    if _witness(test, reading, view) is None:
        return NO if reading.certain else UNKNOWN
    if not reading.certain and any(operator.name in NEEDS_END for operator in test.operators):
        return UNKNOWN
    return YES


def _witness(test: Test, reading: Reading, view: View) -> Any:
    """The first value of which every operator holds, or None."""
    for value in reading.values:
        for operator in test.operators:
            if not PREDICATES[operator.name](operator.operands, value, test, view):
                break
        else:
            return value
    return None


def _satisfying(test: Test, reading: Reading, view: View) -> int:
    return sum(_witness(test, Reading((value,)), view) is not None for value in reading.values)


def _exists(wanted: bool, reading: Reading) -> Verdict:  # noqa: FBT001 - it is the value that the admin wrote
    if not (reading.present or reading.certain):
        return UNKNOWN
    return YES if reading.present is wanted else NO


def _count(bounds: tuple[Operator, ...], count: int, reading: Reading) -> Verdict:
    return _all(_bound(bound, count, certain=reading.certain) for bound in bounds)


def _bound(bound: Operator, count: int, *, certain: bool) -> Verdict:
    """Unless *certain*, there may be more than *count*."""
    if bound.name == "over":
        return YES if count > min(bound.operands) else NO if certain else UNKNOWN
    if bound.name == "under":
        return NO if count >= max(bound.operands) else YES if certain else UNKNOWN
    if certain:
        return YES if count in bound.operands else NO
    return NO if count > max(bound.operands) else UNKNOWN


def trace(condition: Condition, view: View) -> Trace:
    """`explain` on a message already in view."""
    result = verdict(condition, view)
    if isinstance(condition, Test):
        reading = values(condition, view)
        return Trace(
            label(condition),
            result,
            seen=_evidence(condition, reading, view),
            reason=_reason(condition, reading, result),
            span=condition.span,
        )
    children = tuple(trace(each, view) for each in condition.conditions)
    reason = doubt(children, result)
    return Trace(_WORDS[type(condition)], result, reason=reason, children=children, span=condition.span)


def label(test: Test) -> str:
    """What a test asks, in the words of the file: `from domain acme.com`."""
    words = [" or ".join(test.names) or test.field]
    if test.occurrence is not None:
        words.append(f"occurrence {test.occurrence}")
    if test.exists is not None:
        words.append("exists" if test.exists else "does not exist")
    words += [f"count {_wording(bound)}" for bound in test.count]
    return " ".join([*words, *map(_wording, test.operators)])


def _wording(operator: Operator) -> str:
    if operator.written or not all(isinstance(each, Operator) for each in operator.operands):
        written = operator.written or ", ".join(str(getattr(each, "pattern", each)) for each in operator.operands)
        return f"{operator.name} {written}"
    return " ".join([operator.name, *map(_wording, operator.operands)])


def _evidence(test: Test, reading: Reading, view: View) -> str:
    witness = _witness(test, reading, view) if test.operators else None
    return seen(reading if witness is None else Reading((witness,)))


def _reason(test: Test, reading: Reading, result: Verdict) -> str:
    if result is UNKNOWN:
        return reading.reason
    if result is NO and not reading.present:
        return f"no {' or '.join(test.names) or test.field}"
    return ""


def doubt(children: tuple[Trace, ...], result: Verdict) -> str:
    """Why a condition is unknown: the reason of the first part that is."""
    if result is not UNKNOWN:
        return ""
    return next((child.reason for child in children if child.verdict is UNKNOWN and child.reason), "")


def captured(condition: Condition, view: View) -> dict[str, str]:
    """`captures` on a message already in view."""
    groups: dict[str, str] = {}
    _collect(condition, view, groups)
    return groups


def _collect(condition: Condition, view: View, groups: dict[str, str]) -> None:
    if isinstance(condition, NoneOf) or verdict(condition, view) is not YES:
        return
    if not isinstance(condition, Test):
        for each in condition.conditions:
            _collect(each, view, groups)
        return
    witness = _witness(condition, values(condition, view), view)
    for operator in condition.operators if witness is not None else ():
        if operator.name == "regex":
            _groups(operator, witness.texts, groups)


def _groups(operator: Operator, texts: tuple[str, ...], groups: dict[str, str]) -> None:
    for match in (found(pattern, text) for pattern in operator.operands for text in texts):
        if match is not None:
            for name, text in match.groupdict(default="").items():
                groups[name] = groups.get(name) or text
            return
