"""A message from elsewhere as an mbox keeps it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO

from mailrules.api import NewMessage
from mailrules.builtin.local.mbox_file import FLAG_LETTERS, Entry, entries, message_of, with_flags

_TO_QUOTE = re.compile(rb"^(>*From )", re.MULTILINE)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def arrival(new: NewMessage) -> bytes:
    """Its From line, its text quoted (mboxrd), and the empty line after it."""
    text = _TO_QUOTE.sub(rb">\1", new.raw.replace(b"\r\n", b"\n"))
    stored = _from_line(new.received or datetime.now(UTC)) + text.removesuffix(b"\n") + b"\n\n"
    flags = frozenset(flag for flag in new.flags if flag.lower() in FLAG_LETTERS)
    return with_flags(stored, flags) if flags else stored


def there_already(file: BinaryIO, message: bytes) -> Entry | None:
    """The entry that holds the message that `arrival` gave; only those of its size are read."""
    alone = BytesIO(message)
    (new,) = entries(alone)
    raw = message_of(alone, new)[:]
    return next((e for e in entries(file) if e.size == new.size and message_of(file, e)[:] == raw), None)


def _from_line(at: datetime) -> bytes:
    """In UTC, as RFC 4155 asks, in no locale's words."""
    at = at.astimezone(UTC)
    month = _MONTHS[3 * at.month - 3 : 3 * at.month]
    return f"From mailrules {_DAYS[at.weekday()]} {month} {at.day:2} {at:%H:%M:%S %Y}\n".encode()
