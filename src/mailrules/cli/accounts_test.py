"""`mailrules accounts test`: an account looked at step by step, each with its cause and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from mailrules.cli.complete import account_names
from mailrules.cli.invocation import common_options, json_option, workspace_root
from mailrules.cli.terminal import print_json, safe

if TYPE_CHECKING:
    from mailrules.engine.check import Checked

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "bright_black"}


@click.command(name="test", short_help="Look whether an account works, step by step.")
@click.argument("account", shell_complete=account_names)
@click.option("--round-trip", is_flag=True, help="Send a mail to the account itself, wait for it, delete it.")
@json_option
@common_options
def command(account: str, *, round_trip: bool, as_json: bool) -> int:
    """Look whether ACCOUNT works: host, connection, certificate, log-in, folders and what may be done there, sending.

    Each has its own line, with the cause and what to do where it fails. No message is touched and none is sent, but by
    --round-trip; a listener that runs meanwhile handles that mail by its rules. Exit code 1 when anything failed.
    """
    results = _results(account, round_trip=round_trip)
    done = list(results) if as_json else _printed(results)
    if as_json:
        print_json([_as_json(one) for one in done])
    return 1 if any(one.state == "failed" for one in done) else 0


def _results(name: str, *, round_trip: bool) -> Iterator[Checked]:
    from mailrules.cli.log_in import account_named
    from mailrules.config.load import watched_folders
    from mailrules.engine.check import Checked, check_account
    from mailrules.engine.round_trip import round_trip as trip

    account = account_named(name)
    root = workspace_root().absolute()
    failed = False
    for one in check_account(account, watched_folders(root, name), root):
        failed = failed or one.state == "failed"
        yield one
    if round_trip and failed:
        yield Checked("round trip", "sent", "skipped", "something above has failed")
    elif round_trip:
        yield from trip(account, root)


def _printed(results: Iterable[Checked]) -> list[Checked]:
    """Each line as soon as it is known."""
    done: list[Checked] = []
    for one in results:
        if not done or done[-1].part != one.part:
            click.echo(safe(one.part))
        state = click.style(f"{one.state:7}", fg=COLOURS[one.state])
        click.echo(f"  {state}  {safe(one.name)}{': ' if one.said else ''}{safe(one.said)}")
        if one.remedy:
            click.echo(f"           {safe(one.remedy)}")
        done.append(one)
    return done


def _as_json(one: Checked) -> dict[str, Any]:
    return {"part": one.part, "check": one.name, "state": one.state, "said": one.said, "remedy": one.remedy}
