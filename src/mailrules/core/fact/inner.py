"""The parts of a message that are header fields themselves: reports, and messages within."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from mailrules.model.message import Attachment, Extent, Message

LARGEST = 256_000
"""Octets of a part that are read."""
MOST = 200
"""Groups of fields in a part that are read."""
MESSAGES = frozenset({"message/rfc822", "message/global"})
HEADERS = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})

_BLANK = re.compile(rb"\n[ \t]*\r?\n")


def fields(octets: bytes) -> Message:
    """Header fields alone, as a message of nothing else."""
    from mailrules.core.parse import parse  # it reads facts itself

    return parse(octets[:LARGEST], extent=Extent.HEADER)


def groups(octets: bytes) -> Iterator[Message]:
    """The groups of fields of a report, which blank lines part (RFC 3464, section 2.1)."""
    pieces = (piece for piece in _BLANK.split(octets[:LARGEST]) if piece.strip())
    return (fields(piece.strip() + b"\n") for piece in islice(pieces, MOST))


def enclosed(message: Message) -> Iterator[tuple[Attachment, Message]]:
    """The header of each message, or header of one, that is a part of *message*."""
    for attachment in message.attachments:
        if attachment.type in MESSAGES | HEADERS:
            yield attachment, fields(attachment.content())
