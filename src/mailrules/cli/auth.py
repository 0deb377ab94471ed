"""`mailrules auth`: logging in by what a person has to allow."""

from __future__ import annotations

import click

from mailrules.cli import auth_login, auth_status
from mailrules.cli.invocation import common_options


@click.group(name="auth", short_help="Log in to accounts, and see what each has.")
@common_options
def command() -> None:
    """Log in to accounts whose provider wants a person to allow it, and see what each account has."""


command.add_command(auth_login.command)
command.add_command(auth_status.command)
