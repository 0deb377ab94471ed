"""Listening until stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import click
import msgspec

from mailrules.cli.log_lines import PassLog
from mailrules.cli.run_once import outcome_json
from mailrules.cli.signals import StopRequest
from mailrules.cli.terminal import plural
from mailrules.config.settings import Listener
from mailrules.engine.listen import Loop, Outcome
from mailrules.engine.passes import Report
from mailrules.engine.world import World


def run_on(listeners: Sequence[Listener], world: World, stop: StopRequest, *, as_json: bool) -> int:
    """Run passes until a signal asks to stop; tell each that did something, as a log line or as a line of JSON."""
    log = logging.getLogger("mailrules")
    loop = Loop(listeners, world, _tell_json if as_json else PassLog())
    stop.tell(loop.stop)
    names = ", ".join(listener.name for listener in listeners)
    log.info("listening: %s (%s)", names, plural(len(listeners), "listener"))
    if not stop.asked():
        loop.run()
    log.info("stopped")
    return 0


def _tell_json(outcome: Outcome) -> None:
    if not isinstance(outcome, Report) or outcome.entries:
        click.echo(msgspec.json.encode(outcome_json(outcome)).decode())
