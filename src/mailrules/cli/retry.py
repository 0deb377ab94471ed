"""`mailrules retry`: what does not go on by itself is taken up by the next pass, or given up."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from mailrules.cli.complete import parked_numbers
from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.number import Number
from mailrules.cli.terminal import plural, print_json, safe

if TYPE_CHECKING:
    from mailrules.cli.resumption import Order, Resumption
    from mailrules.model.entry import Entry
    from mailrules.model.journal import Journal


@click.command(name="retry", short_help="Take up parked messages again.")
@click.argument("numbers", type=Number(), nargs=-1, metavar="[ID]...", shell_complete=parked_numbers)
@click.option("--all", "everything", is_flag=True, help="Every message that is parked.")
@click.option("--done", is_flag=True, help="Take the step in doubt as done, and go on after it.")
@click.option("--give-up", is_flag=True, help="Leave the message alone, and take it up no more.")
@click.option("--anew", is_flag=True, help="Decide by the rules as they are now; run every step, done before or not.")
@json_option
@common_options
def command(numbers: tuple[int, ...], *, everything: bool, done: bool, give_up: bool, anew: bool, as_json: bool) -> int:
    """Let the next pass take up messages again that are parked, wait for their next try, or were skipped.

    It goes on from the step that failed. A step that was cut off, so that nobody knows whether it happened, is run
    again; with --done it is not. Exit code 1 when a message is not one of these, or --done does not fit it.
    """
    from mailrules.cli.resumption import Order

    if bool(numbers) == everything:
        raise click.UsageError("name messages, `mailrules retry 12`, or say --all")
    orders = {Order.DONE: done, Order.GIVE_UP: give_up, Order.ANEW: anew}
    given = [order for order, said in orders.items() if said]
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]} are two orders: give one of them")
    order = given[0] if given else Order.AGAIN
    result = _carry_out(numbers, order)
    _tell(result, order, as_json=as_json)
    return 1 if result.missing or result.refused else 0


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of an order."""

    carried_out: list[Resumption] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    """Why not, by number."""
    missing: list[int] = field(default_factory=list)
    """Numbers of what is done, in hand, or not there."""
    left_out: int = 0
    """Messages that wait for their next try, where all that are parked were meant."""


def _carry_out(numbers: tuple[int, ...], order: Order) -> _Result:
    """On each of them; a journal without any of them is only read, and never made."""
    from mailrules.cli.journal import lock_here, open_here

    with closing(open_here()) as journal:
        left_out = 0 if numbers else _waiting(journal)
        if not _chosen(journal, numbers):
            return _Result(missing=sorted(set(numbers)), left_out=left_out)
    with lock_here("retry.lock"), closing(open_here(readonly=False)) as journal:
        return _ordered(journal, numbers, order, left_out)


def _ordered(journal: Journal, numbers: tuple[int, ...], order: Order, left_out: int) -> _Result:
    from mailrules.cli.resumption import refusal

    carried_out: list[Resumption] = []
    refused: dict[int, str] = {}
    for entry in _chosen(journal, numbers):
        if reason := refusal(entry, order):
            refused[entry.id or 0] = reason
        else:
            carried_out += _put_on_record(journal, entry, order)
    missing = set(numbers) - refused.keys() - {each.entry.id for each in carried_out}
    return _Result(carried_out, refused, sorted(missing), left_out)


def _waiting(journal: Journal) -> int:
    from mailrules.model.entry import State
    from mailrules.model.journal import Query

    return len(journal.find(Query(states=frozenset({State.RETRY}), limit=None)))


def _chosen(journal: Journal, numbers: tuple[int, ...]) -> list[Entry]:
    from mailrules.cli.resumption import RESUMABLE
    from mailrules.model.entry import State
    from mailrules.model.journal import Query

    wanted = RESUMABLE if numbers else frozenset({State.PARKED})
    return journal.find(Query(ids=frozenset(numbers), states=wanted, limit=None))


def _put_on_record(journal: Journal, entry: Entry, order: Order) -> list[Resumption]:
    """One resumption; none where a running process has just taken the message up.

    A claim keeps that process away meanwhile; a parked or skipped entry is nobody's.
    """
    from dataclasses import replace

    from mailrules.cli.resumption import resumption
    from mailrules.engine.world import system_clock
    from mailrules.model.entry import State

    if entry.state is State.RETRY and not journal.claim([replace(entry, state=State.CLAIMED)]):
        return []
    made = resumption(entry, order, system_clock())
    journal.record(made.entry, *made.records)
    return [made]


def _tell(result: _Result, order: Order, *, as_json: bool) -> None:
    from mailrules.cli.resumption import Order

    numbers = sorted(each.entry.id or 0 for each in result.carried_out)
    if as_json:
        given_up = order is Order.GIVE_UP
        ordered = {"again": [] if given_up else numbers, "given_up": numbers if given_up else []}
        refused = {str(number): reason for number, reason in sorted(result.refused.items())}
        print_json({**ordered, "refused": refused, "not_waiting": result.missing, "left_out": result.left_out})
        return
    _tell_steps(result.carried_out, order)
    if numbers or not (result.refused or result.missing):
        click.echo(_sentence(len(numbers), order))
    if result.left_out:
        tried = (
            "is tried again by itself and left" if result.left_out == 1 else "are tried again by themselves and left"
        )
        click.echo(f"{plural(result.left_out, 'message')} {tried} out: `mailrules retry ID` does not wait.")
    for number, reason in sorted(result.refused.items()):
        click.echo(safe(f"#{number}: {reason}"), err=True)
    if result.missing:
        named = ", ".join(f"#{number}" for number in result.missing)
        where = "(`mailrules log ID` shows where a message stands)"
        click.echo(f"Neither parked, nor waiting, nor skipped: {named} {where}.", err=True)


def _tell_steps(carried_out: list[Resumption], order: Order) -> None:
    """Which steps are taken as done; which may happen twice."""
    from mailrules.cli.resumption import Order

    for each in carried_out:
        for step in each.steps:
            line = safe(f"#{each.entry.id}: {step}")
            warned = order is Order.ANEW
            click.echo(f"{line}: what was done may be done twice" if warned else line, err=warned)


def _sentence(number: int, order: Order) -> str:
    from mailrules.cli.resumption import Order

    counted = plural(number, "message")
    if order is Order.GIVE_UP:
        return f"{counted} given up: left in the mailbox as found, and taken up no more."
    if order is Order.ANEW:
        return f"{counted} will be decided anew by the next pass (`mailrules run`)."
    return f"{counted} will be taken up by the next pass (`mailrules run`)."
