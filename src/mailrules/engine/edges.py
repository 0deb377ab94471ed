"""The real edges that an action's context gives it: files and sending."""

from __future__ import annotations

import errno
import filecmp
import logging
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from mailrules.api.options import redact
from mailrules.builtin.local.durable import sync_folders, write_synced
from mailrules.config.settings import Workspace
from mailrules.engine.append import AccountAppender
from mailrules.engine.caps import Caps
from mailrules.engine.http import DeadlineHttp
from mailrules.engine.lines import Lines
from mailrules.engine.perform import Attempt
from mailrules.engine.sending import AccountSender, Errand
from mailrules.engine.world import system_clock
from mailrules.model.action import Context, Permanent, Transient
from mailrules.model.journal import Journal


@dataclass(frozen=True, slots=True)
class WorkspaceFiles:
    """Files under one root, written whole or not at all, never over another; on the disk when `save` returns."""

    root: Path

    def save(self, path: str, content: bytes | Iterable[bytes]) -> Path:
        """See `mailrules.api.Files`. The same content under the same name is one file: saving twice is saving once."""
        target = (self.root / path).resolve()
        if not target.is_relative_to(self.root.resolve()) or target == self.root.resolve():
            raise Permanent(f"{path!r} is outside of the folder for files")
        try:
            pieces = [content] if isinstance(content, bytes) else content
            return self._write(target, pieces).relative_to(self.root.resolve())
        except OSError as error:
            raise Transient(f"cannot write {target.name}: {error.strerror or error}") from error

    def _write(self, target: Path, pieces: Iterable[bytes]) -> Path:
        missing = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        saved = _named(target, pieces)
        # Every folder below the root, as a try before this one may have been cut off between making and syncing.
        below = [folder for folder in target.parents if folder.is_relative_to(self.root.resolve())]
        sync_folders({*below, *(folder.parent for folder in missing)})
        return saved


NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
"""What file systems without hard links say: FAT, some network shares."""


def _named(target: Path, pieces: Iterable[bytes]) -> Path:
    """The file under its name, or the next free number."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".saving-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        for number in range(1, 10_000):
            name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
            if _give(Path(temporary), name) or _holds(name, Path(temporary)):
                return name
    finally:
        Path(temporary).unlink(missing_ok=True)
    raise Permanent(f"10,000 files are named like {target.name}")


def _give(temporary: Path, name: Path) -> bool:
    """Give the file its name, unless that is taken; linking, unlike renaming, never replaces another."""
    try:
        os.link(temporary, name)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _create(name, temporary)
    return True


def _create(name: Path, temporary: Path) -> bool:
    """Write the file under its name, unless that is taken, where no link can be made: whole, or it is removed."""
    try:
        with temporary.open("rb") as file:
            write_synced(name, iter(lambda: file.read(1 << 20), b""))
    except FileExistsError:
        return False
    return True


def _holds(name: Path, temporary: Path) -> bool:
    """Whether the file is there with the same content, which then is on the disk too."""
    if not name.is_file() or not filecmp.cmp(name, temporary, shallow=False):
        return False
    with name.open("rb") as file:
        os.fsync(file.fileno())
    return True


class StruckLog:
    """The operator's log, with secrets struck out."""

    def __init__(self, listener: str) -> None:
        self._log = logging.getLogger(f"mailrules.{listener}")

    def info(self, text: str, /) -> None:
        """See `mailrules.api.Log`."""
        self._log.info("%s", redact(text))

    def warning(self, text: str, /) -> None:
        """See `mailrules.api.Log`."""
        self._log.warning("%s", redact(text))


def live_context(workspace: Workspace, journal: Journal) -> Callable[[Attempt], Context]:
    """Contexts for a live run: all that one attempt may touch. *journal* counts what correspondents get."""
    lines, caps = Lines(), Caps(journal, system_clock)

    def context(attempt: Attempt) -> Context:
        listener, seconds = attempt.listener, attempt.step.timeout
        log, append = StruckLog(listener.name), AccountAppender(workspace, listener.account)
        capped = partial(caps.reserve, attempt)
        errand = Errand(message=attempt.message, append=append, log=log, capped=capped, progress=attempt.progress)
        return Context(
            idempotency_key=attempt.key,
            deadline=system_clock() + timedelta(seconds=seconds),
            http=DeadlineHttp(seconds, workspace.root),
            files=WorkspaceFiles(workspace.files),
            log=log,
            send=AccountSender(listener.account, workspace.root, errand, lines),
            append=append,
            progress=attempt.progress,
        )

    return context
