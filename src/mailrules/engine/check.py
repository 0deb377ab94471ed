"""Whether an account works, step by step: what its protocols check, run with what it logs in by."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mailrules.api import (
    Auth,
    Check,
    Credential,
    NoCredential,
    PasswordCredential,
    Permanent,
    PersonNeeded,
    Place,
    ReceiveProtocol,
    Refused,
    Remark,
    RenewableAuth,
    SendProtocol,
    TokenCredential,
    Transient,
)
from mailrules.api.check import LOG_IN
from mailrules.api.options import redact
from mailrules.config.settings import Account
from mailrules.engine.credential import auth_of
from mailrules.engine.perform import placed

Start: TypeAlias = Callable[[Credential], Iterator[Check]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one check."""

    part: str
    """`receiving by imap`, `sending by smtp`, ..."""
    name: str
    state: Literal["ok", "warning", "failed", "skipped"]
    said: str = ""
    remedy: str = ""
    refused: bool = False
    """Whether the server did not take the credential."""


def check_account(account: Account, folders: Sequence[str], root: Path) -> Iterator[Checked]:
    """Everything about an account that can be checked without changing anything, each as it is known.

    Args:
        account: the one to look at.
        folders: those that its listeners watch.
        root: the workspace's folder.
    """
    place = Place(root, account=account.name)
    log_in = _LogIn(account, place)
    yield from log_in.obtained()
    if account.receive:
        protocol, options = account.receive[0].item, account.receive[1]
        yield from log_in.run(f"receiving by {protocol.name}", receiving(protocol, options, place, folders))
    if account.send:
        sender, options = account.send[0].item, account.send[1]
        asks = sender.accepts != {NoCredential}
        yield from log_in.run(f"sending by {sender.name}", sending(sender, options, place), asks=asks)


def receiving(protocol: ReceiveProtocol, options: Any, place: Place, folders: Sequence[str]) -> Start:
    """The protocol's own checks, or each folder opened to be read."""
    own = protocol.checks
    if own is not None:
        return lambda shown: own(options, shown, place, folders)

    def opened(shown: Credential, folder: str) -> str:
        with closing(protocol.open(options, shown, replace(place, folder=folder, readonly=True))) as mailbox:
            count = len(mailbox.refs(unseen_only=False))
        return f"{count} message{'' if count == 1 else 's'}"

    def each(shown: Credential) -> Iterator[Check]:
        for folder in folders:
            yield Check(f"folder {folder}", partial(opened, shown, folder), needed=False)

    return each


def sending(protocol: SendProtocol, options: Any, place: Place) -> Start:
    """The protocol's own checks, or the way opened and closed."""
    own = protocol.checks
    if own is not None:
        return lambda shown: own(options, shown, place)

    def opened(shown: Credential) -> str:
        protocol.open(options, shown, place).close()
        return "it can be reached; nothing was sent"

    def each(shown: Credential) -> Iterator[Check]:
        yield Check("sending", lambda: opened(shown))

    return each


class _LogIn:
    """What an account logs in by, and checks run with it."""

    def __init__(self, account: Account, place: Place) -> None:
        self._account = account
        self._place = place
        self._auth: Auth | None = None
        self._shown: Credential | None = None if account.auth else NoCredential()
        """None when there is one to show, and it could not be had."""

    def obtained(self) -> Iterator[Checked]:
        """Whether there is something to log in with; nothing where nobody asks."""
        if self._account.auth:
            yield run_one("logging in", Check("credential", self._obtain))

    def _obtain(self) -> str:
        self._auth = auth_of(self._account, self._place)
        shown = self._auth.credential() if self._auth else NoCredential()
        if isinstance(shown, PasswordCredential):
            shown.password.reveal()
        elif isinstance(shown, TokenCredential):
            shown.token.reveal()
        self._shown = shown
        return f"by {self._account.auth[0].item.name}" if self._account.auth else ""

    def run(self, part: str, start: Start, *, asks: bool = True) -> Iterator[Checked]:
        """Each check with what became of it; what a refused credential is renewed to is tried once."""
        shown = self._shown if asks else NoCredential()
        told: set[str] = set()
        with closing(_checked(part, start, shown)) as results:
            for done in results:
                renewed = self._renewed(shown) if done.refused else None
                if renewed is not None:
                    break
                told.add(done.name)
                yield done
            else:
                return
        yield from (again for again in _checked(part, start, renewed) if again.name not in told)

    def _renewed(self, refused: Credential | None) -> Credential | None:
        try:
            return self._auth.renewed(refused) if refused and isinstance(self._auth, RenewableAuth) else None
        except (Transient, Permanent):
            return None  # the refusal itself is told


def _checked(part: str, start: Start, shown: Credential | None) -> Generator[Checked]:
    """Each check with what became of it; what needs one that failed is skipped."""
    going = True
    with ExitStack() as stack:
        checks = start(shown or NoCredential())
        stack.callback(getattr(checks, "close", int))
        for check in checks:
            going = going and not (shown is None and check.name == LOG_IN)
            done = run_one(part, check) if going else Checked(part, check.name, "skipped")
            yield done
            going = going and not (check.needed and done.state == "failed")


def run_one(part: str, check: Check) -> Checked:
    """One check with what became of it, secrets struck out."""
    try:
        found = check.run()
    except (Transient, Permanent) as error:
        remedy = error.remedy if isinstance(error, PersonNeeded) else ""
        refused = isinstance(error, Refused)
        return Checked(part, check.name, "failed", redact(str(error)), remedy, refused=refused)
    except (Exception, SystemExit) as error:
        return Checked(part, check.name, "failed", redact(placed(error)))
    if isinstance(found, Remark):
        return Checked(part, check.name, "warning", redact(found.said), found.remedy)
    return Checked(part, check.name, "ok", redact(found))
