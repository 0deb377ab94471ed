"""What is counted over time, so that nothing automatic runs away: mails to a correspondent, what a rule removes."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

LONGEST = timedelta(days=31)
"""How far back counts reach: what is older is forgotten."""


class Mark(NamedTuple):
    """Something that happened, and counts once however often it is tried."""

    what: str
    """`mail`, `delete`, `move`, `send`, ..."""
    whom: str
    """What it counts against: a correspondent, a thread, a rule."""
    key: str
    """The same for every try: the step's idempotency key, the message's fingerprint."""
