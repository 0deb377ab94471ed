"""What is wrong in a file, where, and what to do: found all at once, sorted, told in three formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailrules.model.span import Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` stands alone; `help` says what to do next."""

    span: Span
    word: str
    """Stable, `unknown-action`: for suppressing, searching and the docs."""
    message: str
    help: str = ""
    severity: Literal["error", "warning"] = "error"
    source: str = ""
    """The line of the file, for the caret under it."""
