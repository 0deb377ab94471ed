"""A journal number on the command line: `12` or `#12`."""

from __future__ import annotations

from typing import Any

import click

MOST_DIGITS = 18
"""What fits into 64 bits."""


class Number(click.ParamType):  # type: ignore[type-arg]
    """Reads `12` and, as everything prints it, `#12`."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        number = journal_number(str(value))
        if number is None:
            self.fail(f"'{value}' is no journal number: `mailrules log` lists them, #1, #2, ...", param, ctx)
        return number


def journal_number(text: str) -> int | None:
    """The number that *text* is; None for anything else, and for more digits than any journal counts."""
    digits = text.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS else None
