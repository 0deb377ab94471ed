"""The journal of the command line's workspace, whatever is wrong in its files: it is needed most while they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailrules.cli.workspace import STATE, existing_root
from mailrules.config.files import Files
from mailrules.config.findings import Findings
from mailrules.config.load import MAIN, load_journal_address

if TYPE_CHECKING:
    from mailrules.model.journal import Journal
    from mailrules.store.lock import WorkspaceLock


def open_here(*, readonly: bool = True) -> Journal:
    """The journal that mailrules.yaml names; the one at the default place where that cannot be read.

    Raises:
        click.UsageError: there is no workspace here.
        JournalError: it cannot be opened.
    """
    from mailrules.store.sql import open_journal

    root = existing_root()
    if readonly and Files(root.absolute(), Findings()).read(MAIN) is None:
        click.echo(f"{MAIN} cannot be read (`mailrules check` says why): this is the journal's usual place", err=True)
    return open_journal(load_journal_address(root), readonly=readonly)


def lock_here(name: str) -> WorkspaceLock:
    """The lock by which one process at a time does what *name* says in this workspace.

    Raises:
        click.UsageError: there is no workspace here.
    """
    from mailrules.store.lock import WorkspaceLock

    return WorkspaceLock(existing_root().absolute() / STATE / name)
