"""Noticing that files on disk have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Look:
    """How some files or folders stood at one moment, by their size and time of change."""

    paths: tuple[Path, ...]
    marks: tuple[tuple[int, int] | None, ...]

    @classmethod
    def at(cls, paths: Sequence[Path]) -> Look:
        """How they stand now."""
        return cls(tuple(paths), tuple(_mark(path) for path in paths))


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
