"""Reading the header block of a message on disk without reading the rest."""

from __future__ import annotations

import re
from typing import BinaryIO

_CHUNK = 8192
_END = re.compile(rb"\r?\n\r?\n")
_BLANK_FIRST = re.compile(rb"\A\r?\n")


def read_header(file: BinaryIO, limit: int | None = None) -> bytes:
    """The header fields and the empty line that ends them, from where *file* stands.

    Args:
        file: an open message.
        limit: octets of the message, where the file goes on after it.

    Returns:
        Everything, for a message without an empty line.
    """
    block = b""
    while limit is None or len(block) < limit:
        chunk = file.read(_CHUNK if limit is None else min(_CHUNK, limit - len(block)))
        start = max(len(block) - 3, 0)
        block += chunk
        found = _BLANK_FIRST.match(block) or _END.search(block, start)
        if found:
            return block[: found.end()]
        if not chunk:
            break
    return block
