"""One message decided with its trace, from a file or fetched again from its mailbox."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from mailrules.cli.mail import read_message
from mailrules.cli.number import journal_number
from mailrules.cli.workspace import journal_of, load, one_listener, rules_listener
from mailrules.config.settings import Listener, Workspace
from mailrules.core.decide import Decider
from mailrules.core.fingerprint import fingerprint
from mailrules.core.parse import parse
from mailrules.engine.memory import MemoryMailbox
from mailrules.engine.passes import run_pass
from mailrules.engine.preview import Previews
from mailrules.engine.world import system_clock
from mailrules.engine.worlds import for_trial, opener, replay_world
from mailrules.model.decision import Decision, Trace
from mailrules.model.entry import Entry
from mailrules.model.journal import Query
from mailrules.model.mailbox import Head, Mailbox
from mailrules.model.message import Message
from mailrules.store.overlay import OverlayJournal


@dataclass(frozen=True, slots=True)
class Found:
    """A message at hand, and the rules and the moment by which to decide it."""

    name: str
    raw: bytes
    listener: Listener
    now: datetime
    received: datetime | None = None
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was decided about a message, and why."""

    found: Found
    message: Message
    decision: Decision
    """With its trace: every rule."""
    entry: Entry
    """The same decision with its steps described."""
    previews: Previews | None = None
    """The mails that they would send, if anybody wants to see them."""

    def of(self, rule: str) -> Explanation:
        """With the trace of one rule only.

        Raises:
            click.UsageError: there is none of that name.
        """
        names = [one.name for one in self.found.listener.rules.rules]
        traced = [trace for name, trace in zip(names, self.decision.trace, strict=True) if name == rule]
        if not traced:
            from difflib import get_close_matches

            near = get_close_matches(rule, names, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"'{self.found.listener.name}' has no rule '{rule}'{hint}")
        return replace(self, decision=replace(self.decision, trace=tuple(traced)))

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The rules, in order."""
        return self.decision.trace


def explanation(
    named: str, *, listener: str | None, rules: Path | None, previews: Previews | None = None
) -> Explanation:
    """Find the message that the command line names, and decide it.

    Raises:
        click.UsageError: there is no such message, or it is not clear by which rules to decide it.
    """
    number = _number(named)
    found = _in_file(named, listener, rules) if number is None else _in_journal(number, listener, rules)
    trust = found.listener.account.trust
    message = parse(found.raw, size=len(found.raw), received=found.received, flags=found.flags, trust=trust)
    decision = Decider(found.listener.rules).decide(message, found.now, trace=True)
    return Explanation(found, message, decision, _described(found, previews), previews)


def _described(found: Found, previews: Previews | None) -> Entry:
    """The decision's steps, described by the one path that everything takes."""
    mailbox = MemoryMailbox({found.name: found.raw}, found.received, found.flags)
    world = replay_world(mailbox, OverlayJournal(), at=found.now)
    if previews:
        world = replace(world, perform=previews.over(world.perform))
    return run_pass(for_trial(found.listener), Decider(found.listener.rules), world).entries[0]


def _in_file(path: str, listener: str | None, rules: Path | None) -> Found:
    raw = read_message(path)
    decided_by = rules_listener(rules) if rules else one_listener(load(quiet=True), [listener] if listener else [])
    return Found(path, raw, decided_by, system_clock())


def _number(named: str) -> int | None:
    """The journal number that is meant: `#12`, or `12` where no file has that name; None for a file."""
    if not named.startswith("#") and Path(named).exists():
        return None
    number = journal_number(named)
    if number is None and named.startswith("#"):
        raise click.UsageError(f"'{named}' is no journal number: `mailrules log` lists them, #1, #2, ...")
    return number


def _in_journal(number: int, listener: str | None, rules: Path | None) -> Found:
    workspace = load(quiet=True)
    with closing(journal_of(workspace, readonly=True)) as journal:
        entries = journal.find(Query(ids=frozenset({number})))
    if not entries:
        raise click.UsageError(f"the journal has no #{number}")
    entry = entries[0]
    watched = one_listener(workspace, [entry.listener])
    head, raw = _fetch(entry, watched, workspace)
    decided_by = rules_listener(rules) if rules else one_listener(workspace, [listener]) if listener else watched
    return Found(f"#{number}", raw, decided_by, _moment(entry), head.received, head.flags)


def _moment(entry: Entry) -> datetime:
    """When it was decided, as nearly as is on record."""
    first = entry.steps[0].at if entry.steps else None
    return first or entry.updated or system_clock()


def _fetch(entry: Entry, listener: Listener, workspace: Workspace) -> tuple[Head, bytes]:
    """The message from where it was met, or from where its disposition put it."""
    folders = (entry.ref.folder or listener.folder, entry.disposition.move, *entry.disposition.copy)
    for folder in dict.fromkeys(folder for folder in folders if folder):
        with closing(opener(workspace, readonly=True)(replace(listener, folder=folder))) as mailbox:
            head = _head(entry, mailbox)
            for _, raw in mailbox.bodies([head.ref]) if head else ():
                assert head is not None
                return head, raw[:]
    gone = f"#{entry.id} is not in its mailbox any more (what was decided: {entry.disposition})"
    raise click.UsageError(f"{gone}; `mailrules log {entry.id}` shows what is on record, or explain a copy of it")


def _head(entry: Entry, mailbox: Mailbox) -> Head | None:
    """By its reference, else by its fingerprint."""
    for head in mailbox.heads([entry.ref]):
        return head
    heads = mailbox.heads(mailbox.refs(unseen_only=False))
    return next((head for head in heads if fingerprint(head.header, head.size) == entry.fingerprint), None)
