"""Dry runs of listeners on their mailboxes, and of rules on messages at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from mailrules.cli.expiries import expiry_lines
from mailrules.cli.mail import mailboxes
from mailrules.cli.workspace import active_listeners, load, one_listener, rules_listener
from mailrules.config.settings import Listener, Workspace
from mailrules.core.decide import Decider
from mailrules.core.expiry import ExpiryError
from mailrules.engine.expire import expire
from mailrules.engine.listen import Failure
from mailrules.engine.passes import Report, run_pass
from mailrules.engine.preview import Previews
from mailrules.engine.world import World
from mailrules.engine.worlds import dry_world, for_trial, replay_world
from mailrules.model.journal import Journal
from mailrules.registry import Registry, load_registry
from mailrules.store.overlay import OverlayJournal
from mailrules.store.sql import open_journal

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for."""

    listeners: Sequence[str] = ()
    mail: Sequence[str] = ()
    rules: Path | None = None
    limit: int | None = None
    again: bool = False
    previews: Previews | None = None
    """Where the mails that would leave are kept, if anybody wants to see them."""

    def looked_at(self, world: World) -> World:
        """The world, its performer looked at if anybody wants to."""
        return replace(world, perform=self.previews.over(world.perform)) if self.previews else world


@dataclass(frozen=True, slots=True)
class Trial:
    """One mailbox tried."""

    name: str
    report: Report | None = None
    failure: str = ""
    """Why the mailbox could not be read."""
    first_pass: str = ""
    """What a live first pass would leave alone, for a person."""
    expiries: tuple[str, ...] = ()
    """What comes at which moment, for a person."""
    handled: int = 0
    """Messages left out because the journal has them."""
    most: int = -1
    """Messages that a live pass takes; -1 for all."""
    recorded: bool = False
    """Whether what the journal holds was looked at, so that its messages have their numbers."""


def trials(choice: Choice, told: Told) -> Iterator[Trial]:
    """Try what is asked for, one mailbox after another."""
    if choice.mail:
        yield from _on_mail(choice, told)
    else:
        workspace = load()
        yield from _on_mailboxes(choice, workspace, told)


def _on_mail(choice: Choice, told: Told) -> Iterator[Trial]:
    listener, registry = _decided_by(choice)
    for name, mailbox in mailboxes(choice.mail, registry):
        world = choice.looked_at(replace(replay_world(mailbox, OverlayJournal()), progress=told))
        yield _try(replace(listener, name=name), world)


def _decided_by(choice: Choice) -> tuple[Listener, Registry]:
    if choice.rules:
        registry = load_registry()
        return _limited(for_trial(rules_listener(choice.rules, registry)), choice), registry
    workspace = load()
    return _limited(for_trial(one_listener(workspace, choice.listeners)), choice), workspace.registry


def _on_mailboxes(choice: Choice, workspace: Workspace, told: Told) -> Iterator[Trial]:
    with closing(_overlay(workspace, again=choice.again)) as journal:
        world = choice.looked_at(replace(dry_world(workspace, journal), progress=told))
        for listener in active_listeners(workspace, choice.listeners):
            first = journal.first_pass(listener.name) is None
            before = sum(journal.totals(listener.name).values())
            tried = _with_expiries(listener, world, lambda one: _try(_as_live(one, choice), world))
            left_alone = f"start: {listener.start}" if first and listener.start != "all" else ""
            noted = replace(tried, first_pass=left_alone, handled=before, most=listener.max_emails)
            yield replace(noted, recorded=not choice.again)


def _with_expiries(listener: Listener, world: World, tries: Callable[[Listener], Trial]) -> Trial:
    """A trial, those of the listener's expiries that have come before its mail, and what is to come told."""
    try:
        told = tuple(expiry_lines(listener, world.journal))
        fired = tuple(expire(listener, world))
    except ExpiryError as error:
        return Trial(listener.name, failure=str(error))
    tried = tries(listener)
    report = replace(tried.report, entries=fired + tried.report.entries) if tried.report else None
    return replace(tried, report=report, expiries=told)


def _overlay(workspace: Workspace, *, again: bool) -> Journal:
    return OverlayJournal(None if again else open_journal(workspace.journal, readonly=True))


def _as_live(listener: Listener, choice: Choice) -> Listener:
    """What a listener looks at: no more than live, except that everything is there to be tried again."""
    free = for_trial(listener)
    if not choice.again:
        free = replace(free, max_age=listener.max_age, unseen_only=listener.unseen_only)
    return _limited(free, choice)


def _limited(listener: Listener, choice: Choice) -> Listener:
    return replace(listener, max_emails=choice.limit) if choice.limit else listener


def _try(listener: Listener, world: World) -> Trial:
    try:
        return Trial(listener.name, run_pass(listener, Decider(listener.rules), world))
    except (Exception, SystemExit) as error:
        return Trial(listener.name, failure=Failure(listener.name, error, 0).reason)
