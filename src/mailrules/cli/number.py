"""A journal number on the command line: `12` or `#12`."""

from __future__ import annotations

from typing import Any

import click


class Number(click.ParamType):  # type: ignore[type-arg]
    """Reads `12` and, as everything prints it, `#12`."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        digits = str(value).removeprefix("#")
        if not (digits.isascii() and digits.isdigit()):
            self.fail(f"'{value}' is no journal number: `mailrules log` lists them, #1, #2, ...", param, ctx)
        return int(digits)
