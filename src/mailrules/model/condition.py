"""Conditions as data: what `core.match` evaluates, `core.index` narrows down, and a trace shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from mailrules.model.span import NOWHERE, Span


class Verdict(Enum):
    """The three values of a condition."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"
    """The part that would tell is not loaded, cut off or undecodable."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator with its operands, any of which suffices: `contains: [dunning, Mahnung]`.

    Operands are already in the form that evaluation wants:

    | operator                          | operands                                                             |
    |-----------------------------------|----------------------------------------------------------------------|
    | contains is starts ends           | str, case-folded unless the test is case-sensitive                   |
    | glob regex                        | compiled RE2 patterns (a glob anchored at both ends; case in flags)  |
    | domain localpart detail           | str, case-folded; a domain may be `*.acme.com`: its subdomains       |
    | over under                        | int or float (octets where a size was written), or an aware datetime |
    | before after                      | aware datetime                                                       |
    | older_than newer_than             | timedelta                                                            |
    | weekday                           | int, Monday is 0                                                     |
    | time                              | (first minute of the day, last minute, exclusive); may pass midnight |
    | name type kind size (attachment)  | `Operator`s on that property, all of which must hold                 |
    | recipient status ... (bounce)     | `Operator`s on that property, all of which must hold                 |
    | spf dkim dmarc (auth)             | str, `pass`                                                          |
    | spf_domain ... (auth)             | str as of `domain`                                                   |
    """

    name: str
    operands: tuple[Any, ...]
    written: str = ""
    """The operands as the admin wrote them, for the trace."""


@dataclass(frozen=True, slots=True)
class Test:
    """One field put to operators, all of which must hold of the same value (one address, one occurrence, one part)."""

    __test__: ClassVar[bool] = False  # a test in Sieve's sense (RFC 5228, section 5), none for pytest to collect

    field: str
    """`from`, `subject`, `header`, `attachment`, ... as in YAML."""
    operators: tuple[Operator, ...] = ()
    names: tuple[str, ...] = ()
    """Of `header`: the names, any of which will do."""
    occurrence: int | None = None
    """1 is the first header field of that name, -1 the last; None tests each."""
    exists: bool | None = None
    count: tuple[Operator, ...] = ()
    """Bounds on how many values there are (of `attachment`: how many satisfy `operators`)."""
    case_sensitive: bool = False
    timezone: str = ""
    """Of `date` and `received`: where `weekday` and `time` are read; empty for the account's."""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class All:
    """Yes if each is; no if any is no."""

    conditions: tuple[Condition, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Yes if any is; no if each is no."""

    conditions: tuple[Condition, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The opposite of `AnyOf`; none of unknown is unknown."""

    conditions: tuple[Condition, ...]
    span: Span = NOWHERE


Condition: TypeAlias = Test | All | AnyOf | NoneOf
