"""Sets of UIDs, and the answers to UID SEARCH and UID FETCH: a lean scanner for the fixed shape that is asked for.

imapclient's own parser goes octet by octet; this one takes a response with a few regular expression matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from mailrules.builtin.line.tls import one_line
from mailrules.builtin.line.wire import Nonsense

LONGEST_SET = 7_500
"""Octets of a UID set: with the rest of the command, under the 8,192 that every server takes (RFC 7162, section 4)."""
MOST_UIDS = 2_000_000

_ITEM = re.compile(
    rb"(([A-Za-z0-9.-]+(?:\[[^\]]*\](?:<\d+>)?)?) "  # its name: FLAGS, BODY[HEADER], ...
    rb"(?:\(([^()]*)\)"  # a list of atoms
    rb'|"((?:[^"\\]|\\.)*)"'  # a quoted string
    rb"|~?(\{)\d+\+?\}\r\n"  # a literal, which is the next part
    rb"|([^ ()\"{]+)"  # an atom, a number, NIL
    rb") ?)"
)
_USUAL = re.compile(
    rb'\* \d+ FETCH \(UID (\d+) FLAGS \(([^()]*)\) INTERNALDATE "([^"\\]*)"'
    rb" RFC822\.SIZE (\d+) BODY\[HEADER\] \{\d+\}\r\n"
)
"""What nearly every server sends for a header block, octet for octet: one match instead of ten."""
_USUAL_ITEMS = (b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE")
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)")
_MONTHS = {"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * at : 3 * at + 3]: f"{at + 1:02}" for at in range(12)}
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
            length += len(f"{start}:{end}," if start < end else f"{start},")
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
    if response[-1] == b")\r\n" and len(response) == 3 and (usual := _USUAL.fullmatch(response[0])):
        return dict(zip(_USUAL_ITEMS, usual.groups(), strict=True)) | {b"BODY[HEADER]": response[1]}
    items: Items = {}
    start = _FETCH.match(response[0])
    at = start.end() if start else 0
    rest = b""
    for part in range(0, len(response), 2):
        text = response[part]
        at += text[at : at + 1] == b" "
        for whole, name, atoms, quoted, literal, atom in _ITEM.findall(text, at):
            at += len(whole)
            if literal:
                items[name.upper()] = response[part + 1]
            elif quoted:
                items[name.upper()] = _ESCAPED.sub(rb"\1", quoted)
            else:
                items[name.upper()] = atoms or (b"" if atom.upper() == b"NIL" else atom)
        rest += text[at:]
        at = 0
    if not start or rest.strip() != b")":
        raise Nonsense(f"it sends a message's data as {one_line(rest, 60)!r}")
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
    """An INTERNALDATE (RFC 9051: ` 7-Nov-2026 08:09:10 +0100`), aware and in UTC; None for anything else."""
    said = text.decode("ascii", "replace")
    month = _MONTHS.get(said[-23:-20].title(), "")
    try:
        return datetime.fromisoformat(f"{said[-19:-15]}-{month}-{said[:-24].strip():0>2}T{said[-14:]}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(1000)
def read_flags(text: bytes) -> frozenset[str]:
    r"""A list of flags, without \Recent, which tells of sessions and not of the message."""
    return frozenset(text.decode("utf-8", "replace").split()) - {"\\Recent"}
