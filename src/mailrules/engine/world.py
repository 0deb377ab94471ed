"""What differs between a live run, a dry run, a replay and a test: the edges, handed to one and the same path."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mailrules.config.settings import Listener
from mailrules.engine.pauses import Pauses
from mailrules.engine.perform import Perform
from mailrules.model.entry import Entry
from mailrules.model.journal import Journal
from mailrules.model.mailbox import Mailbox


def system_clock() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)


def warn(listener: str, text: str) -> None:
    """A line of the listener's for the operator."""
    logging.getLogger(f"mailrules.{listener}").warning("%s", text)


@dataclass(frozen=True, slots=True)
class World:
    """The edges of one run.

    | world   | open                          | perform   | journal | clock    |
    |---------|-------------------------------|-----------|---------|----------|
    | live    | the protocol plugin           | does it   | durable | system   |
    | dry run | the same read-only, overlaid  | describes | overlay | system   |
    | replay  | files or memory               | describes | overlay | recorded |
    | test    | memory                        | describes | memory  | fixed    |
    """

    open: Callable[[Listener], Mailbox]
    perform: Perform
    journal: Journal
    clock: Callable[[], datetime] = system_clock
    recorded: Callable[[Entry], None] = lambda _entry: None
    """Told of each entry that came to an end in this run."""
    warned: Callable[[str, str], None] = warn
    """Told, by a listener's name, what the operator should hear at once: nothing where nothing is done."""
    stopping: Callable[[], bool] = lambda: False
    """Asked between messages: the one in hand is finished, the rest is left for the next pass."""
    progress: Callable[[str, int, int], None] = lambda _listener, _done, _total: None
    """Told how far a pass is: listener, messages done, messages to do."""
    consent: Callable[[Listener], None] = lambda _listener: None
    """Asked before each pass; raises `PersonNeeded` for a first one that somebody is to agree to."""
    pauses: Pauses = field(default_factory=Pauses)
    """The accounts that are left alone for a while, as their servers asked."""
