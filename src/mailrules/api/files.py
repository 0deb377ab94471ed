"""Files of the workspace that options name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailrules.api.template import Template
from mailrules.model.action import Permanent, Transient

LARGEST = 64 << 20
"""Octets of a file that is read whole."""


class WorkspaceFile(Template):
    """The path of a file, from the workspace's folder and never out of it; a template like any other text."""

    def __init__(self, source: str = "", root: Path = Path()) -> None:
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "root", root)

    root: Path

    def path(self, data: Mapping[str, Any]) -> Path:
        """Where it is.

        Raises:
            Permanent: outside of the workspace, or the template fails.
        """
        written = self.render(data)
        found, root = (self.root / written).resolve(), self.root.resolve()
        if not found.is_relative_to(root) or found == root:
            raise Permanent(f"{written!r} is outside of the workspace")
        return found

    def read(self, data: Mapping[str, Any]) -> bytes:
        """What is in it.

        Raises:
            Permanent: it is not there, no file, or larger than `LARGEST`.
            Transient: it cannot be read now.
        """
        path = self.path(data)
        try:
            if not path.is_file():
                raise Permanent(f"there is no file {self.render(data)!r} in the workspace")
            if path.stat().st_size > LARGEST:
                raise Permanent(f"{path.name} is larger than {LARGEST >> 20} MiB")
            return path.read_bytes()
        except OSError as error:
            raise Transient(f"cannot read {path.name}: {error.strerror or error}") from error
