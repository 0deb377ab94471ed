"""The fingerprint by which the journal knows a message again."""

from __future__ import annotations

import re
from hashlib import blake2b

_REWRITTEN = re.compile(
    rb"^(?:status|x-status|x-keywords|x-uid|x-imap|x-imapbase|content-length|lines)[ \t]*:[^\n]*\n?(?:[ \t][^\n]*\n?)*",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS = re.compile(rb"\r\n?")


def fingerprint(header_block: bytes, size: int | None) -> str:
    """BLAKE2b (128 bits, hex) of *header_block*, and of *size* where it is known.

    Line ends do not count, nor do the headers in which mail software keeps its own state.
    """
    block = _REWRITTEN.sub(b"", _ENDS.sub(b"\n", header_block)).strip(b"\n")
    digest = blake2b(block, digest_size=16)
    if size is not None:
        digest.update(b"\0%d" % size)
    return digest.hexdigest()
