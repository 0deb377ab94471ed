"""Noticing that something came into a folder on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_STEP = 0.2
"""Seconds between looks: one `stat` a path."""


@dataclass(frozen=True, slots=True)
class Look:
    """How some files or folders stood at one moment, by their size and time of change."""

    paths: tuple[Path, ...]
    marks: tuple[tuple[int, int] | None, ...]

    @classmethod
    def at(cls, paths: Sequence[Path]) -> Look:
        """How they stand now."""
        return cls(tuple(paths), tuple(_mark(path) for path in paths))

    def changed_within(self, timeout: float) -> bool:
        """Block up to *timeout* seconds until one of them stands otherwise; True if one does."""
        end = time.monotonic() + timeout
        while Look.at(self.paths) == self:
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_STEP, left))
        return True


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
