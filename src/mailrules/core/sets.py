"""Many texts or patterns searched for at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import re2

Positions = tuple[int, ...]

FEW = 8
"""Up to so many literals are faster looked for one by one."""

_MEMORY_BASE = 16 << 20
_MEMORY_EACH = 512
"""Octets of automaton allowed for each octet of pattern; what is not needed is not taken."""


class Literals:
    """Texts, each with the rules that need it; which of them are within a text is found in one go."""

    __slots__ = ("_few", "_many")

    def __init__(self, texts: Mapping[str, Sequence[int]]) -> None:
        small = len(texts) <= FEW
        self._few = [(text, tuple(positions)) for text, positions in texts.items()] if small else []
        self._many = None if small else Patterns(texts, literal=True)

    def find(self, text: str, into: set[int]) -> None:
        """Add the rules whose literals are in *text*."""
        if self._many is not None:
            self._many.find(text, into)
        for literal, positions in self._few:
            if literal in text:
                into.update(positions)

    @property
    def refused(self) -> Positions:
        """Rules whose literals could not be taken in."""
        return self._many.refused if self._many is not None else ()


class Patterns:
    """RE2 patterns, each with the rules that need it, as one automaton, or as several where one would be too big.

    `literal`: they are texts, not patterns. `together`: how many an automaton may hold; 0 is any number.
    """

    __slots__ = ("_sets", "refused")

    def __init__(self, patterns: Mapping[str, Sequence[int]], *, literal: bool = False, together: int = 0) -> None:
        self._sets: list[tuple[re2.Set, list[Positions]]] = []
        self.refused: Positions = ()
        """Rules whose patterns could not be taken in."""
        taken = [(pattern, tuple(positions)) for pattern, positions in patterns.items()]
        for start in range(0, len(taken), together or len(taken) or 1):
            self._take(taken[start : start + (together or len(taken))], literal=literal)

    def _take(self, patterns: list[tuple[str, Positions]], *, literal: bool) -> None:
        try:
            automaton = _automaton([pattern for pattern, _ in patterns], literal=literal)
        except re2.error:
            if len(patterns) == 1:
                self.refused += patterns[0][1]
                return
            half = len(patterns) // 2
            self._take(patterns[:half], literal=literal)
            self._take(patterns[half:], literal=literal)
        else:
            self._sets.append((automaton, [positions for _, positions in patterns]))

    def __bool__(self) -> bool:
        """Whether there is anything to find."""
        return bool(self._sets)

    def find(self, text: str, into: set[int]) -> None:
        """Add the rules whose patterns are found in *text*."""
        octets = text.encode("utf-8", "replace")
        for automaton, positions in self._sets:
            for number in automaton.Match(octets) or ():
                into.update(positions[number])


def _automaton(patterns: Iterable[str], *, literal: bool) -> re2.Set:
    octets = [pattern.encode("utf-8", "replace") for pattern in patterns]
    options = re2.Options()
    options.literal = literal
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY_BASE + _MEMORY_EACH * sum(map(len, octets))
    automaton = re2.Set.SearchSet(options)
    for pattern in octets:
        automaton.Add(pattern)
    automaton.Compile()
    return automaton
