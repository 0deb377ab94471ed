"""`mailrules plugins` and `mailrules plugins show`: what can be named in the files, and who gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from mailrules.cli.complete import plugin_names
from mailrules.cli.invocation import common_options, json_option, workspace_root
from mailrules.cli.terminal import console, new_table, print_json, show

if TYPE_CHECKING:
    from mailrules.registry import Provided, Registry


@click.command(name="show", short_help="Show what a plugin's thing takes.")
@click.argument("name", shell_complete=plugin_names)
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, name: str, *, as_json: bool) -> int:
    """Show what NAME is, who gives it, and its options. `mailrules plugins NAME` is the same."""
    from mailrules.registry import load_registry

    registry = load_registry(workspace_root())
    found = [(kind, provided) for kind, provided in _everything(registry) if provided.item.name == name]
    if not found:
        raise click.UsageError(f"no plugin gives anything named '{name}'{_near(name, registry)}")
    if as_json or (ctx.parent and ctx.parent.params.get("as_json")):
        print_json(_as_json(registry, found, options=True))
    else:
        _print_options(found)
    return 0


def list_all(*, as_json: bool) -> int:
    """Everything that can be named, and what is broken; gives the exit code."""
    from mailrules.registry import load_registry

    registry = load_registry(workspace_root())
    found = list(_everything(registry))
    if as_json:
        print_json(_as_json(registry, found, options=False))
    else:
        _print_list(registry, found)
    return 1 if registry.broken else 0


def _everything(registry: Registry) -> Iterator[tuple[str, Provided[Any]]]:
    tables: dict[str, Mapping[str, Provided[Any]]]
    tables = {"receive": registry.receive, "send": registry.send, "auth": registry.auth, "action": registry.actions}
    tables["unpacker"] = registry.unpackers
    for kind, table in tables.items():
        for name in sorted(table):
            yield kind, table[name]


def _near(name: str, registry: Registry) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [provided.item.name for _, provided in _everything(registry)], n=1)
    return f": did you mean '{near[0]}'?" if near else "; `mailrules plugins` lists what there is"


def _as_json(registry: Registry, found: list[tuple[str, Provided[Any]]], *, options: bool) -> dict[str, Any]:
    from mailrules.api import Unpacker, options_schema

    def described(kind: str, provided: Provided[Any]) -> dict[str, Any]:
        item = provided.item
        said = {"kind": kind, "name": item.name, "summary": item.summary, "plugin": str(provided.plugin)}
        if isinstance(item, Unpacker):
            return said | {"types": item.types, "names": item.names}
        return said | ({"options": options_schema(item.options)} if options else {})

    broken = [{"plugin": str(each.plugin), "word": each.word, "reason": each.reason} for each in registry.broken]
    observers = [str(plugin) for plugin in registry.observers]
    items = [described(kind, provided) for kind, provided in found]
    return {"plugins": items, "observers": observers, "broken": broken}


def _print_list(registry: Registry, found: list[tuple[str, Provided[Any]]]) -> None:
    table = new_table("kind", "name", "what it does", "from plugin")
    for kind, provided in found:
        table.add_row(kind, provided.item.name, provided.item.summary, str(provided.plugin))
    for plugin in registry.observers:
        table.add_row("observer", "", "Is told of every message that was handled.", str(plugin))
    show(table)
    for broken in registry.broken:
        console().print(f"\nbroken: {broken.plugin}: {broken.reason}", style="red")


def _print_options(found: list[tuple[str, Provided[Any]]]) -> None:
    from mailrules.api import Unpacker
    from mailrules.cli.options import option_rows

    for kind, provided in found:
        item = provided.item
        console().print(f"{kind} {item.name}: {item.summary}\nfrom {provided.plugin}\n", style="bold")
        if isinstance(item, Unpacker):
            console().print(f"It opens attachments of: {', '.join((*item.types, *item.names))}")
            continue
        table = new_table("option", "value", "default", "what it means")
        rows = list(option_rows(item.options))
        for row in rows:
            table.add_row(*row)
        show(table if rows else "It takes no options.")
