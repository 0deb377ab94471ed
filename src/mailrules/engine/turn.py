"""One turn of one listener: its expiries first, then a pass, unless it has ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from mailrules.config.settings import Listener
from mailrules.core.decide import Decider
from mailrules.engine.expire import expire, expired
from mailrules.engine.passes import Report, pass_over, run_pass
from mailrules.engine.world import World
from mailrules.model.action import Transient
from mailrules.model.mailbox import Mailbox, Pushing

Visit: TypeAlias = Callable[[Listener, Decider, World], Report]
"""A pass from opening the mailbox on."""


@dataclass(slots=True)
class Connection:
    """What an idle listener keeps from pass to pass."""

    mailbox: Pushing | None = None
    """Open, and listening."""
    keeps: bool = True
    """Whether the next pass may leave one open."""

    def visit(self, listener: Listener, decider: Decider, world: World) -> Report:
        """A pass over the mailbox that is open, or a new one where there is none or it is dead; raises as `run_pass`.

        It stays open for the next pass if its server can tell what comes.
        """
        mailbox = self._resumed() or world.open(listener)
        try:
            report = pass_over(mailbox, listener, decider, world)
        except BaseException:
            mailbox.close()
            raise
        if self.keeps and not report.ended and isinstance(mailbox, Pushing):
            self.mailbox = mailbox
            with contextlib.suppress(Transient):  # who watches it notices
                mailbox.listen()
        else:
            mailbox.close()
        return report

    def _resumed(self) -> Mailbox | None:
        mailbox, self.mailbox = self.mailbox, None
        if mailbox is None:
            return None
        try:
            mailbox.resume()
        except BaseException as error:
            mailbox.close()
            if not isinstance(error, Transient):
                raise
            return None
        return mailbox


def take_turn(
    listener: Listener, decider: Decider, world: World, *, looks: bool = True, visit: Visit = run_pass
) -> Report:
    """What is due of its expiries, and a pass when it *looks*.

    Raises:
        ExpiryError: a script cannot say when its expiry comes: the listener does not run before that is known.
        Transient: see `run_pass`; or the account is left alone for a while, as its server asked; or another machine
            works on the listener.
        PersonNeeded: see `run_pass`.
        JournalError: nothing may be acted on now.
    """
    with world.journal.holding(listener.name) as ours:
        if not ours:
            raise Transient(f"another machine works on listener '{listener.name}'")
        return _turn(listener, decider, world, looks=looks, visit=visit)


def _turn(listener: Listener, decider: Decider, world: World, *, looks: bool, visit: Visit) -> Report:
    fired = tuple(expire(listener, world))
    ended = expired(listener, world.journal, world.clock())
    if ended or not looks:
        return Report(listener.name, fired, ended=ended)
    with world.pauses.obeyed(listener.account.name):
        world.consent(listener)
        report = visit(listener, decider, world)
    return replace(report, entries=fired + report.entries)
