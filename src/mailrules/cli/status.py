"""`mailrules status`: how each listener fares, for people and for monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailrules.cli.complete import listener_names
from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.terminal import console, new_table, print_json, safe, show

if TYPE_CHECKING:
    from rich.table import Table

    from mailrules.cli.vitals import Vital, Vitals


@click.command(name="status", short_help="Show how each listener fares.")
@click.argument("listeners", nargs=-1, metavar="[LISTENER]...", shell_complete=listener_names)
@json_option
@common_options
def command(listeners: tuple[str, ...], *, as_json: bool) -> int:
    """Show how all listeners fare, or those named: state, last success, what is wrong and what to do, next run.

    Exit code 0 says that nothing needs anybody; 1 that a person must act, that the files have errors, or that a
    listener never ran or is stale: without a success for three of its runs, and for five minutes at least. A listener
    that fails is tried again, and is fine until then. 3 says that it cannot be told.
    """
    from mailrules.cli.vitals import vitals, vitals_json

    found = vitals(listeners)
    if as_json:
        print_json(vitals_json(found))
    else:
        _print(found)
    return 0 if found.fine else 1


def _print(found: Vitals) -> None:
    from mailrules.core.health import RED

    out = console()
    out.print("nothing runs here" if found.pid is None else f"process {found.pid} works here")
    if found.findings:
        kept = "" if found.pid is None else "; the process goes on with those that it has taken up"
        out.print(f"the files are not right: {found.findings}{kept} (`mailrules check` shows more)", style="red")
    out.print()
    show(_table(found))
    for vital in found.listeners:
        if line := _trouble(vital):
            out.print(f"\n{safe(f'{vital.name}: {line}')}", style="red" if vital.condition in RED else "")


def _table(found: Vitals) -> Table:
    from mailrules.cli.record import moment

    numbers = ("waiting", "retrying", "parked")
    table = new_table("listener", "state", "last success", "next run", *numbers, "token until")
    for vital in found.listeners:
        counted = (vital.health.waiting, vital.retrying, vital.parked)
        planned = moment(vital.health.next_run) if found.pid is not None else ""
        until = moment(vital.token.until) if vital.token else ""
        row = (vital.name, vital.condition.value, moment(vital.health.last_success), planned)
        table.add_row(*(safe(cell) for cell in row), *(str(number) for number in counted), until)
    return table


def _trouble(vital: Vital) -> str:
    """`wrong password; change it (4 times in a row, since 2026-03-01 12:00:00)`; empty when all is well."""
    from mailrules.cli.record import moment

    error, remedy = vital.trouble
    line = f"{error}; {remedy}" if remedy else error
    if vital.health.failures > 1:
        line += f" ({vital.health.failures} times in a row, since {moment(vital.health.since)})"
    return line
