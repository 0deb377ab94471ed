"""Accounts that actions put messages into: whether they are there, and can take any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from mailrules.config.document import Place
from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion
from mailrules.config.settings import Account


def check_targets(
    targets: Iterable[tuple[str, Place]], accounts: Mapping[str, Account], known: Collection[str], findings: Findings
) -> None:
    """Tell of each account named by an action that is not there, or that nothing can be put into.

    Args:
        targets: names of accounts, each with where it is written.
        accounts: those that are right; one that is not has its diagnostics already.
        known: the names of all that are written.
        findings: where to tell.
    """
    for name, place in targets:
        if name not in known:
            message = f"an action puts messages into the account '{name}', which is not there"
            findings.add(place, "unknown-account", message, suggestion(name, known, what="accounts"))
        elif name in accounts and (receive := accounts[name].receive) is None:
            message = f"nothing can be put into account '{name}': it only sends"
            findings.add(place, "cannot-append", message, "add 'receive:' to it, or name another account")
        elif name in accounts and receive and receive[0].item.append is None:
            message = f"nothing can be put into account '{name}': {receive[0].item.name} cannot do that"
            findings.add(place, "cannot-append", message, "name an account of imap, maildir, mbox or eml")
