"""Names in a maildir: of messages with their flags, and of Maildir++ folders."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterable

from mailrules.api import Permanent
from mailrules.builtin.folder.roles import usual_name

FLAG_LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T", "$Forwarded": "P"}
"""The standard letters of the info part, by flag."""
_FLAGS = {letter: flag for flag, letter in FLAG_LETTERS.items()}
_LETTERS_BY_FOLDED = {flag.lower(): letter for flag, letter in FLAG_LETTERS.items()}
_INFO = ":2,"
_counter = itertools.count(1)


def unique_part(name: str) -> str:
    """What of a file name stays when flags change."""
    return name.partition(":")[0]


def letters(name: str) -> frozenset[str]:
    """The flag letters of a file name; none without an info part."""
    return frozenset(name.partition(_INFO)[2])


def flags(name: str) -> frozenset[str]:
    r"""The flags of a file name, as IMAP says them, `\Seen`."""
    return frozenset(_FLAGS[letter] for letter in letters(name) if letter in _FLAGS)


def letter_of(flag: str) -> str:
    """The letter of a flag.

    Raises:
        Permanent: a keyword, which a maildir cannot keep.
    """
    letter = _LETTERS_BY_FOLDED.get(flag.lower())
    if letter is None:
        raise Permanent(f"a maildir cannot keep the flag {flag!r}: it knows {', '.join(FLAG_LETTERS)}")
    return letter


def with_letters(unique: str, given: Iterable[str]) -> str:
    """The file name in `cur/` with these flags, its letters in order as readers expect."""
    return f"{unique}{_INFO}{''.join(sorted(given))}"


def fresh_name() -> str:
    """A unique part that no other delivery has: time, process, counter and host, as maildir(5) asks."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
    return f"{seconds}.M{nanoseconds // 1000}P{os.getpid()}Q{next(_counter)}.{host}"


def folder_name(folder: str) -> str:
    """The directory of a folder under the root, by Maildir++: `Invoices/2026` is `.Invoices.2026`; INBOX is the root.

    Names outside of ASCII are written in modified UTF-7 (RFC 3501, section 5.1.3), as Dovecot and Courier do.

    Raises:
        Permanent: no folder can be called so.
    """
    levels = usual_name(folder).replace("/", ".").split(".")
    if levels[0].upper() == "INBOX":
        levels = levels[1:]
    if not levels:
        return ""
    if not all(level.strip() for level in levels) or not folder.isprintable():
        raise Permanent(
            f"a maildir cannot have a folder {folder!r}: levels are parted by one '/' or '.', none is empty"
        )
    return "." + ".".join(_on_disk(level) for level in levels)


def shown_name(directory: str) -> str:
    """The folder that a directory is, its levels parted by `.`."""
    from imapclient.imap_utf7 import decode

    return str(decode(directory.removeprefix(".").encode("ascii", "replace")))


def _on_disk(level: str) -> str:
    if level.isascii() and "&" not in level:
        return level
    from imapclient.imap_utf7 import encode

    return bytes(encode(level)).decode("ascii")
