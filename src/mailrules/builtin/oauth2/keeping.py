"""Where tokens are kept: whole or not at all, readable by the owner alone, one writer at a time over all processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import msgspec

from mailrules.api import PersonNeeded, Transient
from mailrules.builtin.local.durable import sync_folders
from mailrules.builtin.oauth2.tokens import Tokens

ROOM = 64 * 1024
"""Octets set aside before a refresh token is used: a full disk is noticed while the old one is still good."""
_LOOK = 0.02
"""Seconds between looks at a lock."""

Write: TypeAlias = Callable[[Tokens], None]


class Keeping(Protocol):
    """A place for the tokens of one log-in."""

    def load(self) -> Tokens:
        """What is kept; empty when there is nothing, or nothing that can be read.

        Raises:
            PersonNeeded: the place cannot be read at all.
        """

    def locked(self, timeout: float) -> contextlib.AbstractContextManager[None]:
        """Alone with it, over all threads and processes.

        Raises:
            Transient: another has it for longer than that.
        """

    def writing(self) -> contextlib.AbstractContextManager[Write]:
        """Room is made; what is handed over within the block is on the disk when the call returns.

        Raises:
            Transient: the disk is full or refuses.
        """


@dataclass(frozen=True, slots=True)
class TokenFile:
    """One JSON file, mode 0600."""

    path: Path

    def load(self) -> Tokens:
        """See `Keeping`."""
        try:
            return decoded(self.path.read_bytes())
        except FileNotFoundError:
            return Tokens()
        except OSError as error:
            raise PersonNeeded(
                f"tokens {self.path}: {error.strerror}", remedy="let this user read and write"
            ) from error

    def locked(self, timeout: float) -> contextlib.AbstractContextManager[None]:
        """See `Keeping`."""
        return _locked(self.path.with_name(f".{self.path.name}.lock"), timeout)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Write]:
        """See `Keeping`. To be entered under the lock."""
        temporary = self.path.with_name(f".{self.path.name}.new")
        with _disk(self.path):
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            _write(handle, bytes(ROOM))
            os.fsync(handle)

        def write(tokens: Tokens) -> None:
            with _disk(self.path):
                content = msgspec.json.encode(tokens)
                _write(handle, content)
                os.ftruncate(handle, len(content))
                os.fsync(handle)
                os.replace(temporary, self.path)  # noqa: PTH105 - the atomic one, by its own name
                sync_folders([self.path.parent])

        try:
            yield write
        finally:
            os.close(handle)
            temporary.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class TokenKeyring:
    """An entry of the system's keyring; the lock is a file."""

    service: str
    user: str
    lock: Path

    def load(self) -> Tokens:
        """See `Keeping`."""
        return decoded((_keyring().get_password(self.service, self.user) or "").encode())

    def locked(self, timeout: float) -> contextlib.AbstractContextManager[None]:
        """See `Keeping`."""
        return _locked(self.lock, timeout)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Write]:
        """See `Keeping`."""

        def write(tokens: Tokens) -> None:
            try:
                _keyring().set_password(self.service, self.user, msgspec.json.encode(tokens).decode())
            except Exception as error:
                reason = f"keyring {self.service}/{self.user} takes nothing: {type(error).__name__}"
                raise PersonNeeded(reason, remedy="unlock it, or keep the tokens in a file") from error

        yield write


def decoded(content: bytes) -> Tokens:
    """What was kept; empty where that is damaged, which is to be logged in again."""
    try:
        return msgspec.json.decode(content, type=Tokens)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Tokens()


def _keyring() -> Any:
    try:
        import keyring
    except ImportError as error:
        raise PersonNeeded("no keyring library here", remedy="pip install keyring") from error
    return keyring


def _write(handle: int, octets: bytes) -> None:
    """From the start of the file, all of it: a nearly full disk takes a part."""
    at = 0
    while at < len(octets):
        at += os.pwrite(handle, octets[at:], at)


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Transient(f"tokens {path} cannot be kept: {error.strerror}") from error


@contextlib.contextmanager
def _locked(path: Path, timeout: float) -> Iterator[None]:
    """A lock that the kernel frees when its holder ends; the file stays, lest two lock two files of one name."""
    with _disk(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(handle, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: Path, end: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Transient(f"another process is renewing the tokens ({path})") from None
            time.sleep(_LOOK)
        else:
            return
