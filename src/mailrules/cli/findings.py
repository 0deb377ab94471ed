"""Diagnostics on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import IO, Literal

import click

from mailrules.cli.invocation import workspace_root
from mailrules.config.diagnostic import Diagnostic
from mailrules.config.report import render

Format = Literal["text", "json", "github"]


def print_findings(diagnostics: Sequence[Diagnostic], *, form: Format = "text", stdout: bool = False) -> None:
    """Print them (on stderr by default, where they stand in the way of a result)."""
    stream = sys.stdout if stdout else sys.stderr
    folder = os.path.relpath(workspace_root())
    text = render(diagnostics, format=form, colour=_coloured(stream), folder="" if folder == "." else folder)
    click.echo(text, nl=False, file=stream)


def _coloured(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
