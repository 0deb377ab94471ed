"""What a shell may complete: names from the workspace, numbers from the journal. Never fails, never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

import click
from click.shell_completion import CompletionItem

from mailrules.cli.invocation import workspace_root
from mailrules.cli.terminal import safe

if TYPE_CHECKING:
    from mailrules.config.settings import Workspace
    from mailrules.model.entry import Entry, State

Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Found: TypeAlias = Iterable[tuple[str, str]]
"""(what may be written, what it is)."""


def _completer(find: Callable[[click.Context], Found]) -> Completer:
    """Offers those of what *find* gives that go on as was begun; a shell is no place for error messages."""

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            found = list(find(ctx))
        except Exception:
            return []
        return [CompletionItem(word, help=safe(about)) for word, about in found if word.startswith(incomplete)]

    return complete


def _workspace(ctx: click.Context) -> Workspace | None:
    from mailrules.config.load import load_workspace

    return load_workspace(workspace_root(ctx)).workspace


def _listeners(ctx: click.Context) -> Found:
    workspace = _workspace(ctx)
    return (
        [(name, f"{one.account.name} {one.folder}") for name, one in workspace.listeners.items()] if workspace else ()
    )


def _accounts(ctx: click.Context) -> Found:
    from mailrules.config.load import load_accounts

    accounts, _, _ = load_accounts(workspace_root(ctx))
    return [(name, account.description) for name, account in accounts.items()]


def _rules(ctx: click.Context) -> Found:
    workspace = _workspace(ctx)
    listeners = workspace.listeners.values() if workspace else ()
    return {rule.name: str(rule.span) for listener in listeners for rule in listener.rules.rules}.items()


def _plugins(ctx: click.Context) -> Found:
    from mailrules.registry import load_registry

    registry = load_registry(workspace_root(ctx))
    for table in (registry.receive, registry.send, registry.auth, registry.actions, registry.unpackers):
        yield from ((name, provided.item.summary) for name, provided in table.items())


def _entries(ctx: click.Context, *states: State) -> list[Entry]:
    from mailrules.config.load import load_journal_address
    from mailrules.model.journal import Query
    from mailrules.store.sql import open_journal

    with closing(open_journal(load_journal_address(workspace_root(ctx)), readonly=True)) as journal:
        return journal.find(Query(states=frozenset(states)))


def _numbers(ctx: click.Context) -> Found:
    return [(str(entry.id), entry.subject) for entry in _entries(ctx)]


def _parked(ctx: click.Context) -> Found:
    from mailrules.model.entry import State

    return [(str(entry.id), entry.reason) for entry in _entries(ctx, State.PARKED, State.RETRY)]


account_names = _completer(_accounts)
listener_names = _completer(_listeners)
rule_names = _completer(_rules)
plugin_names = _completer(_plugins)
entry_numbers = _completer(_numbers)
parked_numbers = _completer(_parked)
