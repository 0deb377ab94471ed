"""`mailrules run`: handle mail for real, once or until stopped."""

from __future__ import annotations

import gc
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime

import click

from mailrules.cli.complete import listener_names
from mailrules.cli.invocation import common_options, json_option, verbose
from mailrules.cli.main import BETWEEN_COLLECTIONS


@click.command(name="run", short_help="Handle mail, once or until stopped.")
@click.argument("listeners", nargs=-1, metavar="[LISTENER]...", shell_complete=listener_names)
@click.option("--once", is_flag=True, help="One pass of each listener, then a table of what happened.")
@click.option("--yes", is_flag=True, help="Agree to first passes over mailboxes that hold much mail already.")
@json_option
@common_options
def command(listeners: tuple[str, ...], *, once: bool, yes: bool, as_json: bool) -> int:
    """Handle what arrives: decide, act, settle; all listeners, or those named.

    Without --once it listens until SIGTERM or SIGINT, finishes the message in hand and ends with exit code 0; a second
    SIGINT ends it at once. Files that change are taken up if they have no errors; SIGHUP has them read anew. With
    --once, exit code 3 says that a mailbox could not be read, 1 that a message was parked.

    A first pass that would handle more than 100 messages that are there already, or delete more than 10, is told and
    asked about first; off a terminal it does not begin without --yes, and the other listeners run.
    """
    from mailrules.cli.consent import ask
    from mailrules.cli.log_lines import log_on_stderr
    from mailrules.cli.signals import StopRequest
    from mailrules.cli.workspace import active_listeners, journal_of, load_with_files, lock_of
    from mailrules.engine.first_pass import Consent

    began = datetime.now().astimezone()
    workspace, files = load_with_files()
    chosen = active_listeners(workspace, listeners)
    collect_seldom()
    with ExitStack() as held:
        held.enter_context(log_on_stderr(verbose=verbose()))
        held.enter_context(lock_of(workspace))
        journal = held.enter_context(closing(journal_of(workspace)))
        consent = Consent(workspace, journal, everywhere=yes)
        if not as_json:
            ask(chosen, consent)
        stop = held.enter_context(StopRequest())
        if once:
            from mailrules.cli.run_once import run_once
            from mailrules.engine.worlds import live_world

            world = replace(live_world(workspace, journal, stopping=stop.asked), consent=consent)
            return run_once(chosen, world, as_json=as_json)
        from mailrules.cli.reload import Setup
        from mailrules.cli.run_on import run_on

        setup = Setup(workspace, files, began, tuple(dict.fromkeys(listeners)))
        return run_on(setup, consent, stop, as_json=as_json)


def collect_seldom() -> None:
    """Let the search for cyclic garbage come less often, and leave out what is there by now.

    Messages and entries hold no cycles, and looking at each of thousands again and again takes a sixth of a pass.
    """
    gc.freeze()
    gc.set_threshold(BETWEEN_COLLECTIONS)
