"""Python files of the workspace that options name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mailrules.api.template import scalar


@scalar
@dataclass(frozen=True)
class PythonFile:
    """A Python file with a function `run(message, data, context)`; `check` loads it and tells what is wrong with it."""

    source: str
    """As written, from the workspace's folder."""
    root: Path = Path()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.root / self.source
