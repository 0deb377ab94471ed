"""`mailrules schedule`: when each listener looks next."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from mailrules.cli.complete import listener_names
from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.terminal import console, print_json, safe

if TYPE_CHECKING:
    from mailrules.cli.timetable import Timetable


@click.command(name="schedule", short_help="Show when each listener looks next.")
@click.argument("listeners", nargs=-1, metavar="[LISTENER]...", shell_complete=listener_names)
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many runs of each.")
@json_option
@common_options
def command(listeners: tuple[str, ...], *, count: int, as_json: bool) -> int:
    """Show the next runs of all listeners, or of those named, each in its own time zone.

    They are those of a `mailrules run` that starts now. Where clocks change, it is said what becomes of a run.
    """
    from mailrules.cli.timetable import timetable_json

    done = _timetables(listeners, count)
    if as_json:
        print_json([timetable_json(one) for one in done])
    else:
        for one in done:
            _print(one)
    return 0


def _timetables(names: tuple[str, ...], count: int) -> list[Timetable]:
    from dataclasses import replace

    from mailrules.cli.expiries import coming
    from mailrules.cli.timetable import Timetable, timetable
    from mailrules.cli.workspace import chosen_listeners, journal_of, load
    from mailrules.engine.expire import expired
    from mailrules.engine.standing import spent
    from mailrules.engine.world import system_clock

    workspace = load(quiet=True)
    done: list[Timetable] = []
    with closing(journal_of(workspace, readonly=True)) as journal:
        for listener in chosen_listeners(workspace, names):
            history = journal.history(listener.name)
            now = system_clock()
            asleep = "" if listener.listen else "it does not listen (listen: false)"
            reason = asleep or spent(listener, journal) or expired(listener, journal, now)
            shown = timetable(listener, history, now, count=count)
            shown = Timetable(listener, history, ended=reason) if reason else shown
            done.append(replace(shown, expires=tuple(coming(listener, journal))))
    return done


def _print(one: Timetable) -> None:
    from mailrules.cli.timetable import rhythm

    out = console()
    out.print(f"{safe(one.listener.name)}: {rhythm(one.listener.schedule)}", style="bold")
    for run in one.runs:
        note = f"  {run.note}" if run.note else ""
        out.print(f"  {run.at:%a} {run.at.isoformat(' ', 'seconds')}{note}")
    for expiry in one.expires:
        out.print(f"  {safe(str(expiry))}")
    if not one.more:
        out.print(f"  {safe(one.ended) or 'and no more'}")
