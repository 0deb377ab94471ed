"""The real edges that an action's context gives it: files and sending."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any, TypeVar

from mailrules.api import Auth, NoCredential, Place, Refused, RenewableAuth
from mailrules.api.options import redact
from mailrules.builtin.local.durable import sync_folders, write_synced
from mailrules.config.settings import Account, Listener, Workspace
from mailrules.engine.http import DeadlineHttp
from mailrules.engine.world import system_clock
from mailrules.model.action import Context, Permanent, Transient

T = TypeVar("T")

STEP_SECONDS = 60.0
"""How long a step may take."""


@dataclass(frozen=True, slots=True)
class WorkspaceFiles:
    """Files under one root, written whole or not at all, never over another; on the disk when `save` returns."""

    root: Path

    def save(self, path: str, content: bytes) -> Path:
        """See `mailrules.api.Files`. The same content under the same name is one file: saving twice is saving once."""
        target = (self.root / path).resolve()
        if not target.is_relative_to(self.root.resolve()) or target == self.root.resolve():
            raise Permanent(f"{path!r} is outside of the folder for files")
        try:
            return self._write(target, content).relative_to(self.root.resolve())
        except OSError as error:
            raise Transient(f"cannot write {target.name}: {error.strerror or error}") from error

    def _write(self, target: Path, content: bytes) -> Path:
        missing = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        saved = _named(target, content)
        # Every folder below the root, as a try before this one may have been cut off between making and syncing.
        below = [folder for folder in target.parents if folder.is_relative_to(self.root.resolve())]
        sync_folders({*below, *(folder.parent for folder in missing)})
        return saved


NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
"""What file systems without hard links say: FAT, some network shares."""


def _named(target: Path, content: bytes) -> Path:
    """The file under its name, or the next free number."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".saving-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        for number in range(1, 10_000):
            name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
            if _give(Path(temporary), name, content) or _holds(name, content):
                return name
    finally:
        Path(temporary).unlink(missing_ok=True)
    raise Permanent(f"10,000 files are named like {target.name}")


def _give(temporary: Path, name: Path, content: bytes) -> bool:
    """Give the file its name, unless that is taken; linking, unlike renaming, never replaces another."""
    try:
        os.link(temporary, name)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _create(name, content)
    return True


def _create(name: Path, content: bytes) -> bool:
    """Write the file under its name, unless that is taken, where no link can be made: whole, or it is removed."""
    try:
        write_synced(name, [content])
    except FileExistsError:
        return False
    return True


def _holds(name: Path, content: bytes) -> bool:
    """Whether the file is there with this content, which then is on the disk too."""
    if not name.is_file() or name.stat().st_size != len(content):
        return False
    with name.open("rb") as file:
        os.fsync(file.fileno())
        return file.read() == content


def auth_of(account: Account, place: Place) -> Auth | None:
    """The account's way to log in; None when there is nothing to log in with."""
    if account.auth is None:
        return None
    provided, options = account.auth
    auth: Auth = provided.item.build(options, replace(place, account=account.name))
    return auth


def with_credential(account: Account, place: Place, use: Callable[[Any], T]) -> T:
    """What *use* gives when it is handed what the account shows its servers now.

    A credential that a server refuses is renewed, where its log-in can do that, and handed over once more.

    Raises:
        Transient: the log-in or *use* failed, and may not later.
        PersonNeeded: somebody must act first.
    """
    auth = auth_of(account, place)
    if auth is None:
        return use(NoCredential())
    shown = auth.credential()
    try:
        return use(shown)
    except Refused:
        renewed = auth.renewed(shown) if isinstance(auth, RenewableAuth) else None
        if renewed is None:
            raise
    return use(renewed)


@dataclass(frozen=True, slots=True)
class AccountSender:
    """Sends as one account, a connection a mail."""

    account: Account
    workspace: Path

    def __call__(self, mail: EmailMessage, *, recipients: Sequence[str] = ()) -> str:
        """See `mailrules.api.Sender`."""
        if self.account.send is None:
            raise Permanent(f"account '{self.account.name}' has no `send:`")
        sender = self.account.sender.address if self.account.sender else _addresses(mail, "From")[0]
        to = list(recipients) or list(dict.fromkeys(_addresses(mail, "To", "Cc", "Bcc")))
        if not to:
            raise Permanent("nobody to send to")
        del mail["Bcc"]
        provided, options = self.account.send
        place = Place(self.workspace)

        def send(shown: Any) -> str:
            with closing(provided.item.open(options, shown, place)) as opened:
                return opened.send(mail, sender, to)

        unasked = provided.item.accepts == {NoCredential}
        return send(NoCredential()) if unasked else with_credential(self.account, place, send)


def _addresses(mail: EmailMessage, *names: str) -> list[str]:
    values = [str(value) for name in names for value in mail.get_all(name, [])]
    return [address for _, address in getaddresses(values) if address]


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


def live_context(workspace: Workspace) -> Callable[[Listener, str], Context]:
    """Contexts for a live run: (listener, idempotency key) -> all that one step may touch."""

    def context(listener: Listener, key: str) -> Context:
        return Context(
            idempotency_key=key,
            deadline=system_clock() + timedelta(seconds=STEP_SECONDS),
            http=DeadlineHttp(STEP_SECONDS),
            files=WorkspaceFiles(workspace.files),
            log=StruckLog(listener.name),
            send=AccountSender(listener.account, workspace.root),
        )

    return context
