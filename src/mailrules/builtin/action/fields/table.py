"""Fields of CSV (RFC 4180, and what spreadsheets make of it)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO

from mailrules.builtin.action.fields.document import UnreadableError
from mailrules.builtin.action.fields.text import folded

MOST_ROWS = 1_000
"""Rows that become data."""
MOST_COLUMNS = 10_000
LONGEST_LINE = 2_500_000
_DELIMITERS = ",;\t|"


def csv_rows(columns: Mapping[str, str], text: str) -> Iterator[dict[str, str]]:
    """Each row below the header row, by the columns asked for; empty rows are passed over.

    Raises:
        UnreadableError: a column is not there, there are too many, or it is no CSV.
    """
    lines = text.removeprefix("\ufeff").lstrip("\r\n")
    header = lines[: lines.find("\n") if "\n" in lines else None]
    delimiter = max(_DELIMITERS, key=header.count)
    rows = csv.reader(_bounded(StringIO(lines, newline="")), delimiter=delimiter)
    try:
        places = _places(columns, next(rows, []))
        for count, row in enumerate(row for row in rows if any(cell.strip() for cell in row)):
            if count >= MOST_ROWS:
                raise UnreadableError(f"over {MOST_ROWS} rows")
            yield {name: row[at].strip() for name, at in places.items() if at < len(row)}
    except csv.Error as error:
        raise UnreadableError(f"not CSV: {error}") from error


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise UnreadableError(f"a line of over {LONGEST_LINE} characters")
        yield line


def _places(columns: Mapping[str, str], header: Sequence[str]) -> dict[str, int]:
    if len(header) > MOST_COLUMNS:
        raise UnreadableError(f"over {MOST_COLUMNS} columns")
    there = {folded(title): at for at, title in reversed(list(enumerate(header)))}
    missing = [title for title in columns.values() if folded(title) not in there]
    if missing:
        raise UnreadableError(
            f"no column {missing[0]!r}; there are {', '.join(title.strip() for title in header[:20])}"
        )
    return {name: there[folded(title)] for name, title in columns.items()}
