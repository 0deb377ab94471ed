"""Sets of UIDs, and the answers to UID SEARCH and UID FETCH: a lean scanner for the fixed shape that is asked for.

imapclient's own parser goes octet by octet; this one takes a response with a few regular expression matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

from mailrules.builtin.imap_line import Nonsense
from mailrules.builtin.tls import one_line

LONGEST_SET = 7_500
"""Octets of a UID set: with the rest of the command, under the 8,192 that every server takes (RFC 7162, section 4)."""
MOST_UIDS = 2_000_000

_ITEM = re.compile(
    rb"([A-Za-z0-9.-]+(?:\[[^\]]*\](?:<\d+>)?)?) "  # its name: FLAGS, BODY[HEADER], ...
    rb"(?:\(([^()]*)\)"  # a list of atoms
    rb'|"((?:[^"\\]|\\.)*)"'  # a quoted string
    rb"|~?(\{)\d+\+?\}\r\n"  # a literal, which is the next part
    rb"|([^ ()\"{]+))"  # an atom, a number, NIL
    rb" ?"
)
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)")
_MOMENT = re.compile(rb"([ 0-3]?\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {name: at for at, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_RANGE = re.compile(rb"(\d+)(?::(\d+))?\Z")

Items = dict[bytes, bytes]
"""The attributes of one message by name in capitals; a list without its parentheses, NIL as empty."""


def uid_ranges(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Runs of consecutive UIDs, ascending."""
    first = last = -1
    for uid in sorted(set(uids)):
        if uid != last + 1 or first < 0:
            if first >= 0:
                yield first, last
            first = uid
        last = uid
    if first >= 0:
        yield first, last


def uid_set(uids: Iterable[int]) -> bytes:
    """As RFC 9051, section 9, writes a set: `3:5,9`."""
    return b",".join(b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in uid_ranges(uids))


def uid_batches(uids: Iterable[int], most: int) -> Iterator[list[int]]:
    """*uids*, ascending, in batches of at most so many, whose sets each fit on a command line."""
    batch: list[int] = []
    length = 0
    for first, last in uid_ranges(uids):
        for start in range(first, last + 1, most):
            end = min(start + most - 1, last)
            if batch and (len(batch) + end - start + 1 > most or length > LONGEST_SET - 22):
                yield batch
                batch, length = [], 0
            batch += range(start, end + 1)
            length += len(f"{start}:{end},")
    if batch:
        yield batch


def read_set(text: bytes, most: int = MOST_UIDS) -> list[int]:
    """The UIDs of a set, as the server wrote it.

    Raises:
        Nonsense: no set, or more than *most* UIDs.
    """
    uids: list[int] = []
    for part in text.split(b","):
        found = _RANGE.match(part)
        if not found:
            raise Nonsense(f"it sends {one_line(text, 60)!r} as a set of UIDs")
        low, high = sorted((int(found[1]), int(found[2] or found[1])))
        if len(uids) + high - low >= most:
            raise Nonsense(f"it lists more than {most} messages")
        uids += range(low, high + 1)
    return uids


def read_search(responses: Sequence[tuple[bytes, ...]]) -> list[int]:
    """UIDs found, ascending, whether answered by SEARCH or ESEARCH (RFC 4731).

    Raises:
        Nonsense: something else than UIDs.
    """
    uids: set[int] = set()
    for response in responses:
        words = response[0].upper().split()[1:]
        if words[0] == b"ESEARCH":
            uids.update(read_set(words[words.index(b"ALL", 1) + 1]) if b"ALL" in words else ())
        else:
            plain = words[1 : words.index(b"(MODSEQ")] if b"(MODSEQ" in words else words[1:]
            uids.update(read_set(b",".join(plain)) if plain else ())
    return sorted(uids)


def read_fetch(response: tuple[bytes, ...]) -> Items:
    """The attributes in one FETCH response.

    Raises:
        Nonsense: not of the shape that was asked for.
    """
    items: Items = {}
    text, part = response[0], 0
    start = _FETCH.match(text)
    at = start.end() if start else 0
    while found := _ITEM.match(text, at):
        name, atoms, quoted, literal, atom = found.groups()
        at = found.end()
        if literal:
            value, text = response[part + 1], response[part + 2].removeprefix(b" ")
            part, at = part + 2, 0
        elif quoted is not None:
            value = _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        else:
            value = atoms if atoms is not None else b"" if atom.upper() == b"NIL" else atom
        items[name.upper()] = value
    if not start or text[at:].strip() != b")":
        raise Nonsense(f"it sends a message's data as {one_line(text[at:], 60)!r}")
    return items


def read_fetches(responses: Iterable[tuple[bytes, ...]]) -> dict[int, Items]:
    """Attributes by UID; several responses on one message add up; one without UID is news that nobody asked for.

    Raises:
        Nonsense: not of the shape that was asked for.
    """
    found: dict[int, Items] = {}
    for response in responses:
        items = read_fetch(response)
        if (uid := items.get(b"UID", b"")).isdigit():
            found.setdefault(int(uid), {}).update(items)
    return found


def read_moment(text: bytes) -> datetime | None:
    """An INTERNALDATE, aware and in UTC; None where the server writes something else."""
    found = _MOMENT.match(text)
    if not found:
        return None
    day, month, year, hour, minute, second, sign, east_hours, east_minutes = found.groups()
    east = timedelta(hours=int(east_hours), minutes=int(east_minutes))
    try:
        zone = timezone(-east if sign == b"-" else east) if east else UTC
        moment = datetime(int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second), tzinfo=zone)
        return moment.astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None
