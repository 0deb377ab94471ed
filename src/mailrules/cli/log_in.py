"""The accounts' ways to log in, whatever else is wrong in the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from mailrules.api import (
    Auth,
    LogInState,
    PasswordCredential,
    Permanent,
    Place,
    RenewableAuth,
    TokenCredential,
    Transient,
)
from mailrules.api.options import redact
from mailrules.cli.findings import print_findings
from mailrules.cli.workspace import existing_root
from mailrules.config.load import load_accounts
from mailrules.config.settings import Account
from mailrules.engine.credential import auth_of


def auth_named(name: str) -> tuple[str, Auth | None]:
    """The name of an account's way to log in, and the way itself.

    Raises:
        click.UsageError: there is no such account.
        click.exceptions.Exit: it is wrong, which has been printed.
    """
    account = _accounts([name])[name]
    return _way(account), auth_of(account, Place(existing_root().absolute()))


def states(names: Sequence[str]) -> Mapping[str, tuple[str, LogInState]]:
    """(way, what it has) of those accounts, of all when none is named; raises as `auth_named`."""
    place = Place(existing_root().absolute())
    return {name: (_way(account), _state(account, place)) for name, account in _accounts(names).items()}


def account_named(name: str) -> Account:
    """The account; raises as `auth_named`."""
    return _accounts([name])[name]


def token_state(account: Account, root: Path) -> LogInState | None:
    """What an account that logs in by tokens has; None for any other."""
    auth = auth_of(account, Place(root))
    return auth.state() if isinstance(auth, RenewableAuth) else None


def _accounts(names: Sequence[str]) -> Mapping[str, Account]:
    accounts, written, diagnostics = load_accounts(existing_root())
    unknown = [name for name in names if name not in written]
    if unknown and (written or not diagnostics):
        raise click.UsageError(f"no account named '{unknown[0]}' (there are: {', '.join(written) or 'none'})")
    wanted = list(names) or written
    unread = not written and any(one.severity == "error" for one in diagnostics)
    if unread or not accounts.keys() >= set(wanted):
        print_findings(diagnostics)
        raise click.exceptions.Exit(1)
    return {name: accounts[name] for name in wanted}


def _way(account: Account) -> str:
    return account.auth[0].item.name if account.auth else "none"


def _state(account: Account, place: Place) -> LogInState:
    auth = auth_of(account, place)
    if isinstance(auth, RenewableAuth):
        return auth.state()
    login = str(getattr(account.auth[1], "login", "")) if account.auth else ""
    try:
        shown = auth.credential() if auth else None
        if isinstance(shown, PasswordCredential):
            shown.password.reveal()
        elif isinstance(shown, TokenCredential):
            shown.token.reveal()
    except (Transient, Permanent) as error:
        return LogInState(login, reason=redact(str(error)), remedy=getattr(error, "remedy", ""))
    return LogInState(login)
