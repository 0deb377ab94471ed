"""What `mailrules accounts test` runs for a protocol: named checks, each with what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LOG_IN = "log-in"
"""The name of the check that shows the credential: where there is none, it is skipped with all that follow."""


@dataclass(frozen=True, slots=True)
class Remark:
    """It works, and somebody should still know this."""

    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be right for a mailbox to be reached; running it changes nothing there.

    Example:
        yield Check("folder INBOX", lambda: f"{count} messages")
    """

    name: str
    run: Callable[[], str | Remark]
    """Gives what it found.

    Raises `Transient` or `PersonNeeded` with the cause, and in the latter the remedy.
    """
    needed: bool = True
    """Whether the checks after it are skipped when it fails."""
