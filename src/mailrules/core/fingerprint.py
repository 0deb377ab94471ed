"""The fingerprint by which the journal knows a message again."""

from __future__ import annotations

import re
from hashlib import blake2b


def _fields(first: bytes, names: bytes) -> re.Pattern[bytes]:
    """These fields with their folded lines, each with the line end before it, which is what the search finds fast."""
    return re.compile(rb"\n(?=[%s])(?:%s)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*" % (first, names), re.IGNORECASE)


_KEPT = rb"status|x-status|x-keywords|x-uid|x-imap|x-imapbase|content-length|lines"
_REWRITTEN = _fields(b"sxcl", _KEPT)
_ON_THE_WAY = _fields(
    b"sxclrdea",
    _KEPT + rb"|received|return-path|delivery-date|x-received|x-envelope-from|x-sieve|x-spam-[a-z-]+"
    rb"|authentication-results|received-spf|arc-[a-z-]+|x-google-smtp-source",
)
_USUAL = (b"\nMessage-ID: <", b"\nMessage-Id: <", b"\nMessage-id: <", b"\nmessage-id: <")
_IDENTIFIED = re.compile(rb"\nmessage-id[ \t]*:[ \t]*(?:\n[ \t]+)*<", re.IGNORECASE)
_DATED = re.compile(rb"\ndate[ \t]*:", re.IGNORECASE)


def fingerprint(header_block: bytes, size: int | None) -> str:
    """BLAKE2b (128 bits, hex) of *header_block*, and of *size* where it is known.

    Line ends do not count, nor do the headers in which mail software keeps its own state. Of a message with a
    Message-ID and a Date neither does what servers wrote on its way (RFC 5321, section 4.4): delivered twice, it is one
    message. For whom it was delivered counts: each recipient's copy is a message.
    """
    lines = b"\n" + header_block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    identified = any(field in lines for field in _USUAL) or _IDENTIFIED.search(lines)
    dated = b"\nDate: " in lines or _DATED.search(lines)
    block = (_ON_THE_WAY if identified and dated else _REWRITTEN).sub(b"", lines)
    left_out = len(lines) - len(block)
    if b"\r\n" in header_block:
        left_out += lines.count(b"\n") - block.count(b"\n")
    digest = blake2b(block.strip(b"\n"), digest_size=16)
    if size is not None:
        digest.update(b"\0%d" % (size - left_out))
    return digest.hexdigest()
