"""The worlds there are: live, dry run, and messages at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from mailrules.api import Permanent, Place
from mailrules.config.settings import Listener, Workspace
from mailrules.engine.credential import with_credential
from mailrules.engine.edges import live_context
from mailrules.engine.pauses import Pauses, obeying
from mailrules.engine.perform import describe_only, performer
from mailrules.engine.virtual import Effects, VirtualMailbox, overlaid
from mailrules.engine.world import World, system_clock
from mailrules.model.entry import Entry
from mailrules.model.journal import Journal
from mailrules.model.mailbox import Mailbox
from mailrules.model.rule import RuleSet
from mailrules.model.schedule import Schedule


def opener(workspace: Workspace, *, readonly: bool) -> Callable[[Listener], Mailbox]:
    """Opens the folder that a listener watches, logged in."""

    def open_(listener: Listener) -> Mailbox:
        if listener.account.receive is None:
            raise Permanent(f"account '{listener.account.name}' has no `receive:`")
        provided, options = listener.account.receive
        must_exist = targets(listener.rules) if listener.account.missing_folder == "fail" else ()
        place = Place(workspace.root, listener.folder, readonly, must_exist=must_exist)
        return with_credential(listener.account, place, lambda shown: provided.item.open(options, shown, place))

    return open_


def targets(rules: RuleSet) -> tuple[str, ...]:
    """The folders that rules move or copy to."""
    kept = [rule.keep for rule in (*rules.rules, rules.unmatched)]
    return tuple(dict.fromkeys(folder for keep in kept for folder in (*keep.copy, keep.move) if folder))


def live_world(
    workspace: Workspace,
    journal: Journal,
    *,
    stopping: Callable[[], bool] = lambda: False,
    pauses: Pauses | None = None,
) -> World:
    """Everything for real; *pauses* are those of the world before it in this process."""
    left_alone = pauses or Pauses()

    def recorded(entry: Entry) -> None:
        try:
            workspace.registry.recorded(entry=entry)
        except Exception:
            logging.getLogger("mailrules").exception("an observer of the journal failed; nothing depends on it")

    return World(
        open=opener(workspace, readonly=False),
        perform=performer(obeying(live_context(workspace, journal), left_alone)),
        journal=journal,
        recorded=recorded,
        stopping=stopping,
        pauses=left_alone,
    )


def dry_world(workspace: Workspace, overlay: Journal) -> World:
    """The real mailboxes read-only under virtual ones, actions described, *overlay* over the journal."""
    opened = overlaid(opener(workspace, readonly=True), workspace.listeners.values())
    return World(open=opened, perform=describe_only, journal=overlay, warned=lambda _listener, _text: None)


def replay_world(mailbox: Mailbox, journal: Journal, *, at: datetime | None = None) -> World:
    """Messages at hand, decided as of *at* (now by default), actions described. Replay, explain and test cases.

    The mailbox they lie in is only read, whatever it could do.
    """
    at_hand = VirtualMailbox(mailbox, "", Effects())
    return World(
        open=lambda _listener: at_hand,
        perform=describe_only,
        journal=journal,
        clock=(lambda: at) if at else system_clock,
        warned=lambda _listener, _text: None,
    )


def for_trial(listener: Listener) -> Listener:
    """A listener as a trial reads it: everything there is, in one pass, whatever its limits say."""
    free = replace(listener, start="all", max_emails=-1, max_age=None, unseen_only=False, stop_after_first=False)
    return replace(free, schedule=Schedule(), expires=())
