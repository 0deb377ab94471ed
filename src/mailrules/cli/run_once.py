"""One pass of each listener, and a table of what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailrules.cli.outcome import outcome_table, totals_json, totals_table, worth_a_row
from mailrules.cli.record import entry_json
from mailrules.cli.stand import Standing, standing_of
from mailrules.cli.terminal import console, plural, print_json, progress, safe, show
from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.engine.chart import Chart
from mailrules.engine.listen import Failure, Outcome
from mailrules.engine.passes import Report
from mailrules.engine.standing import Idle, standing
from mailrules.engine.turn import take_turn
from mailrules.engine.world import World
from mailrules.model.entry import Entry, State


@dataclass(frozen=True, slots=True)
class Once:
    """One listener's pass, and how its messages stood in the journal before."""

    outcome: Outcome
    standing: Standing

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the pass handled."""
        return self.outcome.entries if isinstance(self.outcome, Report) else ()


def run_once(listeners: Sequence[Listener], world: World, *, as_json: bool) -> int:
    """Run and print; gives the exit code: 3 when a listener failed, 1 when a message was parked."""
    with progress("handling") as told:
        done = list(_passes(listeners, replace(world, progress=told)))
    if as_json:
        print_json(_as_json(done))
    else:
        _print(done)
    if any(isinstance(once.outcome, Failure) for once in done):
        return 3
    return 1 if any(entry.state is State.PARKED for once in done for entry in once.entries) else 0


def _passes(listeners: Sequence[Listener], world: World) -> Iterator[Once]:
    chart = Chart(world.journal, world.clock)
    for listener in listeners:
        if world.stopping():
            return
        stood = standing_of(listener.name, world.journal)
        outcome = _pass(listener, world)
        _note(chart, listener, outcome, world)
        yield Once(outcome, stood)


def _note(chart: Chart, listener: Listener, outcome: Outcome, world: World) -> None:
    if isinstance(outcome, Report):
        chart.succeeded(listener, outcome)
    elif isinstance(outcome, Failure):
        chart.failed(listener, outcome.error)
    elif listener.schedule.since is None or listener.schedule.since <= world.clock():
        chart.ended(listener.name, outcome.reason)
    chart.write(everything=True)


def _pass(listener: Listener, world: World) -> Outcome:
    try:
        idle = standing(listener, world.journal, world.clock())
        report = take_turn(listener, Decider(listener.rules), world, looks=idle is None)
        return idle if idle and not report.entries and not report.ended else report
    except (Exception, SystemExit) as error:  # of a plugin; the other listeners have their turn
        return Failure(listener.name, error, 0)


def _print(done: Sequence[Once]) -> None:
    out = console()
    for once in done:
        out.print(safe(once.outcome.listener), style="bold")
        if isinstance(once.outcome, Failure):
            console(stderr=True).print(f"  failed: {safe(once.outcome.reason)}", style="red")
        elif isinstance(once.outcome, Idle):
            out.print(f"  {safe(once.outcome.reason)}")
        else:
            if once.entries:
                show(outcome_table(worth_a_row(once.entries), live=True))
            for note in _notes(once.outcome, once.standing):
                out.print(f"  {note}")
        out.print()
    entries = [entry for once in done for entry in once.entries]
    if entries:
        show(totals_table(entries))
    for hint in _hints(entries):
        out.print(f"\n{hint}")


def _notes(report: Report, stood: Standing) -> Iterator[str]:
    if report.before_start:
        there = plural(report.before_start, "message")
        yield f"{there} there before the first pass left alone (`start: all` takes them)"
    elif not report.entries and not report.ended:
        yield f"nothing new: {stood}" if stood.total else "nothing there"
    if report.ended:
        yield report.ended
    if more := len(report.entries) - len(worth_a_row(report.entries)):
        yield f"{plural(more, 'message')} more: `mailrules log --limit {len(report.entries)}` lists all"
    if report.left:
        yield f"{plural(report.left, 'message')} left for the next pass"


def _hints(entries: Sequence[Entry]) -> Iterator[str]:
    """What to do next about what did not go well."""
    parked = sum(entry.state is State.PARKED for entry in entries)
    waiting = sum(entry.state is State.RETRY for entry in entries)
    if waiting:
        yield f"{plural(waiting, 'message')} will be tried again by a later pass."
    if parked:
        yield f"{plural(parked, 'message')} parked: `mailrules log ID` shows why, `mailrules retry ID` tries again."


def _as_json(done: Sequence[Once]) -> dict[str, Any]:
    entries = [entry for once in done for entry in once.entries]
    return {"listeners": [once_json(once) for once in done], "totals": totals_json(entries)}


def once_json(once: Once) -> dict[str, Any]:
    """One listener's pass for programs."""
    return {**outcome_json(once.outcome), "handled_before": once.standing.total}


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """A pass for programs."""
    if isinstance(outcome, Failure):
        return {"listener": outcome.listener, "failure": outcome.reason, "messages": []}
    if isinstance(outcome, Idle):
        return {"listener": outcome.listener, "failure": "", "ended": outcome.reason, "messages": []}
    return {
        "listener": outcome.listener,
        "failure": "",
        "ended": outcome.ended,
        "left": outcome.left,
        "before_start": outcome.before_start,
        "messages": [entry_json(entry) for entry in outcome.entries],
    }
