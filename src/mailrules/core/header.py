"""The header block: where it ends, and its fields, found on octets without taking it apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from mailrules.model.mailbox import Octets

LONGEST = 1 << 20
"""Octets of a header block that are read."""

_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:")
_FIELDS = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?", re.MULTILINE)
_EMPTY = re.compile(rb"\n\r?\n")
_LINE = re.compile(rb"^[^ \t\r\n][^\n]*", re.MULTILINE)
_FOLD = re.compile(rb"(?<!\r)\r*+\n[ \t]")
_BLANK = (32, 9)


class Extents(NamedTuple):
    """Offsets of a header block and of the body after it, and what was odd about them."""

    start: int
    end: int
    """Past the last field, its line end included."""
    body: int
    """Past the empty line."""
    oddities: tuple[str, ...] = ()
    """Words of `Defects`."""


def split(octets: Octets, start: int, end: int) -> Extents:
    """Where the header block of the message or part at *start* to *end* stands, and where its body begins.

    A block ends at the first empty line (RFC 5322, section 2.1), whatever the line ends. Lines that are no field do not
    end it while fields follow; after the last field they are the body.
    """
    from_line = octets[start : start + 6].startswith((b"From ", b">From ")) and not _FIELD.match(octets, start)
    if from_line:
        start = (octets.find(b"\n", start, end) + 1) or end
    first = octets.find(b"\n", start, end)
    if first <= start + 1 and (first == start or octets[start : start + 2] == b"\r\n") and first >= 0:
        return Extents(start, start, first + 1, ("mbox-from",) if from_line else ())
    empty = _EMPTY.search(octets, start, end)
    extents = _bounded(octets, start, *((empty.start() + 1, empty.end()) if empty else (end, end)))
    if from_line:
        return extents._replace(oddities=("mbox-from", *extents.oddities))
    return extents


def _bounded(octets: Octets, start: int, stop: int, body: int) -> Extents:
    """The block ends with a field: what follows the last one is body."""
    last = octets.rfind(b"\n", start, max(stop - 1, start)) + 1 or start
    while last > start and octets[last] in _BLANK:
        last = octets.rfind(b"\n", start, last - 1) + 1 or start
    if _FIELD.match(octets, last, stop):
        return Extents(start, stop, body)
    past = start
    for field in _FIELDS.finditer(octets, start, min(stop, start + LONGEST)):
        past = field.end()
    if past == start:
        return Extents(start, start, start, ("no-header",) if stop > start else ())
    return Extents(start, past, past, ("no-blank-line",))


class Fields:
    """The fields of one header block."""

    __slots__ = ("_by_name", "_values", "block")

    def __init__(self, block: bytes) -> None:
        self.block = block[:LONGEST]
        self._by_name: dict[bytes, list[bytes]] | None = None
        self._values: dict[str, list[bytes]] = {}  # an address header is read twice: as text, and as mailboxes

    def values(self, name: str) -> Sequence[bytes]:
        """The values of every field called *name*, top to bottom, unfolded and stripped."""
        values = self._values.get(name)
        if values is None:
            if self._by_name is None:
                self._by_name = _by_name(self.block)
            found = self._by_name.get(_key(name), ())
            values = self._values[name] = [_unfold(value).strip() for value in found]
        return values

    def first(self, name: str) -> bytes:
        """The first value of *name*; empty without one."""
        values = self.values(name)
        return values[0] if values else b""

    def names(self) -> tuple[str, ...]:
        """The field names as written, top to bottom."""
        return tuple([name.decode("ascii") for name, _ in _FIELDS.findall(self.block)])

    def strays(self) -> list[bytes]:
        """Lines that are neither a field nor the continuation of one."""
        lines = (line[0] for line in _LINE.finditer(self.block))
        return [line for line in lines if not _FIELD.match(line)]


@lru_cache(maxsize=1024)
def _key(name: str) -> bytes:
    """A field name as octets in lower case."""
    return name.lower().encode("utf-8", "replace")


def _by_name(block: bytes) -> dict[bytes, list[bytes]]:
    """The values as they stand, by lower-cased name: one pass costs less than searching for three or four names."""
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELDS.findall(block):
        key = name.lower()
        if key in fields:
            fields[key].append(value)
        else:
            fields[key] = [value]
    return fields


def _unfold(value: bytes) -> bytes:
    """One line of it (RFC 5322, section 2.2.3); a tab that folded counts as a space."""
    return _FOLD.sub(b" ", value) if b"\n" in value else value
