"""The fingerprint by which the journal knows a message again."""

from __future__ import annotations

import re
from hashlib import blake2b

_REWRITTEN = re.compile(
    rb"\n(?=[sxcl])(?:status|x-status|x-keywords|x-uid|x-imap|x-imapbase|content-length|lines)[ \t]*:"
    rb"[^\n]*(?:\n[ \t][^\n]*)*",
    re.IGNORECASE,
)
"""These fields with their folded lines, each with the line end before it, which is what the search is quick to find."""


def fingerprint(header_block: bytes, size: int | None) -> str:
    """BLAKE2b (128 bits, hex) of *header_block*, and of *size* where it is known.

    Line ends do not count, nor do the headers in which mail software keeps its own state.
    """
    lines = header_block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    block = _REWRITTEN.sub(b"", b"\n" + lines).strip(b"\n")
    digest = blake2b(block, digest_size=16)
    if size is not None:
        digest.update(b"\0%d" % size)
    return digest.hexdigest()
