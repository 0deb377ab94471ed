"""Taking up the files anew while listening: on SIGHUP, and when they change. Wrong ones leave all as it is."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from mailrules.cli.terminal import plural
from mailrules.cli.workspace import STATE
from mailrules.config.diagnostic import Diagnostic
from mailrules.config.load import load_workspace
from mailrules.config.report import summary
from mailrules.config.settings import Listener, Workspace
from mailrules.store.lock import holder

POLL = 1.0
"""Seconds between looks at the files; what has changed is read when it stands still from one look to the next."""
PATIENCE = 5.0
"""Seconds for which the end waits while files are read: a script may take for ever to load."""
TICK = 20_000_000
"""Nanoseconds by which a file's time of change may be behind the clock."""
SHOWN = 5
"""Errors that are told; `mailrules check` tells all."""

WAKE = "wake"
"""A file beside the lock: touched, it asks as SIGHUP does."""

Look = Mapping[Path, tuple[int, int, int] | None]
"""How files stood: inode, time of change and size; None of one that is not there."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process listens to: the files as they were read, and which listeners it was asked for."""

    workspace: Workspace
    files: frozenset[str]
    """What `mailrules.config.load.Loaded` says of them."""
    taken_up: datetime
    """When reading them began, local time."""
    names: tuple[str, ...] = ()
    """The listeners named on the command line; none is all."""

    @property
    def listeners(self) -> list[Listener]:
        """Those to listen to; one that was asked for and is not there any more is left out."""
        there = self.workspace.listeners
        if self.names:
            return [there[name] for name in self.names if name in there]
        return [listener for listener in there.values() if listener.listen]


class Reloading:
    """While it is entered, the files are watched, and SIGHUP asks to read them whether or not they have changed.

    *take_up* is called with what has been read, in a thread of its own; *begun* and *over* with what is to be said,
    around each try. A SIGHUP that comes because the terminal is gone ends the process, as elsewhere.
    """

    def __init__(
        self,
        setup: Setup,
        take_up: Callable[[Setup], None],
        *,
        begun: Callable[[], None],
        over: Callable[[str], None],
    ) -> None:
        self.setup = setup
        self._take_up, self._begun, self._over = take_up, begun, over
        self._files = setup.files
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, name="files", daemon=True)
        self._attached = os.isatty(2)
        self._before: Any = None
        self._taken = self._read_as({})

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGHUP, self._signalled)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked.put(False)
        self._thread.join(PATIENCE)
        signal.signal(signal.SIGHUP, self._before)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        if self._attached and not os.isatty(2):
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self._asked.put(True)

    def _follow(self) -> None:
        before = self._taken
        while (asked := self._wait()) is not False:
            now = self._look()
            if asked or (now != self._taken and now == before):
                self._try()
                now = self._taken = self._read_as(now)
            before = now

    def _wait(self) -> bool | None:
        """True when asked to read, False when it is over, None after a while."""
        try:
            return self._asked.get(timeout=POLL)
        except queue.Empty:
            return None

    def _look(self) -> Look:
        root = self.setup.workspace.root
        plugins = (root / "plugins").glob("*.py")
        written = (root / name for name in self._files)
        return {path: _mark(path) for path in (*written, *plugins, root / STATE / WAKE)}

    def _read_as(self, before: Look) -> Look:
        """How files stood when they were read, by a look from *before*; one written since is read once more."""
        since = self.setup.taken_up.timestamp() * 1e9 - TICK
        fresh = {path: None if mark and mark[1] >= since else mark for path, mark in self._look().items()}
        plugins = self.setup.workspace.root / "plugins"  # one may be gone again since it was read
        return fresh | {path: mark for path, mark in before.items() if path in fresh or path.parent == plugins}

    def _try(self) -> None:
        self._begun()
        try:
            said = self._read()
        except BaseException:  # a plugin may raise anything, and this thread must not end by it
            said = "the files could not be read; all goes on as before"
            logging.getLogger("mailrules").exception("%s", said)
        self._over(said)

    def _read(self) -> str:
        """Read, and take up what is right; gives what there is to say of it."""
        began = datetime.now().astimezone()
        loaded = load_workspace(self.setup.workspace.root)
        if loaded.workspace is None:
            self._files |= loaded.files
            return self._refused(summary(loaded.diagnostics), loaded.diagnostics)
        self._files = loaded.files
        setup = Setup(loaded.workspace, loaded.files, began, self.setup.names)
        if not setup.listeners:
            return self._refused("no listener that listens")
        before, self.setup = self.setup, setup
        self._take_up(setup)
        return _told(before, setup, loaded.diagnostics)

    def _refused(self, why: str, diagnostics: Sequence[Diagnostic] = ()) -> str:
        log = logging.getLogger("mailrules")
        causes = [found for found in diagnostics if found.word == "broken-plugin"]  # the errors may be all its doing
        for found in (causes + [found for found in diagnostics if found.severity == "error"])[:SHOWN]:
            log.error("%s", found)
        said = f"the files have {why} and are not taken up; those of {self.setup.taken_up:%Y-%m-%d %H:%M:%S} go on"
        log.error("%s", said)
        return said


def _told(before: Setup, now: Setup, warnings: Sequence[Diagnostic]) -> str:
    log = logging.getLogger("mailrules")
    for found in warnings[:SHOWN]:
        log.warning("%s", found)
    if now.workspace.journal != before.workspace.journal:
        log.warning("another journal is taken up by a new start only")
    old, new = ([listener.name for listener in setup.listeners] for setup in (before, now))
    changes = {"new": [name for name in new if name not in old], "gone": [name for name in old if name not in new]}
    noted = "".join(f"; {word}: {', '.join(names)}" for word, names in changes.items() if names)
    log.info("the files have been taken up: %s%s", plural(len(new), "listener"), noted)
    return f"listening: {plural(len(new), 'listener')}"


def wake(root: Path) -> None:
    """Have a process that listens in the workspace at *root* try at once what waits for a person."""
    if holder(root / STATE / "lock") is not None:
        (root / STATE / WAKE).touch()


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
