"""What must be in a message for a condition to be anything but *no*: the keys that the index looks up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

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
    PRESENT = 6
    """The field is there."""


class Key(NamedTuple):
    """One thing to look up in one source."""

    kind: Kind
    source: str
    """A header name, lower-cased, or a field of the body."""
    text: str


Trigger: TypeAlias = tuple[Key, ...]
"""Keys of which at least one is found wherever the condition is not *no*."""

LATE = frozenset({"body", "reply_text", "original_sender"})
"""Sources that cost more than the header block and may be unknown."""

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
    """The less, the better: from the header block, selective, few."""
    return any(key.source in LATE for key in trigger), max(key.kind for key in trigger), len(trigger)


def _of_test(test: Test) -> list[Trigger]:
    sources = _sources(test)
    if not sources or test.exists is False:
        return []
    exact = test.occurrence is None or not addressed(test)  # mailboxes of one occurrence are read apart from the others
    asked = [_TEXTS[each.name](each.operands) for each in test.operators if exact and each.name in _TEXTS]
    found = [_product(sources, texts) for texts in asked if texts]
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


def _product(sources: Iterable[str], texts: Iterable[tuple[Kind, str]]) -> Trigger:
    wanted = list(texts)
    return tuple([Key(kind, source, text) for source in sources for kind, text in wanted])


def _exact(operands: Iterable[str]) -> list[tuple[Kind, str]]:
    folded = [operand.casefold() for operand in operands]
    return [(Kind.LITERAL if "\n" in text else Kind.EXACT, text) for text in folded]


def _literal(operands: Iterable[str]) -> list[tuple[Kind, str]]:
    folded = [operand.casefold() for operand in operands]
    return [(Kind.LITERAL if len(text) >= SHORT else Kind.SHORT, text) for text in folded]


def _domain(operands: Iterable[str]) -> list[tuple[Kind, str]]:
    return [(Kind.DOMAIN, operand) for operand in operands]


def _localpart(operands: Iterable[str]) -> list[tuple[Kind, str]]:
    return [(Kind.LOCALPART, operand) for operand in operands]


def _detail(operands: Iterable[str]) -> list[tuple[Kind, str]]:
    return [(Kind.LOCALPART, f"+{operand}") for operand in operands]


def _pattern(operands: Iterable[Any]) -> list[tuple[Kind, str]]:
    lines = [by_line(pattern) for pattern in operands]
    return [(Kind.PATTERN, line) for line in lines if line] if all(lines) else []


_TEXTS: dict[str, Callable[[Iterable[Any]], list[tuple[Kind, str]]]] = {
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

_TOKEN = re.compile(r"\\(?s:.)|\(\?[a-zA-Z]*-[a-zA-Z]*m|(?s:.)")
_ANCHORS = {"\\A": "^", "\\z": "$"}
_ORDINARY = {"posix_syntax": False, "longest_match": False, "literal": False, "never_nl": False, "one_line": False}


def by_line(pattern: Any) -> str | None:
    r"""*pattern* so that it finds, in texts joined by newlines, at least what it finds in each; None if it cannot be.

    Flags and options become a prefix, anchors of the text those of a line. A quotation (`\Q...`), a flag group that
    unsets `m`, and options that change the syntax cannot be.
    """
    options = pattern.options
    if any(getattr(options, name) is not value for name, value in _ORDINARY.items()):
        return None
    tokens = _TOKEN.findall(pattern.pattern)
    if "\\Q" in tokens or any(token.startswith("(?") for token in tokens):
        return None
    flags = "m" + ("" if options.case_sensitive else "i") + ("s" if options.dot_nl else "")
    return f"(?{flags})" + "".join([_ANCHORS.get(token, token) for token in tokens])


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
