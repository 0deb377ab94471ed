"""A condition as the set of things that must all hold, made comparable: enough for `check` to prove what it says."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailrules.model.condition import All, AnyOf, Condition, NoneOf, Operator, Test


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing that must hold."""

    base: Hashable
    """Field, header names and modifiers; of a nested condition, all of it."""
    operators: tuple[tuple[str, frozenset[Hashable]], ...] = ()
    """Each operator with its operands, any of which will do."""
    test: Test | None = None

    @property
    def keys(self) -> list[Hashable]:
        """What a narrower atom can be found by: the base and each operand of the first operator."""
        if not self.operators:
            return [self.base]
        name, operands = self.operators[0]
        return [(self.base, name, operand) for operand in operands]

    @property
    def lookups(self) -> list[Hashable]:
        """The keys of every atom that could be wider: one operand of each operator tells."""
        return [self.base, *((self.base, name, next(iter(operands))) for name, operands in self.operators)]

    def wider_than(self, other: Atom) -> bool:
        """Whether it holds whenever *other* does: the same field, fewer operators, more operands of each."""
        if self.base != other.base:
            return False
        theirs = dict(other.operators)
        return all(name in theirs and theirs[name] <= operands for name, operands in self.operators)


@dataclass(frozen=True, slots=True)
class Conjunction:
    """The atoms of a condition, all of which must hold."""

    atoms: tuple[Atom, ...] = ()

    @classmethod
    def of(cls, condition: Condition | None) -> Conjunction:
        """Nested `all` taken apart; no atoms for a rule without a condition."""
        return cls(tuple(_atoms(condition)) if condition is not None else ())

    def wider_than(self, other: Conjunction) -> bool:
        """Whether it holds whenever *other* does; False where that cannot be told."""
        return all(any(mine.wider_than(theirs) for theirs in other.atoms) for mine in self.atoms)


def _atoms(condition: Condition) -> Iterator[Atom]:
    if isinstance(condition, All):
        for part in condition.conditions:
            yield from _atoms(part)
    elif isinstance(condition, Test):
        names = tuple(sorted({name.lower() for name in condition.names}))
        modifiers = (condition.occurrence, condition.exists, _shape(condition.count), condition.case_sensitive)
        base = (condition.field, names, *modifiers, condition.timezone)
        yield Atom(base, tuple((one.name, _operands(one)) for one in condition.operators), condition)
    else:
        yield Atom(_shape(condition))


def _operands(operator: Operator) -> frozenset[Hashable]:
    return frozenset(_shape(operand) for operand in operator.operands)


def _shape(value: Any) -> Hashable:
    """A value as something that is equal exactly when the meaning is; spans left out, patterns by their text."""
    if isinstance(value, AnyOf | NoneOf | All):
        return (type(value).__name__, frozenset(_shape(part) for part in value.conditions))
    if isinstance(value, Test):
        return tuple((atom.base, frozenset(atom.operators)) for atom in _atoms(value))
    if isinstance(value, Operator):
        return (value.name, _operands(value))
    if isinstance(value, tuple):
        return tuple(_shape(part) for part in value)
    shape: Hashable = getattr(value, "pattern", value)
    return shape


def contradiction(conjunction: Conjunction) -> str:
    """Why nothing can satisfy it, as a sentence; empty where that cannot be proved."""
    bases = {_negated_form(atom) for atom in conjunction.atoms}
    for atom in conjunction.atoms:
        if atom.test is not None:
            if reason := _impossible(atom.test):
                return reason
        elif isinstance(atom.base, tuple) and atom.base[0] == "NoneOf" and atom.base[1] & bases:
            return "what it asks for is also under 'none'"
    return ""


def _negated_form(atom: Atom) -> Hashable:
    return ((atom.base, frozenset(atom.operators)),) if atom.test is not None else atom.base


_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("over", "under", lambda over, under: over >= under),
    ("after", "before", lambda after, before: after >= before),
    ("older_than", "newer_than", lambda older, newer: older >= newer),
)


def _impossible(test: Test) -> str:
    if test.exists is False and (test.operators or test.count):
        return f"'{test.field}' must be missing and have a value"
    said = {one.name: one.operands for one in (*test.operators, *test.count)}
    for inner in test.operators:
        if inner.operands and isinstance(inner.operands[0], Operator):
            said |= {one.name: one.operands for one in inner.operands}
    for lower, upper, crossed in _BOUNDS:
        bounds = said.get(lower), said.get(upper)
        if bounds[0] and bounds[1] and _comparable(bounds[0] + bounds[1]) and crossed(min(bounds[0]), max(bounds[1])):
            return f"'{lower}' and '{upper}' of '{test.field}' leave nothing between them"
    return ""


def _comparable(values: tuple[Any, ...]) -> bool:
    """Whether they are all moments, or none is."""
    return len({isinstance(value, datetime) for value in values}) == 1
