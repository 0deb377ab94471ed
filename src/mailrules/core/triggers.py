"""What must be in a message for a condition to be anything but *no*: the keys that the index looks up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

from mailrules.core import regex
from mailrules.core.view import ADDRESS_HEADERS, addressed
from mailrules.model.condition import All, AnyOf, Condition, NoneOf, Operator, Test


class Kind(IntEnum):
    """How a key is looked up, the most selective first."""

    EXACT = 0
    """A whole text of one line, case folded."""
    LOCALPART = 1
    """The local part of an address, with or without its detail; a detail alone has its `+`."""
    DOMAIN = 2
    """The domain of an address; `*.` is any subdomain."""
    LITERAL = 3
    """Text within a text, case folded."""
    PATTERN = 4
    """An RE2 pattern, on the text as it is."""
    SHORT = 5
    """A literal of few letters."""
    WILD = 6
    """A pattern that makes an automaton grow when others are in it."""
    PRESENT = 7
    """The field is there."""


class Key(NamedTuple):
    """One thing to look up in one source."""

    kind: Kind
    source: str
    """A header name, lower-cased, or a field of the body."""
    text: str


Trigger: TypeAlias = tuple[Key, ...]
"""Keys of which at least one is found wherever the condition is not *no*."""

Wanted: TypeAlias = tuple[Kind, str]
"""A key of any source."""

LATE = frozenset({"body", "reply_text", "original_sender"})
"""Sources that cost more than the header block and may be unknown."""

_DIGIT = re.compile(r"\d")
SHORT = 4
"""Literals below this length say little."""


def triggers(condition: Condition | None) -> list[Trigger]:
    """Every trigger that the shape of *condition* gives; each alone is enough to leave the condition out."""
    if isinstance(condition, Test):
        return _of_test(condition)
    if isinstance(condition, All):
        return [trigger for each in condition.conditions for trigger in triggers(each)]
    if isinstance(condition, AnyOf):
        best = [min(triggers(each), key=rank, default=()) for each in condition.conditions]
        return [tuple(dict.fromkeys(key for trigger in best for key in trigger))] if best and all(best) else []
    return []


def rank(trigger: Trigger) -> tuple[bool, int, int]:
    """The less, the better: from the header block, selective, long or with digits, which are rarer than letters."""
    late = not LATE.isdisjoint([key.source for key in trigger])
    return late, max([key.kind for key in trigger]), -min([len(_DIGIT.sub("###", key.text)) for key in trigger])


def _of_test(test: Test) -> list[Trigger]:
    sources = _sources(test)
    if not sources or test.exists is False:
        return []
    exact = test.occurrence is None or not addressed(test)  # mailboxes of one occurrence are read apart from the others
    asked = [_TEXTS[each.name](each.operands) for each in test.operators if exact and each.name in _TEXTS]
    found = [_product(sources, texts) for choices in asked for texts in choices]
    if found:
        return found
    needed = bool(test.operators or test.exists) or any(_positive(bound) for bound in test.count)
    if not needed or not LATE.isdisjoint(sources):
        return []
    return [_product(sources, [(Kind.PRESENT, "")])]


def _positive(bound: Operator) -> bool:
    return bound.name == "over" and min(bound.operands) >= 0


def _sources(test: Test) -> Sequence[str]:
    if test.field in ADDRESS_HEADERS:
        return ADDRESS_HEADERS[test.field]
    if test.field == "header":
        return tuple(name.lower() for name in test.names)
    return (test.field,) if test.field in LATE or test.field == "subject" else ()


def _product(sources: Iterable[str], texts: Sequence[Wanted]) -> Trigger:
    return tuple([Key(kind, source, text) for source in sources for kind, text in texts])


def _exact(operands: Iterable[str]) -> list[list[Wanted]]:
    folded = [operand.casefold() for operand in operands]
    return [[(_length(text) if "\n" in text else Kind.EXACT, text) for text in folded]]


def _literal(operands: Iterable[str]) -> list[list[Wanted]]:
    folded = [operand.casefold() for operand in operands]
    return [[(_length(text), text) for text in folded]]


def _length(text: str) -> Kind:
    return Kind.LITERAL if len(text) >= SHORT else Kind.SHORT


def _domain(operands: Iterable[str]) -> list[list[Wanted]]:
    return [[(Kind.DOMAIN, operand) for operand in operands]]


def _localpart(operands: Iterable[str]) -> list[list[Wanted]]:
    return [[(Kind.LOCALPART, operand) for operand in operands]]


def _detail(operands: Iterable[str]) -> list[list[Wanted]]:
    return [[(Kind.LOCALPART, f"+{operand}") for operand in operands]]


def _pattern(operands: Sequence[Any]) -> list[list[Wanted]]:
    choices = [_of_pattern(pattern) for pattern in operands]
    if len(choices) == 1:
        return choices[0]
    best = [min(choice, key=lambda wanted: max(wanted)[0], default=[]) for choice in choices]
    return [[one for wanted in best for one in wanted]] if all(best) else []


def _of_pattern(pattern: Any) -> list[list[Wanted]]:
    """Every way to look for one pattern: each of its literals (of each of its alternatives), or itself."""
    if not regex.readable(pattern):
        return []
    branches = [_literal(branch)[0] for branch in regex.literals(pattern.pattern)]
    found = [[each] for each in branches[0]] if len(branches) == 1 else []
    if len(branches) > 1 and all(branches):
        found = [[min(branch, key=lambda wanted: (wanted[0], -len(wanted[1]))) for branch in branches]]
    line = regex.by_line(pattern)
    if line and (not found or regex.tame(line)):
        found.append([(Kind.PATTERN if regex.tame(line) else Kind.WILD, line)])
    return found


_TEXTS: dict[str, Callable[[Any], list[list[Wanted]]]] = {
    "is": _exact,
    "contains": _literal,
    "starts": _literal,
    "ends": _literal,
    "domain": _domain,
    "localpart": _localpart,
    "detail": _detail,
    "regex": _pattern,
    "glob": _pattern,
}


def names_groups(condition: Condition | None) -> bool:
    """Whether a regex in *condition* has named groups that a template may ask for."""
    if isinstance(condition, Test):
        return any(
            operator.name == "regex" and any(pattern.groupindex for pattern in operator.operands)
            for operator in condition.operators
        )
    if condition is None or isinstance(condition, NoneOf):
        return False
    return any(names_groups(each) for each in condition.conditions)
