"""The workspace that a command works on: loaded and checked, or the diagnostics that say why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from mailrules.cli.invocation import workspace_root
from mailrules.config.load import MAIN, load_rules, load_workspace
from mailrules.config.settings import Account, Listener, Workspace

if TYPE_CHECKING:
    from mailrules.config.diagnostic import Diagnostic
    from mailrules.model.journal import Journal
    from mailrules.registry import Registry
    from mailrules.store.lock import WorkspaceLock

T = TypeVar("T")

STATE = ".mailrules"
"""The folder of what mailrules keeps for itself, under the workspace."""


def load(*, quiet: bool = False) -> Workspace:
    """The workspace of the command line, checked; *quiet* leaves warnings untold.

    Raises:
        click.UsageError: there is none here.
        click.exceptions.Exit: its files have errors, which have been printed (exit code 1).
    """
    return load_with_files(quiet=quiet)[0]


def load_with_files(*, quiet: bool = False) -> tuple[Workspace, frozenset[str]]:
    """The same, with the names of the files that it depends on."""
    loaded = load_workspace(existing_root())
    told = () if quiet and loaded.workspace else loaded.diagnostics
    return _unless_wrong(loaded.workspace, told), loaded.files


def existing_root() -> Path:
    """The workspace's folder.

    Raises:
        click.UsageError: it holds no mailrules.yaml.
    """
    root = workspace_root()
    if not (root / MAIN).is_file():
        where = "here" if root == Path() else f"in {root}"
        raise click.UsageError(f"no {MAIN} {where}: name a workspace by --workspace, or make one by `mailrules init`")
    return root


def _unless_wrong(built: T | None, diagnostics: Sequence[Diagnostic]) -> T:
    if diagnostics:
        from mailrules.cli.findings import print_findings

        print_findings(diagnostics)
    if built is None:
        raise click.exceptions.Exit(1)
    return built


def rules_listener(path: Path, registry: Registry | None = None) -> Listener:
    """A listener of no mailbox, with the rules of one file.

    Raises:
        click.exceptions.Exit: the file has errors, which have been printed (exit code 1).
    """
    ruleset, diagnostics = load_rules(path, registry=registry)
    return Listener(str(path), Account("messages"), _unless_wrong(ruleset, diagnostics))


def chosen_listeners(workspace: Workspace, names: Sequence[str]) -> list[Listener]:
    """The listeners of those names, or all, whether they listen or not.

    Raises:
        click.UsageError: a name is not there.
    """
    return [_named(workspace, name) for name in dict.fromkeys(names or workspace.listeners)]


def active_listeners(workspace: Workspace, names: Sequence[str]) -> list[Listener]:
    """The listeners of those names; all that listen when none is named.

    Raises:
        click.UsageError: a name is not there, or nothing listens.
    """
    if names:
        return [_named(workspace, name) for name in dict.fromkeys(names)]
    listening = [listener for listener in workspace.listeners.values() if listener.listen]
    if not listening:
        raise click.UsageError(f"no listener in {MAIN} listens: write one under `listeners:`")
    return listening


def one_listener(workspace: Workspace, names: Sequence[str]) -> Listener:
    """The one listener named, or the only one there is.

    Raises:
        click.UsageError: it is not clear which one.
    """
    candidates = list(names) or list(workspace.listeners)
    if len(candidates) != 1:
        there = ", ".join(workspace.listeners) or "none"
        raise click.UsageError(f"say by which one listener's rules to decide (there are: {there}), or add --rules FILE")
    return _named(workspace, candidates[0])


def _named(workspace: Workspace, name: str) -> Listener:
    if name not in workspace.listeners:
        there = ", ".join(workspace.listeners) or "none"
        raise click.UsageError(f"no listener named '{name}' (there are: {there})")
    return workspace.listeners[name]


def journal_of(workspace: Workspace, *, readonly: bool = False) -> Journal:
    """The workspace's journal, open.

    Raises:
        JournalError: it cannot be opened.
    """
    from mailrules.store.sql import open_journal

    return open_journal(workspace.journal, readonly=readonly)


def lock_of(workspace: Workspace, name: str = "lock") -> WorkspaceLock:
    """The lock by which one process at a time handles this workspace's mail (or does what *name* says)."""
    from mailrules.store.lock import WorkspaceLock

    return WorkspaceLock(workspace.root / STATE / name)
