"""The header block: where it ends, and its fields, found on octets without taking it apart."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 1 << 20
"""Octets of a header block that are read."""

_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:")
_FIELD_LINE = re.compile(rb"^([!-9;-~]++)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+\n?", re.MULTILINE)
_LINE = re.compile(rb"^[^ \t\r\n][^\n]*", re.MULTILINE)
_FOLD = re.compile(rb"\r*\n[ \t]")
_BLANK = (32, 9)
_COLON = 58


class Extents(NamedTuple):
    """Offsets of a header block and of the body after it, and what was odd about them."""

    start: int
    end: int
    """Past the last field, its line end included."""
    body: int
    """Past the empty line."""
    oddities: tuple[str, ...] = ()
    """Words of `Defects`."""


def split(octets: bytes, start: int, end: int) -> Extents:
    """Where the header block of the message or part at *start* to *end* stands, and where its body begins.

    A block ends at the first empty line (RFC 5322, section 2.1), whatever the line ends. Lines that are no field do not
    end it while fields follow; after the last field they are the body.
    """
    from_line = octets.startswith((b"From ", b">From "), start) and not _FIELD.match(octets, start)
    if from_line:
        start = (octets.find(b"\n", start, end) + 1) or end
    first = octets.find(b"\n", start, end)
    if first <= start + 1 and (first == start or octets.startswith(b"\r\n", start)) and first >= 0:
        return Extents(start, start, first + 1, ("mbox-from",) if from_line else ())
    stop, body = _empty_line(octets, first, start, end)
    extents = _bounded(octets, start, stop, body)
    if from_line:
        return extents._replace(oddities=("mbox-from", *extents.oddities))
    return extents


def _empty_line(octets: bytes, first: int, start: int, end: int) -> tuple[int, int]:
    """Past the line end before the first empty line, and past the empty line; the kind met first is sought first."""
    if first > start and octets[first - 1] == 13:
        found = octets.find(b"\n\r\n", first, end)
        other = octets.find(b"\n\n", first, found if found >= 0 else end)
        if other >= 0:
            return other + 1, other + 2
        return (found + 1, found + 3) if found >= 0 else (end, end)
    found = octets.find(b"\n\n", max(first, start), end)
    other = octets.find(b"\n\r\n", max(first, start), found if found >= 0 else end)
    if other >= 0:
        return other + 1, other + 3
    return (found + 1, found + 2) if found >= 0 else (end, end)


def _bounded(octets: bytes, start: int, stop: int, body: int) -> Extents:
    """The block ends with a field: what follows the last one is body."""
    last = octets.rfind(b"\n", start, max(stop - 1, start)) + 1 or start
    while last > start and octets[last] in _BLANK:
        last = octets.rfind(b"\n", start, last - 1) + 1 or start
    if _FIELD.match(octets, last, stop):
        return Extents(start, stop, body)
    past = start
    for field in _FIELD_LINE.finditer(octets, start, min(stop, start + LONGEST)):
        past = field.end()
    if past == start:
        return Extents(start, start, start, ("no-header",) if stop > start else ())
    return Extents(start, past, past, ("no-blank-line",))


def unfold(value: bytes) -> bytes:
    """One line of it (RFC 5322, section 2.2.3); a tab that folded counts as a space."""
    return _FOLD.sub(b" ", value) if b"\n" in value else value


class Fields:
    """The fields of one header block, found by name at the cost of a substring search."""

    __slots__ = ("_lower", "block")

    def __init__(self, block: bytes) -> None:
        self.block = block[:LONGEST]
        self._lower = b"\n" + self.block.lower()

    def values(self, name: bytes) -> list[bytes]:
        """The values of every field called *name* (lower case), top to bottom, unfolded and stripped."""
        found: list[bytes] = []
        if not name:
            return found
        lower, block = self._lower, self.block
        needle = b"\n" + name
        width = len(name)
        at = lower.find(needle)
        while at >= 0:
            colon = at + width
            while block[colon : colon + 1] in (b" ", b"\t"):
                colon += 1
            if block[colon : colon + 1] == b":":
                stop = self._end(colon)
                found.append(unfold(block[colon + 1 : stop]).strip())
            at = lower.find(needle, at + 1)
        return found

    def first(self, name: bytes) -> bytes:
        """The first value of *name*; empty without one."""
        values = self.values(name)
        return values[0] if values else b""

    def _end(self, at: int) -> int:
        """Where the field that holds *at* ends: at a line end that no white space follows."""
        block = self.block
        stop = block.find(b"\n", at)
        while stop >= 0 and block[stop + 1 : stop + 2] in (b" ", b"\t"):
            stop = block.find(b"\n", stop + 1)
        return stop if stop >= 0 else len(block)

    def names(self) -> tuple[str, ...]:
        """The field names as written, top to bottom."""
        return tuple(field[1].decode("ascii") for field in _FIELD_LINE.finditer(self.block))

    def strays(self) -> list[bytes]:
        """Lines that are neither a field nor the continuation of one."""
        lines = (line[0] for line in _LINE.finditer(self.block))
        return [line for line in lines if not _FIELD.match(line)]
