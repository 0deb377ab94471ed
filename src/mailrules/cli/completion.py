"""`mailrules completion`: the script that makes a shell complete commands, listeners, rules and journal numbers."""

from __future__ import annotations

import click

from mailrules.cli.invocation import common_options

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(SHELLS))
@common_options
def command(shell: str) -> int:
    """Print the completion script for SHELL.

    For bash, add to ~/.bashrc:  eval "$(mailrules completion bash)"
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    root = click.get_current_context().find_root()
    click.echo(made(root.command, {}, "mailrules", "_MAILRULES_COMPLETE").source())
    return 0
