"""A program run to its end, or killed with all that it started."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mailrules.api import Permanent, Transient

INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""What of our own environment a program gets; the rest may hold secrets."""
_SCARCE = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY})
"""Why a program may not start now and yet start later."""
MOST_OUTPUT = 64 << 20
"""Octets that a program may write before it is killed."""
_LOOK = 0.25
"""Seconds between two looks at how much it has written."""
MARK = "_MAILRULES_CHILD"
"""The variable by which what left the process group is found."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote."""

    status: int
    """Its exit status, or the negative number of the signal that ended it."""
    out: bytes
    """The beginning of its standard output."""
    err: bytes
    """The end of its standard error."""

    def said(self, limit: int = 200) -> str:
        """The last line that it complained with, printable."""
        lines = self.err.decode(errors="replace").strip().splitlines()
        return "".join(char if char.isprintable() else " " for char in lines[-1])[:limit] if lines else ""


@dataclass(frozen=True, slots=True)
class Child:
    """A program to run: no shell, an environment that is given whole, and files for its streams.

    As its streams are files, what it leaves running in the background holds nobody up.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    seconds: float
    """When it is killed."""
    kept: int
    """Octets of its standard output that are given."""
    folder: Path | None = None
    """Where it runs; where we do, if None."""

    def run(self, write: Callable[[IO[bytes]], object]) -> Ended:
        """Run it on the standard input that *write* writes.

        Raises:
            Transient: there is no time left, it was killed when its time was up, or nothing can be started now.
            Permanent: it cannot be started, or writes without end.
        """
        if self.seconds <= 0:
            raise Transient("no time left to run it")
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            write(stdin)
            stdin.seek(0)
            mark = uuid.uuid4().hex
            status = self._finish(self._start((stdin, out, err), mark), (out, err), mark)
            out.seek(0)
            err.seek(max(err.seek(0, os.SEEK_END) - 4096, 0))
            return Ended(status, out.read(self.kept), err.read())

    def _start(self, streams: tuple[IO[bytes], IO[bytes], IO[bytes]], mark: str) -> subprocess.Popen[bytes]:
        stdin, stdout, stderr = streams
        environment = {**self.environment, MARK: mark}
        try:
            return subprocess.Popen(  # noqa: S603 - running what the admin wrote is what this is for
                self.arguments,
                env=environment,
                cwd=self.folder,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            failure = Transient if error.errno in _SCARCE else Permanent
            raise failure(f"cannot run {self.arguments[0]}: {error.strerror}") from error

    def _finish(self, process: subprocess.Popen[bytes], written: Sequence[IO[bytes]], mark: str) -> int:
        """Its exit status; killed when it takes too long, writes too much, or when we are interrupted."""
        end = time.monotonic() + self.seconds
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(max(min(_LOOK, end - time.monotonic()), 0.001))
                if time.monotonic() >= end:
                    raise Transient(f"{self.arguments[0]!r} was killed after {self.seconds:.3g} s")
                if sum(os.fstat(file.fileno()).st_size for file in written) > MOST_OUTPUT:
                    raise Permanent(f"{self.arguments[0]!r} was killed: it had written over {MOST_OUTPUT >> 20} MiB")
        finally:
            if process.poll() is None:
                kill(process, mark)


def kill(process: subprocess.Popen[bytes], mark: str) -> None:
    """The process with its group, then whatever it started that has left the group but not its environment."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for _ in range(10):  # what is found may have started another meanwhile
        left = list(_marked(mark))
        if not left:
            return
        for number in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)


def _marked(mark: str) -> Iterator[int]:
    """Processes with this mark in their environment, where the system tells (Linux)."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if wanted in entry.read_bytes().split(b"\0"):
                yield int(entry.parent.name)
