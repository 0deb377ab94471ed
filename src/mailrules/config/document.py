"""A YAML file as plain values, each of which still knows where it was written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

from mailrules.model.span import Span

Mark: TypeAlias = tuple[Any, ...]
"""Where a value stands: (start, end) of a scalar, with a third item of a mapping, {key: (start, end, mark of its
value)}, and of a list, [marks of its items]. Plain tuples of offsets: a file may hold a million of them."""


class Source:
    """The text of one file, and where its lines begin."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._raw_lines:
            starts.append(starts[-1] + len(line))
        return starts

    @cached_property
    def _raw_lines(self) -> list[str]:
        import io

        return list(io.StringIO(self.text, newline=""))

    def span(self, start: int, end: int) -> Span:
        """The place of text[start:end]; what goes beyond its first line is cut off."""
        line = bisect_right(self._starts, start) - 1
        line = min(line, max(len(self._raw_lines) - 1, 0))
        begin = self._starts[line]
        last = begin + len(self.line(line + 1).rstrip())
        return Span(self.file, line + 1, start - begin + 1, max(min(end, last), start) - begin + 1)

    def start_of(self, number: int) -> int:
        """The offset where the line of that number begins, from 1; that of the end for one beyond it."""
        return self._starts[min(number, len(self._starts)) - 1]

    def line(self, number: int) -> str:
        """The line of that number, from 1, without its line break; empty beyond the end."""
        return self._raw_lines[number - 1].rstrip("\r\n") if 0 < number <= len(self._raw_lines) else ""


class Place:
    """A stretch of a file that a diagnostic can point at."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def span(self) -> Span:
        """As line and columns."""
        return self.source.span(self.start, self.end)

    @property
    def text(self) -> str:
        """What stands there, as written."""
        return self.source.text[self.start : self.end]

    def within(self, offset: int, length: int) -> Place:
        """A part of it."""
        start = min(self.start + offset, self.end)
        return Place(self.source, start, min(start + length, self.end))


class Node:
    """A cursor on one value of a file: the plain value, its place, and its children's."""

    __slots__ = ("key", "mark", "source", "value")

    def __init__(self, source: Source, value: Any, mark: Mark, key: tuple[int, int] | None = None) -> None:
        self.source = source
        self.value = value
        self.mark = mark
        self.key = key

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return Place(self.source, self.mark[0], self.mark[1])

    @property
    def label(self) -> Place:
        """Where its key stands; of a value without one, the value."""
        return Place(self.source, *self.key) if self.key else self.place

    @property
    def span(self) -> Span:
        """The place of its key, or of the value without one, as line and columns."""
        return self.label.span

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str | int) -> Node:
        """The child of that key or position."""
        if isinstance(key, int):
            return Node(self.source, self.value[key], self.mark[2][key])
        start, end, mark = self.mark[2][key]
        return Node(self.source, self.value[key], mark, (start, end))

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys and children of a mapping, in order."""
        for key in self.value:
            yield key, self[key]

    def __iter__(self) -> Iterator[Node]:
        """The items of a list, in order."""
        for position in range(len(self.value)):
            yield self[position]
