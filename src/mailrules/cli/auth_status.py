"""`mailrules auth status`: what each account has to log in with, until when, and what a person must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mailrules.cli.complete import account_names
from mailrules.cli.invocation import common_options, json_option

if TYPE_CHECKING:
    from mailrules.api import LogInState


@click.command(name="status", short_help="Show what each account logs in with.")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...", shell_complete=account_names)
@json_option
@common_options
def command(accounts: tuple[str, ...], *, as_json: bool) -> int:
    """Show for all accounts, or those named, how they log in, until when, and whether that renews itself.

    Nothing is asked of any server. Exit code 1 says that a person must act.
    """
    from mailrules.cli.log_in import states
    from mailrules.cli.terminal import print_json

    found = states(accounts)
    if as_json:
        print_json([_as_json(name, *each) for name, each in found.items()])
    else:
        _print(found)
    return 1 if any(state.reason for _, state in found.values()) else 0


def _as_json(name: str, way: str, state: LogInState) -> dict[str, Any]:
    return {
        "account": name,
        "way": way,
        "login": state.login,
        "until": state.until,
        "scopes": state.scopes,
        "renewable": state.renewable,
        "reason": state.reason,
        "remedy": state.remedy,
    }


def _print(found: Mapping[str, tuple[str, LogInState]]) -> None:
    from mailrules.cli.record import moment
    from mailrules.cli.terminal import console, new_table, safe, show

    table = new_table("account", "way", "login", "until", "renewed", "scopes")
    for name, (way, state) in found.items():
        renewed = "" if state.until is None and not state.renewable else "by itself" if state.renewable else "no"
        table.add_row(name, way, safe(state.login), moment(state.until), renewed, safe(" ".join(state.scopes)))
    show(table)
    for name, (_, state) in found.items():
        if state.reason:
            remedy = f"; {state.remedy}" if state.remedy else ""
            console().print(f"\n{safe(f'{name}: {state.reason}{remedy}')}", style="red")
