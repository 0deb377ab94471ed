"""`mailrules accounts`: what the accounts come to, and whether they work."""

from __future__ import annotations

import click

from mailrules.cli import accounts_show, accounts_test
from mailrules.cli.invocation import common_options


@click.group(name="accounts", short_help="See what accounts come to, and whether they work.")
@common_options
def command() -> None:
    """See what accounts come to, and whether they work."""


command.add_command(accounts_show.command)
command.add_command(accounts_test.command)
