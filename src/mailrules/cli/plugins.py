"""`mailrules plugins`: what can be named in the files, who gives it, and a package of one's own."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from mailrules.cli import plugins_new, plugins_show
from mailrules.cli.complete import plugin_names
from mailrules.cli.invocation import common_options, json_option


class PluginsGroup(click.Group):
    """A group whose `show` need not be written: `mailrules plugins imap`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; what is no command is a name to show."""
        if args and args[0] not in self.commands:
            return "show", plugins_show.command, args
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and names to show."""
        names = [each if isinstance(each, CompletionItem) else CompletionItem(each) for each in _names(ctx, incomplete)]
        return [*super().shell_complete(ctx, incomplete), *names]


def _names(ctx: click.Context, incomplete: str) -> list[str | CompletionItem]:
    return list(plugin_names(ctx, ctx.command.params[0], incomplete))


@click.group(
    name="plugins", cls=PluginsGroup, invoke_without_command=True, short_help="List what can be named in the files."
)
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> int:
    """List protocols, log-ins, actions, unpackers and observers with the plugin that gives each.

    `mailrules plugins NAME` shows the options of one.
    """
    return plugins_show.list_all(as_json=as_json) if ctx.invoked_subcommand is None else 0


command.add_command(plugins_new.command)
command.add_command(plugins_show.command)
