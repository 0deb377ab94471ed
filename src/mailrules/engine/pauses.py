"""Accounts that a server has asked to leave alone for a while: all that would ask something of them waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from mailrules.engine.perform import Attempt
from mailrules.model.action import Appender, Context, Sender, Transient
from mailrules.model.mailbox import Ref

LONGEST = 86_400.0
"""Seconds: no server is left alone for longer, whatever it asks."""


class Pauses:
    """Until when each account is left alone. Used by many threads."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def ask(self, account: str, seconds: float) -> None:
        """Leave the account alone for so long, or for as long as was asked before."""
        until = time.monotonic() + min(seconds, LONGEST)
        with self._lock:
            self._until[account] = max(until, self._until.get(account, 0.0))

    def left(self, account: str) -> float:
        """Seconds for which it is still left alone."""
        return max(0.0, self._until.get(account, 0.0) - time.monotonic())

    @contextmanager
    def obeyed(self, account: str) -> Iterator[None]:
        """Around all that asks something of the account's servers; what they ask in a `Transient` counts from then on.

        Raises:
            Transient: the account is to be left alone; `after` says for how long. Nothing was asked of its servers.
        """
        if (left := self.left(account)) > 0:
            until = datetime.now().astimezone() + timedelta(seconds=left)
            raise Transient(
                f"account '{account}' is left alone until {until:%Y-%m-%d %H:%M:%S}, as its server asked", after=left
            )
        try:
            yield
        except Transient as error:
            if error.after is not None and error.after > 0:
                self.ask(account, error.after)
            raise


@dataclass(frozen=True, slots=True)
class ObedientSender:
    """Sends as an account, unless that is left alone."""

    send: Sender
    account: str
    pauses: Pauses

    def __call__(self, mail: EmailMessage | bytes, **how: Any) -> str:
        """See `mailrules.api.Sender`."""
        with self.pauses.obeyed(self.account):
            return self.send(mail, **how)


@dataclass(frozen=True, slots=True)
class ObedientAppender:
    """Puts messages into accounts, unless they are left alone."""

    append: Appender
    own: str
    """The account that is meant where none is named."""
    pauses: Pauses

    def __call__(self, account: str, folder: str, raw: bytes, **how: Any) -> Ref:
        """See `mailrules.api.Appender`."""
        with self.pauses.obeyed(account or self.own):
            return self.append(account, folder, raw, **how)


def obeying(context: Callable[[Attempt], Context], pauses: Pauses) -> Callable[[Attempt], Context]:
    """The same contexts, in which nothing is sent as, or put into, an account that is left alone."""

    def obedient(attempt: Attempt) -> Context:
        made, own = context(attempt), attempt.listener.account.name
        append = ObedientAppender(made.append, own, pauses)
        return replace(made, send=ObedientSender(made.send, own, pauses), append=append)

    return obedient
