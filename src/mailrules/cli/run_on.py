"""Listening until stopped."""

from __future__ import annotations

import logging
import math
from contextlib import closing
from dataclasses import replace

import click
import msgspec

from mailrules.cli.log_lines import PassLog
from mailrules.cli.reload import Reloading, Setup
from mailrules.cli.run_once import outcome_json
from mailrules.cli.signals import StopRequest
from mailrules.cli.supervisor import Supervisor
from mailrules.cli.terminal import plural
from mailrules.engine.first_pass import Consent
from mailrules.engine.listen import Loop, Outcome
from mailrules.engine.passes import Report
from mailrules.engine.pauses import Pauses
from mailrules.engine.world import World
from mailrules.engine.worlds import live_world


def run_on(setup: Setup, consent: Consent, stop: StopRequest, *, as_json: bool) -> int:
    """Run passes until a signal asks to stop; tell each that did something, as a log line or as a line of JSON."""
    log, pauses = logging.getLogger("mailrules"), Pauses()

    def world(taken: Setup) -> World:
        made = live_world(taken.workspace, consent.journal, stopping=stop.asked, pauses=pauses)
        return replace(made, consent=replace(consent, workspace=taken.workspace))

    with closing(Supervisor()) as supervisor:
        beat = math.inf if supervisor.watch is None else supervisor.watch / 4
        told = _tell_json if as_json else PassLog()
        loop = Loop(setup.listeners, world(setup), told, supervisor.alive, beat)

        def stopped() -> None:
            supervisor.stopping()
            loop.stop()

        def take_up(taken: Setup) -> None:
            loop.replace(taken.listeners, world(taken))

        stop.tell(stopped)
        with Reloading(setup, take_up, begun=supervisor.reloading, over=supervisor.ready):
            names = ", ".join(listener.name for listener in setup.listeners)
            counted = plural(len(setup.listeners), "listener")
            log.info("listening: %s (%s)", names, counted)
            supervisor.ready(f"listening: {counted}")
            if not stop.asked():
                loop.run()
    log.info("stopped")
    return 0


def _tell_json(outcome: Outcome) -> None:
    if not isinstance(outcome, Report) or outcome.entries:
        click.echo(msgspec.json.encode(outcome_json(outcome)).decode())
