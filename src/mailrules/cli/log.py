"""`mailrules log`: what was done with which message, and why."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from mailrules.cli.complete import entry_numbers, listener_names, rule_names
from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.number import Number
from mailrules.cli.terminal import print_json, show
from mailrules.model.entry import State

if TYPE_CHECKING:
    from mailrules.model.entry import Entry
    from mailrules.model.journal import Journal, Query

LOOKED_THROUGH = 1000
"""Latest messages among whose rules a name nearly right is looked for."""


@click.command(name="log", short_help="List what was done with which message.")
@click.argument("number", type=Number(), required=False, metavar="[ID]", shell_complete=entry_numbers)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only in this state; repeatable.",
)
@click.option("--rule", shell_complete=rule_names, help="Only what this rule decided.")
@click.option("--listener", shell_complete=listener_names, help="Only of this listener.")
@click.option("--since", help="Only what changed since: 2d, 90m, or a date, 2026-03-01.")
@click.option("--text", default="", help="Only with this in subject, sender or Message-ID.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@json_option
@common_options
def command(number: int | None, *, as_json: bool, **asked: Any) -> int:
    """List what the journal holds, newest first; ID shows one message with every step."""
    from mailrules.cli.journal import open_here
    from mailrules.cli.record import entry_json

    with closing(open_here()) as journal:
        found = journal.find(_query(number, **asked))
        nothing = "" if found else _nothing(journal, number, asked)
    if as_json:
        print_json([entry_json(entry) for entry in found])
    else:
        _print(found, number, nothing)
    return 1 if number is not None and not found else 0


def _query(number: int | None, *, states: tuple[str, ...], since: str | None, **asked: Any) -> Query:
    from mailrules.model.journal import Query

    return Query(
        ids=frozenset() if number is None else frozenset({number}),
        states=frozenset(State(state) for state in states),
        since=_moment(since) if since else None,
        **asked,
    )


def _moment(text: str) -> datetime:
    from mailrules.api import Duration

    now = datetime.now().astimezone()
    try:
        return now - timedelta(seconds=Duration.parse(text).seconds)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--since {text}: write 2d, 90m, or a date, 2026-03-01") from error
    return at if at.tzinfo else at.astimezone()


def _nothing(journal: Journal, number: int | None, asked: Mapping[str, Any]) -> str:
    """Why nothing was found."""
    from mailrules.model.journal import Query

    rule, listener = asked["rule"], asked["listener"]
    if number is not None and not journal.find(Query(ids=frozenset({number}))):
        return f"The journal has no #{number}."
    if rule is not None and not journal.find(Query(rule=rule, limit=1)):
        return f"The journal has no message that a rule '{rule}' decided{_near(journal, rule) or '.'}"
    if listener is not None and not journal.find(Query(listener=listener, limit=1)):
        return f"The journal has no message of a listener '{listener}'."
    return "The journal has nothing like that."


def _near(journal: Journal, rule: str) -> str:
    from difflib import get_close_matches

    from mailrules.model.journal import Query

    names = {entry.rule for entry in journal.find(Query(limit=LOOKED_THROUGH)) if entry.rule}
    near = get_close_matches(rule, sorted(names), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _print(found: list[Entry], number: int | None, nothing: str) -> None:
    from mailrules.cli.log_report import entry_text, log_table

    if number is not None and found:
        click.echo(entry_text(found[0]), nl=False)
    elif found:
        show(log_table(found))
    else:
        click.echo(nothing)
