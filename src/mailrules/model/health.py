"""How a listener fares: what it leaves on record of its checks, for whoever watches over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Health:
    """How a listener has fared; of one that never ran, nothing."""

    last_success: datetime | None = None
    """When its mailbox was last looked through."""
    failures: int = 0
    """Checks in a row that failed."""
    since: datetime | None = None
    """When the first of those failed."""
    error: str = ""
    """What the latest of them said."""
    remedy: str = ""
    """What to do about it, where that is known."""
    person: bool = False
    """Whether it goes on only when somebody acts."""
    next_run: datetime | None = None
    """When the process that runs it looks next; None when none was planned."""
    overdue: datetime | None = None
    """From when on the lack of another success is a fault of its own; None when none was promised."""
    waiting: int = 0
    """Messages that the latest check left for the next one."""
    ended: str = ""
    """Why it looks no more; empty while it does."""
