r"""The mbox format: messages one after another, each behind a `From ` line (RFC 4155; quoting as mboxrd).

A `From ` line counts where an empty line, or nothing, stands before it and a time of day in it, so that a sentence
which starts with "From" does not cut a message in two.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from mailrules.api import Octets
from mailrules.builtin.folder.spool import PIECE, Spool
from mailrules.builtin.local.header_block import read_header

_FROM = re.compile(rb"From [^\n]*\d:\d\d[^\n]*\n")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_STATUS = re.compile(rb"^(?:X-)?Status:[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)
_VOLATILE = re.compile(
    rb"^(?:Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|Content-Length|Lines):[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.MULTILINE | re.IGNORECASE,
)
"""Header fields that mail programs rewrite in place: no part of a message's identity."""
_MOMENT = re.compile(rb"([A-Z][a-z]{2}) +(\d{1,2}) +(\d{1,2}):(\d\d):(\d\d) +(?:[A-Z]{3,5} +)?(\d{4})")
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_CHUNK = 1 << 20
_LETTERS = {"R": "\\Seen", "A": "\\Answered", "F": "\\Flagged", "T": "\\Draft", "D": "\\Deleted"}
FLAG_LETTERS = {flag.lower(): letter for letter, flag in _LETTERS.items()}
"""The letters of Status (R) and X-Status (the others), by lower-cased flag."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of an mbox: where it stands, and who it is wherever it stands."""

    uid: str
    """A hash of its From line and content; a number follows where the same occurs again."""
    start: int
    """Of its From line."""
    content: int
    """Of its first header field."""
    stop: int
    """Where its last line ends."""
    end: int
    """Of the empty line after it: where the next From line, or nothing, begins."""
    size: int
    """Octets of the message without its Status fields, quoting counted."""
    flags: frozenset[str]
    received: datetime | None
    """The time in its From line, which is UTC (RFC 4155)."""


def entries(file: BinaryIO) -> Iterator[Entry]:
    """Every message from the start of *file*, in file order."""
    starts = list(_starts(file))
    file.seek(0, 2)
    ends = [start for start, _ in (*starts[1:], (file.tell(), 0))]
    seen: dict[str, int] = {}
    for (start, content), end in zip(starts, ends, strict=False):
        file.seek(start)
        from_line = file.read(content - start)
        header = read_header(file, end - content)
        digest = _identity(file, from_line, header, (content + len(header), end))
        seen[digest] = number = seen.get(digest, 0) + 1
        uid = digest if number == 1 else f"{digest}-{number}"
        stop = _stop(file, content, end)
        size = stop - content - len(header) + len(_STATUS.sub(b"", header))
        yield Entry(uid, start, content, stop, end, size, _flags(header), _received(from_line))


def _starts(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where each From line begins and ends."""
    file.seek(0)
    base, buffer = -2, b"\n\n"
    while chunk := file.read(_CHUNK):
        buffer += chunk
        complete = buffer.rfind(b"\n") + 1
        for found in _FROM.finditer(buffer, 0, complete):
            if buffer[max(found.start() - 3, 0) : found.start()].endswith((b"\n\n", b"\n\r\n")):
                yield base + found.start(), base + found.end()
        kept = max(complete - 3, 0)
        base, buffer = base + kept, buffer[kept:]


def _identity(file: BinaryIO, from_line: bytes, header: bytes, body: tuple[int, int]) -> str:
    """A hash over the From line, the header without what programs rewrite, and the body (from, to)."""
    digest = hashlib.blake2b(from_line.rstrip(), digest_size=12)
    digest.update(_VOLATILE.sub(b"", header))
    file.seek(body[0])
    left, held = body[1] - body[0], b""
    while left and (chunk := file.read(min(_CHUNK, left))):
        left -= len(chunk)
        text = held + chunk
        filled = text.rstrip(b"\r\n")
        digest.update(filled)
        held = text[len(filled) :]
    return digest.hexdigest()


def _flags(header: bytes) -> frozenset[str]:
    letters = "".join(line.partition(b":")[2].decode("ascii", "replace") for line in _STATUS.findall(header))
    return frozenset(_LETTERS[letter] for letter in letters if letter in _LETTERS)


def _stop(file: BinaryIO, content: int, end: int) -> int:
    """The end of a message without the empty line that parts it from the next."""
    file.seek(max(end - 4, content))
    tail = file.read(4)
    return end - (2 if tail.endswith(b"\r\n\r\n") else 1 if tail.endswith(b"\n\n") else 0)


def _received(from_line: bytes) -> datetime | None:
    found = _MOMENT.search(from_line)
    if found is None:
        return None
    month, day, hour, minute, second, year = found.groups()
    try:
        return datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except (KeyError, ValueError):
        return None


def header_of(file: BinaryIO, entry: Entry) -> bytes:
    """The header block, its empty line included, without reading the body.

    Status and X-Status are left out: they are the file's flags, no part of the message, and change.
    """
    file.seek(entry.content)
    return _unquoted(_STATUS.sub(b"", read_header(file, entry.stop - entry.content)))


def message_of(file: BinaryIO, entry: Entry) -> Octets:
    """The whole message, unquoted, its header as `header_of` gives it; a big one through the disk."""
    file.seek(entry.content)
    header = read_header(file, entry.stop - entry.content)
    file.seek(entry.content + len(header))
    left = entry.stop - entry.content - len(header)
    if left <= PIECE:
        return _unquoted(_STATUS.sub(b"", header) + file.read(left))
    with Spool(entry.size) as spool:
        held, within = _STATUS.sub(b"", header), b""
        while left and (chunk := file.read(min(PIECE, left))):
            left -= len(chunk)
            text = held + chunk
            end = (left and text.rfind(b"\n") + 1) or len(text)
            spool.write(_unquoted(within + text[:end])[len(within) :])
            held, within = text[end:], b"" if text.endswith(b"\n", 0, end) else b"."  # what is in a line is not quoted
        return spool.message()


def stored(file: BinaryIO, entry: Entry) -> bytes:
    """The message as it stands in the file, From line and quoting included, ending in one empty line."""
    file.seek(entry.start)
    return file.read(entry.stop - entry.start).removesuffix(b"\n") + b"\n\n"


def with_flags(message: bytes, flags: frozenset[str]) -> bytes:
    """A stored message with its flags in Status and X-Status, which stand last in its header."""
    letters = {FLAG_LETTERS[flag.lower()] for flag in flags}
    status = b"Status: " + (b"RO" if "R" in letters else b"O")
    others = "".join(sorted(letters - {"R"})).encode()
    fields = status + b"\n" + (b"X-Status: " + others + b"\n" if others else b"")
    from_line, _, rest = message.partition(b"\n")
    head = re.split(rb"(?<=\n)(?=\r?\n)", rest, maxsplit=1)
    return b"\n".join((from_line, _STATUS.sub(b"", head[0]) + fields + b"".join(head[1:])))


def _unquoted(text: bytes) -> bytes:
    return _QUOTED.sub(rb"\1", text) if b"\n>" in text else text
