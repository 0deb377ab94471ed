"""`mailrules accounts`: whether the accounts work."""

from __future__ import annotations

import click

from mailrules.cli import accounts_test
from mailrules.cli.invocation import common_options


@click.group(name="accounts", short_help="See whether accounts work.")
@common_options
def command() -> None:
    """See whether accounts work."""


command.add_command(accounts_test.command)
