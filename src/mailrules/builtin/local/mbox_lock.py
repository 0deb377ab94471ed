"""Locks on an mbox file, as mail programs on one machine hold them: a dot lock, then fcntl."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mailrules.api import Transient
from mailrules.builtin.local.durable import open_regular

PATIENCE = 10.0
"""Seconds to wait for another program before the next try is left for later."""
STALE = 600.0
"""Seconds after which a dot lock is taken to be forgotten by a program that died."""


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """The file, open to read, while nobody writes to it; nothing is created for it.

    Raises:
        Transient: another program holds it for long, or it cannot be read.
    """
    _wait(lambda: not _held(_dot(path)), path)
    try:
        opened = open_regular(Path(os.path.realpath(path)))
    except OSError as error:
        raise Transient(f"{path.name} cannot be read: {error.strerror}") from error
    with opened as file:
        _wait(lambda: _locked(file, fcntl.LOCK_SH), path)
        yield file


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """The file, open to read and to append, held against every program that honours either lock.

    Raises:
        Transient: another program holds it for long.
    """
    dot = _dot(path)
    _wait(lambda: _take(dot), path)
    try:
        with path.open("a+b") as file:
            _wait(lambda: _locked(file, fcntl.LOCK_EX), path)
            yield file
    finally:
        dot.unlink(missing_ok=True)


def _dot(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _take(dot: Path) -> bool:
    if _held(dot):
        return False
    dot.unlink(missing_ok=True)  # left by a program that died
    with suppress(FileExistsError):
        handle = os.open(dot, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(handle, f"mailrules {os.getpid()} {socket.gethostname()}\n".encode())
        os.close(handle)
        return True
    return False


def _held(dot: Path) -> bool:
    """Whether a program that may be alive holds the dot lock."""
    try:
        age = time.time() - dot.lstat().st_mtime
    except FileNotFoundError:
        return False
    words = []
    with suppress(OSError), open_regular(dot) as file:
        words = file.read().decode(errors="replace").split()
    ours = len(words) == 3 and words[0] == "mailrules" and words[2] == socket.gethostname()
    dead = ours and words[1].isdecimal() and not _alive(int(words[1]))
    return age < STALE and not dead


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _locked(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _wait(ready: Callable[[], bool], path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise Transient(f"{path.name} is locked by another program")
        time.sleep(0.02)


@contextmanager
def locked_again(file: BinaryIO, path: Path) -> Iterator[None]:
    """Let those who wait for the fcntl lock of *file* have it first, then hold it again."""
    fcntl.lockf(file, fcntl.LOCK_UN)
    time.sleep(0.05)
    _wait(lambda: _locked(file, fcntl.LOCK_EX), path)
    yield
