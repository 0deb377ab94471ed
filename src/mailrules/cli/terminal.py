"""Printing for people: colour and width by what stdout is, and nothing in a mail can steer the terminal."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PATIENCE = 1.0
"""Seconds before a progress bar shows."""
UNBOUNDED = 4096
"""Columns for a file or a pipe: nothing is cut off there, every row stays one line."""
NARROW = 80
"""Columns below which a table that does not fit is printed row by row, a line for each column."""
RULE = 100
"""Columns that the line below a table's head takes at most."""


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout (or stderr): colour only on a terminal, NO_COLOR honoured."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else UNBOUNDED
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def safe(text: str) -> str:
    """*text* on one line, without anything that steers a terminal or turns the reading direction."""
    return "".join(_shown(character) for character in text).strip()


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) == "Cf" else "\N{REPLACEMENT CHARACTER}"


def new_table(*columns: str) -> Table:
    """A table without frames, as wide as what it holds."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def one_line(table: Table, **widest: int) -> None:
    """Keep columns on one line, cut off with an ellipsis: each takes at most so many percent of the terminal."""
    width = console().width
    for column in table.columns:
        if (percent := widest.get(str(column.header))) is not None:
            column.no_wrap, column.overflow = True, "ellipsis"
            column.max_width = min(40, width * percent // 100)
        else:
            column.overflow = "fold"


def show(what: RenderableType) -> None:
    """Print a table or tree on stdout; off a terminal, lines do not end in blanks."""
    out = console()
    fitting = _fitting(what, out)
    if out.is_terminal:
        out.print(fitting)
        return
    with out.capture() as captured:
        out.print(fitting)
    click.echo("\n".join(_off_terminal(line.rstrip()) for line in captured.get().splitlines()))


def _off_terminal(line: str) -> str:
    return line[:RULE] if set(line) == {"\N{BOX DRAWINGS LIGHT HORIZONTAL}"} else line


def _fitting(what: RenderableType, out: Console) -> RenderableType:
    """A table that a narrow terminal would break within its words, stacked; anything else as it is."""
    from rich.measure import Measurement
    from rich.table import Table

    if out.width >= NARROW or not isinstance(what, Table) or not what.row_count:
        return what
    if Measurement.get(out, out.options.update(max_width=UNBOUNDED), what).maximum <= out.width:
        return what
    return _stacked(what)


def _stacked(table: Table) -> Table:
    from rich.table import Table

    stacked = Table.grid(padding=(0, 1))
    stacked.add_column(style="bold", no_wrap=True)
    stacked.add_column(overflow="fold")
    for row, cells in zip(table.rows, zip(*(column.cells for column in table.columns), strict=True), strict=True):
        if stacked.row_count:
            stacked.add_row("", "")
        for column, cell in zip(table.columns, cells, strict=True):
            if str(cell):
                stacked.add_row(column.header, cell, style=row.style)
    return stacked


def print_json(value: Any) -> None:
    """*value* (plain mappings, lists, scalars, moments) as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def plural(number: int, noun: str, nouns: str = "") -> str:
    """`1 message`, `2 messages`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


@contextmanager
def progress(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """A callback (what, done, total) that draws a bar on stderr once it takes over a second, only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from threading import Timer

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console(stderr=True), transient=True)
    task = bar.add_task(label, total=None)

    def told(what: str, done: int, total: int) -> None:
        bar.update(task, description=safe(f"{label} {what}"), completed=done, total=total)

    patience = Timer(PATIENCE, bar.start)
    patience.start()
    try:
        yield told
    finally:
        patience.cancel()
        patience.join()
        bar.stop()
