"""A big message on its way through the disk: written in pieces to a file without a name, then mapped into memory."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import BinaryIO, Self

from mailrules.api import Octets, Transient

PIECE = 1 << 20
"""Octets that are in memory at a time, and beyond which a message goes through the disk."""


def spool_folder() -> str:
    """Where big messages lie while they are read: as TMPDIR says, else /var/tmp, as /tmp may be memory."""
    if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK | os.X_OK):  # noqa: S108 - the file has no name there
        return "/var/tmp"  # noqa: S108 - as above
    return tempfile.gettempdir()


class Spool:
    """A file that nobody else can reach, and that is gone with the last use of its octets, whatever happens.

    Raises `Transient` where the disk does not take them.
    """

    def __init__(self, size: int | None) -> None:
        self._size = size
        self.octets = 0
        """How many have been written."""
        with self._on_disk():
            self._file: BinaryIO = tempfile.TemporaryFile(dir=spool_folder())  # noqa: SIM115 - closed by `close`

    def write(self, octets: bytes) -> None:
        """Add them at the end."""
        with self._on_disk():
            self._file.write(octets)
        self.octets += len(octets)

    def take(self, file: BinaryIO) -> None:
        """Add the rest of *file*."""
        while piece := file.read(PIECE):
            self.write(piece)

    def message(self) -> Octets:
        """All that was written."""
        with self._on_disk():
            self._file.flush()
            return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self.octets else b""

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            size = f" of {self._size:,} octets" if self._size else ""
            raise Transient(
                f"no room for a message{size} in {spool_folder()}: {error.strerror or error}; "
                "free some, or set TMPDIR to a folder that has it"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()


def read_whole(file: BinaryIO, size: int) -> Octets:
    """The rest of an open file of about *size* octets; through a copy where that is big.

    The file itself is not mapped: a program that cuts it off meanwhile would end this one (SIGBUS).
    """
    if size <= PIECE:
        return file.read()
    with Spool(size) as spool:
        spool.take(file)
        return spool.message()
