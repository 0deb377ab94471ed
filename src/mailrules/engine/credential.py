"""What an account shows its servers, renewed where they refuse it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from mailrules.api import Auth, NoCredential, Place, Refused, RenewableAuth
from mailrules.config.settings import Account

T = TypeVar("T")


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
