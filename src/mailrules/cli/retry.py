"""`mailrules retry`: parked messages, and those that wait, are taken up by the next pass."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from mailrules.cli.complete import parked_numbers
from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.number import Number
from mailrules.cli.terminal import plural, print_json

if TYPE_CHECKING:
    from mailrules.config.settings import Workspace
    from mailrules.model.entry import Entry, StepRecord
    from mailrules.model.journal import Journal


@click.command(name="retry", short_help="Take up parked messages again.")
@click.argument("numbers", type=Number(), nargs=-1, metavar="[ID]...", shell_complete=parked_numbers)
@click.option("--all", "everything", is_flag=True, help="Every message that is parked.")
@click.option("--done", is_flag=True, help="Take the step in doubt as done, and go on after it.")
@json_option
@common_options
def command(numbers: tuple[int, ...], *, everything: bool, done: bool, as_json: bool) -> int:
    """Let the next pass take up parked messages again, from the step that failed.

    A step that was cut off, so that nobody knows whether it happened, is run again; with --done it is not. Exit code 1
    when a message is neither parked nor waiting.
    """
    from mailrules.cli.workspace import load

    if bool(numbers) == everything:
        raise click.UsageError("name messages, `mailrules retry 12`, or say --all")
    again = _take_up(load(quiet=True), numbers, done=done)
    missing = sorted(set(numbers) - {entry.id for entry in again})
    _tell(again, missing, as_json=as_json)
    return 1 if missing else 0


def _take_up(workspace: Workspace, numbers: tuple[int, ...], *, done: bool) -> list[Entry]:
    """Make each of them due; a journal without any of them is only read, and never made."""
    from mailrules.cli.workspace import journal_of, lock_of

    with closing(journal_of(workspace, readonly=True)) as journal:
        if not _chosen(journal, numbers):
            return []
    with lock_of(workspace, "retry.lock"), closing(journal_of(workspace)) as journal:
        return [due for entry in _chosen(journal, numbers) for due in _again(journal, entry, done=done)]


def _chosen(journal: Journal, numbers: tuple[int, ...]) -> list[Entry]:
    from mailrules.model.entry import State
    from mailrules.model.journal import Query

    wanted = {State.PARKED, State.RETRY} if numbers else {State.PARKED}
    return journal.find(Query(ids=frozenset(numbers), states=frozenset(wanted), limit=None))


def _again(journal: Journal, entry: Entry, *, done: bool) -> list[Entry]:
    """Make it due now; nothing where a running process has just taken it up.

    A claim keeps that process away meanwhile; a parked entry is nobody's.
    """
    from dataclasses import replace

    from mailrules.engine.world import system_clock
    from mailrules.model.entry import State

    if entry.state is State.RETRY and not journal.claim([replace(entry, state=State.CLAIMED)]):
        return []
    due = replace(
        entry, state=State.RETRY, retry_at=system_clock(), attempts=0, reason="taken up again by the operator"
    )
    return [journal.record(due, *_taken_as_done(entry) if done else ())]


def _taken_as_done(entry: Entry) -> list[StepRecord]:
    """The step that stopped it, as if it had succeeded."""
    from dataclasses import replace

    from mailrules.engine.world import system_clock
    from mailrules.model.entry import StepState

    last = entry.steps[-1] if entry.steps else None
    if last is None or last.state in (StepState.SUCCEEDED, StepState.DESCRIBED):
        return []
    detail = "taken as done by the operator"
    return [replace(last, state=StepState.SUCCEEDED, detail=detail, at=system_clock())]


def _tell(again: list[Entry], missing: list[int], *, as_json: bool) -> None:
    if as_json:
        print_json({"again": sorted(entry.id or 0 for entry in again), "not_waiting": missing})
        return
    click.echo(f"{plural(len(again), 'message')} will be taken up by the next pass (`mailrules run`).")
    if missing:
        named = ", ".join(f"#{number}" for number in missing)
        click.echo(f"Neither parked nor waiting: {named} (`mailrules log ID` shows where a message stands).", err=True)
