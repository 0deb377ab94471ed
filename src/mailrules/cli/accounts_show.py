"""`mailrules accounts show`: an account with all that it leaves out filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mailrules.cli.complete import account_names
from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.terminal import new_table, print_json, safe, show

if TYPE_CHECKING:
    from mailrules.config.settings import Account


@click.command(name="show", short_help="Show what an account comes to.")
@click.argument("account", shell_complete=account_names)
@json_option
@common_options
def command(account: str, *, as_json: bool) -> int:
    """Show what ACCOUNT comes to: what is written, what its preset fills, and what is taken by default.

    Secrets are shown by where they are, never themselves.
    """
    from mailrules.cli.log_in import account_named

    options = _options(account_named(account))
    if as_json:
        print_json(options)
        return 0
    table = new_table("option", "value")
    for place, values in options.items():
        for name, value in values.items():
            table.add_row(
                f"{place}.{name}", safe(", ".join(map(str, value)) if isinstance(value, list) else str(value))
            )
    show(table)
    return 0


def _options(account: Account) -> dict[str, dict[str, Any]]:
    """By `receive.imap`, `send.smtp`, `auth.oauth2`: each option as it would be written, without what is empty."""
    chosen = {"receive": account.receive, "send": account.send, "auth": account.auth}
    return {f"{key}.{one[0].item.name}": _written(one[1]) for key, one in chosen.items() if one}


def _written(options: Any) -> dict[str, Any]:
    values = {name: _plain(getattr(options, name)) for name in options.__struct_fields__}
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _plain(value: Any) -> Any:
    """As it would be written; what holds others goes through here too, lest a secret come along."""
    from mailrules.api import Duration, Secret

    if isinstance(value, Secret):
        return "***" if value.literal else value.reference
    if isinstance(value, Duration):
        return f"{value.seconds:g}s"
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return value if value is None or isinstance(value, str | int | float) else str(value)
