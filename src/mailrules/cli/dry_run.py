"""`mailrules dry-run`: what the rules would do, message by message, without touching anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailrules.cli.complete import listener_names
from mailrules.cli.invocation import common_options, json_option, preview_option
from mailrules.cli.terminal import print_json, progress

if TYPE_CHECKING:
    from mailrules.cli.trial import Trial


@click.command(name="dry-run", short_help="Show what would happen, and change nothing.")
@click.argument("listeners", nargs=-1, metavar="[LISTENER]...", shell_complete=listener_names)
@click.option("--mail", multiple=True, metavar="PATH", help="Instead of mailboxes: .eml, mbox, maildir or folder.")
@click.option("--rules", type=click.Path(path_type=Path, dir_okay=False), help="With --mail: decide by this file.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many messages of each mailbox, oldest first.")
@click.option(
    "--again",
    is_flag=True,
    help="Also what was handled before, or what `max_age` and `unseen_only` leave out.",
)
@preview_option
@json_option
@common_options
def command(listeners: tuple[str, ...], *, as_json: bool, preview: bool, **chosen: Any) -> int:
    """Show what would happen to each message, and change nothing.

    Reads the mailboxes of all listeners, or of those named, or the messages given by --mail. Exit code 3 when a
    mailbox cannot be read.
    """
    from mailrules.cli.trial import Choice, trials
    from mailrules.cli.trial_report import print_trials, trial_json
    from mailrules.engine.preview import Previews

    previews = Previews() if preview else None
    choice = Choice(listeners, previews=previews, **chosen)
    if choice.rules and not choice.mail:
        raise click.UsageError("--rules takes messages to decide: add --mail PATH")
    with progress("reading") as told:
        done: list[Trial] = list(trials(choice, told))
    if as_json:
        print_json(trial_json(done, previews))
    else:
        print_trials(done, previews)
    return 3 if any(trial.failure for trial in done) else 0
