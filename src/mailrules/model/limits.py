"""How much a rule or a listener may do within a time, and how many automatic mails a correspondent gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be done within a time before it pauses; None is without a limit."""

    sends: int | None = None
    """Mails sent."""
    deletes: int | None = None
    moves: int | None = None
    share: float | None = None
    """Of the messages in the folder, from 0 to 1: how many may be deleted or moved."""
    within: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cap:
    """How many automatic mails a correspondent, or a thread, gets within a time."""

    mails: int = 10
    same_subject: int = 2
    within: timedelta = timedelta(minutes=180)
