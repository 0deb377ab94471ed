"""Steps held to their deadline: each runs in a thread that is left behind when it does not end."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from mailrules.model.action import Transient

T = TypeVar("T")

GRACE = 5.0
"""Seconds beyond its deadline in which a step may still say itself that it is out of time."""
_PYTHON = threading.__file__.rpartition("/")[0]
MOST_LEFT = 16
"""Threads that may be left behind at a time; with so many nothing new is begun."""


class Overrun(Exception):  # noqa: N818 - what happened, as its siblings in `model.action` are named
    """A step did not end; `str()` says since when and where it hangs."""


class StepThreads:
    """Threads for steps, used again and again; as many as there are passes at a time, and those left behind."""

    def __init__(self, *, grace: float = GRACE, most_left: int = MOST_LEFT) -> None:
        self._grace = grace
        self._most_left = most_left
        self._idle: list[_Worker] = []
        self._left: dict[_Worker, str] = {}
        self._turn = threading.Lock()

    def run(self, call: Callable[[], T], *, seconds: float, what: str, log: logging.Logger) -> T:
        """What *call* gives, or raises, if it ends within *seconds* and a little grace.

        *what* names it in the log.

        Raises:
            Overrun: it did not end, and goes on or hangs where nobody waits for it.
            Transient: it was not begun, as too many hang already.
        """
        self._check_left(log)
        worker = self._take()
        worker.jobs.put(call)
        try:
            given, error = worker.answers.get(timeout=seconds + self._grace)
        except queue.Empty:
            left = worker.leave(lambda ended: self._ended(worker, ended, log))
            if left is None:
                raise Overrun(self._leave(worker, seconds, what, log)) from None
            given, error = left
        except BaseException:  # Ctrl-C: nobody waits for this thread any more
            worker.leave(lambda _ended: None)
            raise
        self._idle.append(worker)
        if error is not None:
            raise error
        return given  # type: ignore[no-any-return] # a queue holds what *call* gave

    def _take(self) -> _Worker:
        while True:
            try:
                worker = self._idle.pop()
            except IndexError:
                return _Worker()
            if worker.is_alive():  # a fork leaves the threads behind
                return worker

    def _check_left(self, log: logging.Logger) -> None:
        if not self._left:
            return
        with self._turn:
            self._left = {worker: what for worker, what in self._left.items() if worker.is_alive()}
            left = [*self._left.values()]
        if len(left) >= self._most_left:
            names = ", ".join(sorted(set(left)))
            reason = f"{len(left)} steps hang and none is begun until some end or mailrules is restarted: {names}"
            log.error("%s", reason)
            raise Transient(reason)

    def _leave(self, worker: _Worker, seconds: float, what: str, log: logging.Logger) -> str:
        with self._turn:
            self._left[worker] = what
        reason = f"it did not end within {seconds:g} s{_place(worker)}"
        log.error("step '%s': %s; it is left behind, one of %d that hang", what, reason, len(self._left))
        return reason

    def _ended(self, worker: _Worker, error: BaseException | None, log: logging.Logger) -> None:
        came_to = f"failed: {error}" if error else "came to its end"
        log.warning("step '%s' that was left behind %s", self._left.get(worker, ""), came_to)


class _Worker(threading.Thread):
    """Runs what it is given, one after the other, until it is left behind."""

    def __init__(self) -> None:
        super().__init__(name="mailrules step", daemon=True)
        self.jobs: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._told: Callable[[BaseException | None], None] | None = None
        self.start()

    def leave(self, told: Callable[[BaseException | None], None]) -> tuple[Any, BaseException | None] | None:
        """Wait no longer: *told* hears of its end, if there is one; gives the answer that came at the last moment."""
        with self._turn:
            if not self.answers.empty():
                return self.answers.get()
            self._told = told
            return None

    def run(self) -> None:
        """See `threading.Thread`."""
        while self._answer(*_outcome(self.jobs.get())):
            pass

    def _answer(self, given: Any, error: BaseException | None) -> bool:
        """Whether somebody still waits for it."""
        with self._turn:
            if self._told is None:
                self.answers.put((given, error))
                return True
        self._told(error)
        return False


def _outcome(job: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return job(), None
    except BaseException as error:  # it is raised again where the answer is awaited
        return None, error


def _place(worker: threading.Thread) -> str:
    """Where in the program a thread is, Python's own library apart, for whoever looks for the reason."""
    frame = sys._current_frames().get(worker.ident or 0)  # noqa: SLF001 - documented, the underscore is a warning
    while frame is not None and frame.f_back is not None and _is_python(frame.f_code.co_filename):
        frame = frame.f_back
    return f" (in {frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno})" if frame is not None else ""


def _is_python(file: str) -> bool:
    return file.startswith(_PYTHON) and "site-packages" not in file
