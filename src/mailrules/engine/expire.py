"""Expiries as they come: their steps go the way of a message's, with a notice in place of the mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime

from mailrules.config.settings import Listener
from mailrules.core.expiry import in_order
from mailrules.core.parse import parse
from mailrules.core.schedule import GRACE, local_time
from mailrules.engine.process import Case, process
from mailrules.engine.world import World
from mailrules.model.code import Code
from mailrules.model.decision import Decision
from mailrules.model.entry import UNFINISHED, Entry, State
from mailrules.model.journal import Journal, Query
from mailrules.model.mailbox import Ref
from mailrules.model.message import Message
from mailrules.model.schedule import Expiry

EXPIRY = "expiry"
"""The validity of a reference that stands for no message: its entry is an expiry's."""


def expire(listener: Listener, world: World) -> list[Entry]:
    """Perform what is due of the listener's expiries, each once, late ones too; gives their entries.

    Raises:
        ExpiryError: a script cannot say when its expiry comes.
        JournalError: nothing may be acted on now.
    """
    if not listener.expires:
        return []
    now = world.clock()
    due = [(at, expiry) for at, expiry in expiries(listener, world.journal) if at <= now]
    taken = [(expiry, entry) for at, expiry in due for entry in _taken(listener, world, at, expiry)]
    return [_performed(listener, world, expiry, entry) for expiry, entry in taken]


def expiries(listener: Listener, journal: Journal) -> list[tuple[datetime, Expiry]]:
    """The listener's expiries in time order, as far as their moments are known by now."""
    return in_order(listener.expires, journal.first_pass(listener.name)) if listener.expires else []


def expired(listener: Listener, journal: Journal, now: datetime) -> str:
    """Why a listener has ended by an expiry; empty while it has not."""
    over = [(at, expiry) for at, expiry in expiries(listener, journal) if expiry.terminate and at <= now]
    return f"it expired {local_time(over[0][0], listener.schedule)}: {over[0][1].written}" if over else ""


def next_expiry(listener: Listener, world: World) -> datetime | None:
    """When there is something to do for an expiry: one comes, or one is to be tried again."""
    if not listener.expires:
        return None
    now, journal = world.clock(), world.journal
    timed = expiries(listener, journal)
    stood = _standing(listener, journal, [expiry for _, expiry in timed])
    ended = listener.stop_after_first and bool(journal.history(listener.name).stopped)
    moments = [] if ended else [at for at, expiry in timed if expiry.key not in stood]
    moments += [entry.retry_at or now for entry in stood.values() if entry.state in (*UNFINISHED, State.RETRY)]
    return min(moments, default=None)


def _standing(listener: Listener, journal: Journal, wanted: Sequence[Expiry]) -> dict[str, Entry]:
    """The entries on record, by key."""
    if not wanted:
        return {}
    refs = [Ref("", EXPIRY, expiry.key) for expiry in wanted]
    return {ref.uid: entry for ref, entry in journal.known(listener.name, refs, account=listener.account.name).items()}


def _taken(listener: Listener, world: World, at: datetime, expiry: Expiry) -> list[Entry]:
    """The entry, taken in hand; nothing when it is done, waits, or is another process's."""
    journal = world.journal
    prior = _standing(listener, journal, [expiry]).get(expiry.key)
    if prior is None:
        ended = listener.stop_after_first and journal.history(listener.name).stopped
        return [] if ended else journal.claim([_entry(listener, at, expiry, world.clock())])
    if prior.state in UNFINISHED:
        return journal.find(Query(ids=frozenset({prior.id or 0})))
    if prior.state is State.RETRY and (prior.retry_at is None or prior.retry_at <= world.clock()):
        found = journal.find(Query(ids=frozenset({prior.id or 0})))
        return journal.claim([replace(entry, state=State.CLAIMED) for entry in found])
    return []


def _entry(listener: Listener, at: datetime, expiry: Expiry, now: datetime) -> Entry:
    late = f", {_length(now - at)} late" if now - at > GRACE else ""
    return Entry(
        listener=listener.name,
        account=listener.account.name,
        ref=Ref("", EXPIRY, expiry.key),
        fingerprint=f"{EXPIRY}:{expiry.key}",
        state=State.CLAIMED,
        rule="expires",
        code=Code.KEEP_ACTIVATE,
        subject=f"expired {local_time(at, listener.schedule)}{late}: {expiry.written}",
        date=at,
    )


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _performed(listener: Listener, world: World, expiry: Expiry, entry: Entry) -> Entry:
    decision = Decision("expires", Code.KEEP_ACTIVATE, steps=expiry.steps)
    done = process(Case(notice(entry), decision, entry), listener, world)
    if done.state is State.ACTED:
        done = replace(done, state=State.DONE, retry_at=None)
        world.journal.save([done])
    world.recorded(done)
    return done


def notice(entry: Entry) -> Message:
    """What the steps of an expiry get for a message: nobody's, with its subject and date, and no more."""
    date = f"Date: {format_datetime(entry.date)}\n" if entry.date else ""
    return parse(f"Subject: {entry.subject}\n{date}Auto-Submitted: auto-generated\n\n".encode())
