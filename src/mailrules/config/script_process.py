"""A rule's script in a process of its own, which is asked again and again and killed when it does not answer."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import uuid
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailrules.builtin.action.child import MARK, kill

SECONDS = 30.0
"""How long a script may think about one message."""
MEMORY = 2 << 30
"""Octets that it may take."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value of another process, of which only what it looks like is here."""

    text: str

    def __repr__(self) -> str:
        """As it looks there."""
        return self.text


class ScriptError(Exception):
    """What the script raised; looks as it does there."""

    def __repr__(self) -> str:
        """As it looks there."""
        return str(self)


class ScriptProcess:
    """Calls `decide` of a script elsewhere; one message at a time, in whatever thread.

    The process is started with the first message and keeps what the script keeps, until it is killed.
    """

    def __init__(self, path: Path, text: str, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._path, self._text, self._seconds, self._memory = path, text, seconds, memory
        self._turn = threading.Lock()
        self._running: _Running | None = None

    def __call__(self, message: Any) -> Any:
        """What the script answers.

        Raises:
            ScriptError: what the script raised.
            TimeoutError: it did not answer in time.
            ChildProcessError: it ended without an answer.
        """
        asked = pickle.dumps(message)
        with self._turn:
            running = self._running = self._running or self._start()
            try:
                answer = running.ask(asked, self._seconds)
            except BaseException as error:
                self._running = None
                running.end()
                raise self._told(error) from None
        if "raised" in answer:
            raise ScriptError(answer["raised"])
        return answer["answer"] if "answer" in answer else Shown(answer["shown"])

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, TimeoutError):
            return TimeoutError(f"no answer within {self._seconds:g} s")
        if isinstance(error, OSError | ValueError):
            return ChildProcessError("its process ended without an answer")
        return error

    def _start(self) -> _Running:
        here, there = socket.socketpair()
        mark = uuid.uuid4().hex
        path = os.pathsep.join(folder for folder in sys.path if folder)
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", MARK: mark}
        worker = ("-P", "-m", "mailrules.config.script_worker", str(there.fileno()), str(self._memory), str(self._path))
        with there:
            process = subprocess.Popen(  # noqa: S603 - our own program
                (sys.executable, *worker),
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=(there.fileno(),),
                start_new_session=True,
            )
        running = _Running(process, here, mark)
        weakref.finalize(self, running.end)
        here.settimeout(self._seconds)
        here.sendall(pickle.dumps(self._text))
        return running


class _Running:
    """The process, and the line to it."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket, mark: str) -> None:
        self._process, self._line, self._mark = process, line, mark
        self._answers = line.makefile("rb")

    def ask(self, asked: bytes, seconds: float) -> dict[str, Any]:
        """Its answer to one message."""
        self._line.settimeout(seconds)
        self._line.sendall(asked)
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def end(self) -> None:
        """Kill it, with all that it started. Never raises."""
        with suppress(OSError):
            self._answers.close()
            self._line.close()
        if self._process.poll() is None:
            kill(self._process, self._mark)
