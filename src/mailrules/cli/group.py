"""The commands by name, each imported when it is asked for, and what their failures look like."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import Any

import click

from mailrules.cli.invocation import verbose

COMMANDS = (
    "init",
    "check",
    "test",
    "dry-run",
    "run",
    "status",
    "explain",
    "log",
    "retry",
    "schedule",
    "accounts",
    "auth",
    "plugins",
    "schema",
    "completion",
)
"""In the order in which an admin meets them. `dry-run` is `mailrules.cli.dry_run.command`."""


PIPE_CLOSED = 141
"""What a program ended by SIGPIPE leaves: 128 + 13."""


class Failure(click.ClickException):
    """It could not be done: one line that says what and, where it is known, what to do next."""

    exit_code = 3

    def show(self, file: Any = None) -> None:
        """Print it as the program's own line."""
        click.echo(f"mailrules: {self.message}", err=True, file=file)


class CommandGroup(click.Group):
    """Imports a command's module only to run, complete or list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command there is."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mailrules.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; a slip of the pen gets the command that was meant.

        Raises:
            click.UsageError: there is no such command.
        """
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f": did you mean '{near[0]}'?" if near else f" (there are: {', '.join(COMMANDS)})"
            raise click.UsageError(f"no command '{args[0]}'{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an unforeseen exception becomes one line, with its traceback under `-v`.

        Raises:
            Failure: the command could not be done.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered has nowhere to go
            raise click.exceptions.Exit(PIPE_CLOSED) from None
        except Exception as error:
            if verbose(ctx):
                traceback.print_exc()
            raise Failure(_one_line(error)) from error


def _one_line(error: Exception) -> str:
    """What went wrong, in the program's own words where it is a foreseen failure."""
    from mailrules.api.options import redact

    remedy = getattr(error, "remedy", "")
    if type(error).__module__.startswith("mailrules."):
        text = str(error)
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = f"{type(error).__name__}: {error} (a defect of mailrules or of a plugin; -v shows where)"
    return " ".join(redact(f"{text}; {remedy}" if remedy else text).split())
