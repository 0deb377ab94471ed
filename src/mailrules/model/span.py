"""Where in which file a thing was written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file that an admin writes: carried by rules, conditions and steps into trace and journal.

    `line` and `column` count from 1; `end_column` is the first column past the text, on the same line
    (equal to `column` when nothing is to be underlined).
    """

    file: str = ""
    line: int = 0
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        """`file:line:column`, as editors and terminals make it clickable."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


NOWHERE = Span()
