"""Fields of HTML: columns of a table, and what stands beside a label."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from mailrules.api.markup import html_tree
from mailrules.builtin.action.fields.document import UnreadableError
from mailrules.builtin.action.fields.table import MOST_ROWS
from mailrules.builtin.action.fields.text import folded

MOST_CELLS = 50_000


def _tree(html: str) -> Any:
    tree = html_tree(html)
    if tree is None:
        raise UnreadableError("HTML that is too long, or nests too deeply")
    return tree


def table_rows(columns: Mapping[str, str], html: str) -> Iterator[dict[str, str]]:
    """Each row below the first row of a table that names every column asked for.

    Raises:
        UnreadableError: no row does, or there is too much.
    """
    places: dict[str, int] = {}
    count = 0
    for cells in _rows(_tree(html)):
        there = {folded(text): at for at, text in reversed(list(enumerate(cells)))}
        if not places and all(folded(title) in there for title in columns.values()):
            places = {name: there[folded(title)] for name, title in columns.items()}
        elif places and max(places.values()) < len(cells):
            count += 1
            if count > MOST_ROWS:
                raise UnreadableError(f"over {MOST_ROWS} rows")
            yield {name: cells[at] for name, at in places.items()}
    if not places:
        raise UnreadableError(f"no table with the columns {', '.join(columns.values())}")


def by_html_label(labels: Mapping[str, str], html: str) -> Iterator[tuple[str, str]]:
    """What stands beside each label: in the next cell of its row, its `dd`, or the field of a form by its name."""
    wanted = {folded(label): name for name, label in labels.items()}
    for label, value in _pairs(_tree(html)):
        name = wanted.pop(folded(label), "") if value else ""
        if name:
            yield name, value


def _rows(tree: Any) -> Iterator[list[str]]:
    """The cells of each row of the innermost tables; those around them are layout."""
    count = 0
    for row in tree.css("tr"):
        if row.css_first("table") is not None:
            continue
        cells = [" ".join(cell.text(deep=True).split()) for cell in row.css("td,th")]
        count += len(cells)
        if count > MOST_CELLS:
            raise UnreadableError(f"over {MOST_CELLS} cells")
        yield cells


def _pairs(tree: Any) -> Iterator[tuple[str, str]]:
    for cells in _rows(tree):
        yield from itertools.pairwise(cells)
    for term in tree.css("dt"):
        after = term.next
        while after is not None and after.tag not in ("dd", "dt"):
            after = after.next
        if after is not None and after.tag == "dd":
            yield term.text(deep=True), " ".join(after.text(deep=True).split())
    for entry in tree.css("input[name],textarea[name]"):
        value = entry.attributes.get("value") or (entry.text(deep=True) if entry.tag == "textarea" else "")
        yield entry.attributes.get("name") or "", " ".join(value.split())
