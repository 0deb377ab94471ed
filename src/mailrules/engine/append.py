"""Messages put into folders of the workspace's accounts: the edge that an action's context gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrules.api import NewMessage, Permanent, Place, Ref
from mailrules.config.settings import Account, Workspace
from mailrules.engine.credential import with_credential


@dataclass(frozen=True, slots=True)
class AccountAppender:
    """Puts messages into any account of the workspace, a connection a message."""

    workspace: Workspace
    own: Account
    """The account that is meant where none is named."""

    def __call__(
        self, account: str, folder: str, raw: bytes, *, flags: Sequence[str] = (), received: datetime | None = None
    ) -> Ref:
        """See `mailrules.api.Appender`."""
        target = self.workspace.accounts.get(account) if account else self.own
        if target is None:
            raise Permanent(f"there is no account '{account}'")
        if target.receive is None:
            raise Permanent(f"account '{target.name}' has no `receive:`, so it has no folders")
        provided, options = target.receive
        append = provided.item.append
        if append is None:
            raise Permanent(f"nothing can be put into account '{target.name}': {provided.item.name} cannot do that")
        must_exist = (folder,) if target.missing_folder == "fail" else ()
        place = Place(self.workspace.root, folder, account=target.name, must_exist=must_exist)
        new = NewMessage(raw, tuple(flags), received)
        return with_credential(target, place, lambda shown: append(options, shown, place, new))
