"""What a delivery report says: who did not get which message, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounced:
    """One recipient of a delivery report (RFC 3464, section 2.3); what the report does not say is empty."""

    address: str
    """The final recipient: where the message was really to go."""
    action: str = ""
    """`failed`, `delayed`, `delivered`, `relayed` or `expanded`."""
    status: str = ""
    """The enhanced status code, `5.1.1` (RFC 3463)."""
    diagnostic: str = ""
    """The other server's own words."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report; of other mail everything in it is empty."""

    recipients: tuple[Bounced, ...] = ()
    message_id: str = ""
    """The Message-ID, in its angle brackets, of what was sent."""
    subject: str = ""
    """The subject of what was sent."""
    evidence: str = ""
    """Where in the message that stands."""
