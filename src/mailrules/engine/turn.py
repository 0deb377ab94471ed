"""One turn of one listener: its expiries first, then a pass, unless it has ended."""

from __future__ import annotations

from dataclasses import replace

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.engine.expire import expire, expired
from mailrules.engine.passes import Report, run_pass
from mailrules.engine.world import World


def take_turn(listener: Listener, decider: Decider, world: World, *, looks: bool = True) -> Report:
    """What is due of its expiries, and a pass when it *looks*.

    Raises:
        ExpiryError: a script cannot say when its expiry comes: the listener does not run before that is known.
        Transient: see `run_pass`.
        PersonNeeded: see `run_pass`.
        JournalError: nothing may be acted on now.
    """
    fired = tuple(expire(listener, world))
    ended = expired(listener, world.journal, world.clock())
    if ended or not looks:
        return Report(listener.name, fired, ended=ended)
    report = run_pass(listener, decider, world)
    return replace(report, entries=fired + report.entries)
