"""Dry runs, told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailrules.cli.outcome import outcome_table, totals_json, totals_table
from mailrules.cli.preview import print_previews, with_previews
from mailrules.cli.record import entry_json
from mailrules.cli.terminal import console, plural, safe, show
from mailrules.cli.trial import Trial
from mailrules.engine.preview import Previews
from mailrules.model.entry import Entry
from mailrules.store.overlay import FIRST_NUMBER


def print_trials(trials: Sequence[Trial], previews: Previews | None = None) -> None:
    """A table for each mailbox, with the mails that would leave, then the totals of all by rule."""
    for trial in trials:
        _print_trial(trial)
        for entry in trial.report.entries if trial.report and previews else ():
            print_previews(entry, previews or Previews())
    entries = _entries(trials)
    if entries:
        show(totals_table(entries))
    console().print(f"\n{plural(len(entries), 'message')} tried; nothing was changed.")


def _print_trial(trial: Trial) -> None:
    out = console()
    out.print(safe(trial.name), style="bold")
    if trial.failure:
        console(stderr=True).print(f"  cannot be read: {safe(trial.failure)}", style="red")
    elif trial.report is not None:
        if trial.report.entries:
            show(outcome_table(trial.report.entries, live=False))
        for note in _notes(trial):
            out.print(f"  {note}", style="dim")
    out.print()


def _notes(trial: Trial) -> list[str]:
    report = trial.report
    assert report is not None
    notes = [] if report.entries else ["nothing new here" if trial.handled else "no messages here"]
    if trial.handled:
        stand = "stands in the journal and was" if trial.handled == 1 else "stand in the journal and were"
        handled = plural(trial.handled, "message")
        notes.append(f"{handled} of this listener {stand} left out (`--again` tries {_them(trial.handled)}, too)")
    if trial.first_pass and report.entries:
        notes.append(f"a live first pass leaves alone what is there already ({trial.first_pass})")
    if 0 <= trial.most < len(report.entries):
        notes.append(f"a live pass takes {trial.most} of these (max_emails: {trial.most})")
    notes += trial.expiries
    return [*notes, f"{plural(report.left, 'message')} more beyond --limit"] if report.left else notes


def _them(number: int) -> str:
    return "it" if number == 1 else "them"


def _entries(trials: Sequence[Trial]) -> list[Entry]:
    return [entry for trial in trials if trial.report for entry in trial.report.entries]


def trial_json(trials: Sequence[Trial], previews: Previews | None = None) -> dict[str, Any]:
    """The same for programs."""
    return {"mailboxes": [_one_json(trial, previews) for trial in trials], "totals": totals_json(_entries(trials))}


def _one_json(trial: Trial, previews: Previews | None) -> dict[str, Any]:
    report = trial.report
    return {
        "name": trial.name,
        "failure": trial.failure,
        "first_pass_leaves_alone": trial.first_pass,
        "handled_before": trial.handled,
        "left": report.left if report else 0,
        "messages": [_message_json(entry, trial, previews) for entry in report.entries] if report else [],
    }


def _message_json(entry: Entry, trial: Trial, previews: Previews | None) -> dict[str, Any]:
    """A message; it has a number only where the journal has it."""
    number = entry.id if trial.recorded and (entry.id or 0) < FIRST_NUMBER else None
    return with_previews(entry_json(entry, tries=False) | {"id": number}, previews)
