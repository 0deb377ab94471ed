"""Whether a message that is to be put into a folder is there already: the same, octet for octet."""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = re.compile(rb"\A.*?\r?\n(?=\r?\n|\Z)", re.DOTALL)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^<>\r\n]{1,990}>)", re.IGNORECASE | re.MULTILINE)


def message_id(raw: bytes) -> bytes:
    """The Message-ID in the header of *raw* with its angle brackets (RFC 5322, section 3.6.4); empty without one."""
    header = _HEADER.match(raw)
    found = _MESSAGE_ID.search(header[0] if header else raw)
    return found[1] if found else b""


def holding(raw: bytes, paths: list[Path]) -> Path | None:
    """The file that holds this message; only those of its size are read."""
    from mailrules.builtin.local.durable import is_regular, open_regular

    for path in paths:
        try:
            if not is_regular(path) or path.lstat().st_size != len(raw):
                continue
            with open_regular(path) as file:
                if file.read() == raw:
                    return path
        except FileNotFoundError:
            continue  # renamed or gone meanwhile
    return None
