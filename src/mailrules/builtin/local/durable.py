"""Writing files so that they are there whole or not at all, also after a power cut; reading what is a file only."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """A regular file, open to read, without waiting for anybody, as opening a pipe would.

    Raises:
        OSError: it cannot be opened, or it is a symlink, a directory, a pipe or a device.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return os.fdopen(handle, "rb")


def is_regular(path: Path) -> bool:
    """Whether *path* is a regular file itself, and no symlink to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def sync_folders(folders: Iterable[Path]) -> None:
    """Make names that were added to or taken from *folders* last (fsync of a directory)."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_synced(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a new file and see it to the disk; nothing stays of one that could not be written whole.

    Raises:
        FileExistsError: the name is taken.
        OSError: the disk is full or refuses.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def copy_synced(source: Path, target: Path) -> None:
    """A second name for *source* where the file system links, else a synced copy with its time.

    Raises:
        FileExistsError: the name is taken.
        OSError: anything else, with nothing left behind.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        temporary = target.with_name(f".copying-{os.getpid()}-{target.name}"[:250])
        temporary.unlink(missing_ok=True)
        with open_regular(source) as file:
            write_synced(temporary, iter(lambda: file.read(1 << 20), b""))
        shutil.copystat(source, temporary)
        _name(temporary, target)


def _name(temporary: Path, target: Path) -> None:
    """Give a file its name where linking is refused; the gap between look and rename is the file system's."""
    if os.path.lexists(target):
        temporary.unlink()
        raise FileExistsError(target)
    temporary.rename(target)


def same_content(one: Path, other: Path) -> bool:
    """Whether two regular files hold the same octets; nothing else holds any."""
    if not (is_regular(one) and is_regular(other)):
        return False
    if one.samefile(other):
        return True
    if one.stat().st_size != other.stat().st_size:
        return False
    with open_regular(one) as left, open_regular(other) as right:
        while chunk := left.read(1 << 20):
            if chunk != right.read(len(chunk)):
                return False
    return True
