"""What each operator of a test means: one predicate a word."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from mailrules.core.view import Text, View
from mailrules.model.condition import Test

Predicate: TypeAlias = Callable[[tuple[Any, ...], Any, Test, View], bool]
"""Whether an operator holds, by any of its operands, of one value of the field that the test is about."""

NEEDS_END = frozenset({"is", "ends"})
"""Operators that a text cut short cannot satisfy for certain."""


def found(pattern: Any, text: str) -> Any:
    """The first match of a compiled RE2 pattern, or None; text that UTF-8 cannot say is searched with `?` for it."""
    try:
        return pattern.search(text)
    except UnicodeEncodeError:
        return pattern.search(text.encode("utf-8", "replace").decode())


def texts(value: Any, test: Test) -> tuple[str, ...]:
    """The texts of a value in the case that the operands are in."""
    if not isinstance(value, Text):
        return ()
    return value.texts if test.case_sensitive else value.folded


def _contains(operands: tuple[Any, ...], value: Any, test: Test, _view: View) -> bool:
    for text in texts(value, test):
        for operand in operands:
            if operand in text:
                return True
    return False


def _is(operands: tuple[Any, ...], value: Any, test: Test, _view: View) -> bool:
    if isinstance(value, Text):
        return not set(operands).isdisjoint(texts(value, test))
    return value in operands


def _starts(operands: tuple[Any, ...], value: Any, test: Test, _view: View) -> bool:
    return any(text.startswith(operands) for text in texts(value, test))


def _ends(operands: tuple[Any, ...], value: Any, test: Test, _view: View) -> bool:
    return any(text.endswith(operands) for text in texts(value, test))


def _pattern(operands: tuple[Any, ...], value: Any, _test: Test, _view: View) -> bool:
    return isinstance(value, Text) and any(found(pattern, text) for text in value.texts for pattern in operands)


def _domain(operands: tuple[Any, ...], value: Any, _test: Test, _view: View) -> bool:
    domain = value.address.domain.casefold() if isinstance(value, Text) and value.address else ""
    return bool(domain) and any(_in_domain(domain, operand) for operand in operands)


def _in_domain(domain: str, operand: str) -> bool:
    return domain.endswith(operand[1:]) if operand.startswith("*.") else domain == operand


def _localpart(operands: tuple[Any, ...], value: Any, _test: Test, _view: View) -> bool:
    if not (isinstance(value, Text) and value.address):
        return False
    localpart = value.address.localpart.casefold()
    return localpart in operands or localpart.partition("+")[0] in operands


def _detail(operands: tuple[Any, ...], value: Any, _test: Test, _view: View) -> bool:
    return isinstance(value, Text) and bool(value.address) and value.address.detail.casefold() in operands  # type: ignore[union-attr]


_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)(?:\s*([kmg]?)(i?)b?\b)?", re.IGNORECASE | re.ASCII)


def number(value: Any) -> float | None:
    """What `over` and `under` compare: a number, or the one at the start of a text, with its size unit if any."""
    if not isinstance(value, Text):
        return value if isinstance(value, int | float) else None
    start = _NUMBER.match(value.texts[0])
    if start is None:
        return None
    base = 1024 if start[3] else 1000
    return float(start[1]) * float(base ** " kmg".index((start[2] or " ").lower()))


def moment(value: Any, view: View) -> datetime | None:
    """What the operators of time compare: a moment, or the date that a text is; None when it is none."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, Text):
        return None
    try:
        read = parsedate_to_datetime(value.texts[0])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(view.timezone))


def _over(operands: tuple[Any, ...], value: Any, _test: Test, view: View) -> bool:
    return any(_compared(value, operand, view, lambda left, right: left > right) for operand in operands)


def _under(operands: tuple[Any, ...], value: Any, _test: Test, view: View) -> bool:
    return any(_compared(value, operand, view, lambda left, right: left < right) for operand in operands)


def _compared(value: Any, operand: Any, view: View, order: Callable[[Any, Any], bool]) -> bool:
    mine = moment(value, view) if isinstance(operand, datetime) else number(value)
    return mine is not None and order(mine, operand)


def _before(operands: tuple[Any, ...], value: Any, _test: Test, view: View) -> bool:
    when = moment(value, view)
    return when is not None and any(when < operand for operand in operands)


def _after(operands: tuple[Any, ...], value: Any, _test: Test, view: View) -> bool:
    when = moment(value, view)
    return when is not None and any(when >= operand for operand in operands)


def _older_than(operands: tuple[timedelta, ...], value: Any, _test: Test, view: View) -> bool:
    when = moment(value, view)
    return when is not None and any(view.now - when > operand for operand in operands)


def _newer_than(operands: tuple[timedelta, ...], value: Any, _test: Test, view: View) -> bool:
    when = moment(value, view)
    return when is not None and any(view.now - when <= operand for operand in operands)


def _local(value: Any, test: Test, view: View) -> datetime | None:
    when = moment(value, view)
    try:
        return when and when.astimezone(ZoneInfo(test.timezone or view.timezone))
    except OverflowError:
        return when


def _weekday(operands: tuple[Any, ...], value: Any, test: Test, view: View) -> bool:
    when = _local(value, test, view)
    return when is not None and when.weekday() in operands


def _time(operands: tuple[Any, ...], value: Any, test: Test, view: View) -> bool:
    when = _local(value, test, view)
    return when is not None and any(_within(when.hour * 60 + when.minute, *operand) for operand in operands)


def _within(minute: int, first: int, last: int) -> bool:
    return first <= minute < last if first < last else minute >= first or minute < last


def _property(name: str) -> Predicate:
    def predicate(operands: tuple[Any, ...], value: Any, test: Test, view: View) -> bool:
        if not hasattr(value, name):
            return False
        held = getattr(value, name)
        held = Text((held,)) if isinstance(held, str) else held
        return all(PREDICATES[operator.name](operator.operands, held, test, view) for operator in operands)

    return predicate


def _result(name: str) -> Predicate:
    def predicate(operands: tuple[Any, ...], value: Any, _test: Test, _view: View) -> bool:
        return str(value.get(name, "")).casefold() in operands

    return predicate


def _result_domain(name: str) -> Predicate:
    def predicate(operands: tuple[Any, ...], value: Any, _test: Test, _view: View) -> bool:
        domain = str(value.get(name, ""))
        return bool(domain) and any(_in_domain(domain, operand) for operand in operands)

    return predicate


PREDICATES: dict[str, Predicate] = {
    "contains": _contains,
    "is": _is,
    "starts": _starts,
    "ends": _ends,
    "glob": _pattern,
    "regex": _pattern,
    "domain": _domain,
    "localpart": _localpart,
    "detail": _detail,
    "over": _over,
    "under": _under,
    "before": _before,
    "after": _after,
    "older_than": _older_than,
    "newer_than": _newer_than,
    "weekday": _weekday,
    "time": _time,
    "name": _property("name"),
    "type": _property("type"),
    "kind": _property("kind"),
    "size": _property("size"),
    "spf": _result("spf"),
    "dkim": _result("dkim"),
    "dmarc": _result("dmarc"),
    **{name: _result_domain(name) for name in ("spf_domain", "dkim_domain", "dmarc_domain")},
    **{name: _property(name) for name in ("recipient", "status", "action", "diagnostic", "message_id", "subject")},
}
