"""File names that are safe on any system, made from what a stranger wrote."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 180
"""Octets of UTF-8 in one name: file systems take 255, and a number and a suffix must still fit."""
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_LONGEST_SUFFIX = 20


def safe_name(name: str, default: str) -> str:
    r"""One path component from *name*: no separators, control or direction characters, leading dots or device names.

    A path in it counts as its last part: `C:\docs\a.pdf` gives `a.pdf`, as browsers do. Composed (NFC) and cut to
    `LONGEST` octets, its suffix kept. What leaves nothing gives *default*.
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    kept = "".join(char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C")
    kept = _FORBIDDEN.sub("_", " ".join(kept.split())).strip(". ")
    if not kept:
        return default
    return _cut(f"_{kept}" if _RESERVED.match(kept) else kept)


def safe_path(path: str) -> str:
    """A relative path of safe components; empty ones, `.` and `..` are left out, so that it leads only downwards."""
    components = (safe_name(component, "") for component in path.split("/"))
    return "/".join(component for component in components if component)


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = LONGEST - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + suffix
