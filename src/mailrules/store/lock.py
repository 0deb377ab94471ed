"""One process a workspace."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class Locked(Exception):  # noqa: N818 - named for what is so, not for what went wrong
    """Another process works on this workspace; `pid` is its number, None when it could not be read."""

    def __init__(self, path: Path, pid: int | None) -> None:
        who = "another process" if pid is None else f"process {pid}"
        super().__init__(f"{who} works on this workspace already (it holds {path}); end it first, or use its output")
        self.path = path
        self.pid = pid


class WorkspaceLock:
    """Held, no other process gets it; the kernel frees it when its holder ends, however that ends.

    The file stays behind, empty: deleting it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take it, or say at once who has it.

        Raises:
            Locked: another process has it, or another lock of this one.
            OSError: the file cannot be made or the file system has no locks.
        """
        if self._descriptor is not None:
            raise Locked(self.path, os.getpid())
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).strip()
            os.close(descriptor)
            raise Locked(self.path, int(holder) if holder.isdigit() else None) from None
        except OSError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # a child between fork and exec may hold it open still
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(path: Path) -> int | None:
    """The number of the process that holds the lock at *path*; None when nobody does.

    Raises:
        OSError: the file cannot be looked at.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        written = os.pread(descriptor, 20, 0).strip()
        # The lock is tried only then: it could be in the way of one who takes it now.
        return int(written) if written.isdigit() and _lives(int(written)) and _held(descriptor) else None
    finally:
        os.close(descriptor)


def _held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False  # its holder was killed, and another process has got its number


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
