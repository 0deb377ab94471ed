"""The typed settings that the YAML files turn into: all that the engine needs, nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from mailrules.api import AuthType, ReceiveProtocol, SendProtocol
from mailrules.model.limits import Cap, Limits
from mailrules.model.message import Address, Trust
from mailrules.model.rule import RuleSet
from mailrules.model.schedule import Expiry, Schedule
from mailrules.model.span import NOWHERE, Span
from mailrules.registry import Provided, Registry


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach one mailbox, and how to send as it."""

    name: str
    receive: tuple[Provided[ReceiveProtocol], Any] | None = None
    """The protocol and its built options; None for an account that only sends."""
    send: tuple[Provided[SendProtocol], Any] | None = None
    auth: tuple[Provided[AuthType], Any] | None = None
    """None: nothing to log in with (`auth: none`)."""
    sender: Address | None = None
    """`from:` the address and name it sends as."""
    naming: Literal["company", "agent and company"] = "company"
    """Whether its name stands alone in From, or after that of who writes: `Jo from Example`."""
    sent: bool | str = False
    """Whether copies of what it sends are put into its own folder for that, or into the one named."""
    trust: Trust = field(default_factory=Trust)
    cap: Cap = field(default_factory=Cap)
    """How many automatic mails a correspondent gets."""
    timezone: str = "UTC"
    missing_folder: Literal["create", "fail"] = "create"
    """What becomes of a folder that rules move or copy to and that is not there: made when first used, or refused."""
    max_connections: int = 5
    """How many the listeners may have at a time: half of what common servers allow, the rest is for people."""
    description: str = ""
    span: Span = NOWHERE

    @property
    def data(self) -> Mapping[str, Any]:
        """What templates and actions see of it; `own` are the addresses of all accounts, in small letters."""
        sender = self.sender or Address("", "")
        told = {"name": self.name, "address": sender.address, "company": sender.name, "naming": self.naming}
        return {**told, "own": sorted(self.trust.own_addresses)}


Start = Literal["now", "all"] | datetime
"""What the very first pass may touch: nothing that is there already, everything, or what came since."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Watches one folder of an account."""

    name: str
    account: Account
    rules: RuleSet
    folder: str = "INBOX"
    listen: bool = True
    unseen_only: bool = False
    max_emails: int = 5
    """A pass, oldest first; -1 is all."""
    max_size: int | None = None
    """Octets of the largest message that is taken whole; None is without a limit."""
    oversize: Literal["park", "skip", "header"] = "park"
    """What becomes of a larger one."""
    max_age: timedelta | None = None
    """How long ago a message that is taken came at most; None is without a limit."""
    stop_after_first: bool = False
    """The first message that fires the transition is the last that is taken."""
    start: Start = "now"
    schedule: Schedule = field(default_factory=Schedule)
    idle: bool = False
    """Whether a connection is kept on which the server tells of new mail."""
    expires: tuple[Expiry, ...] = ()
    limits: Limits | None = None
    siblings: tuple[str, ...] = ()
    """Other listeners on the same folder: what they have in hand is not taken away from them."""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything in the files, checked and built."""

    root: Path
    """The folder of mailrules.yaml: relative paths start here."""
    registry: Registry
    accounts: Mapping[str, Account] = field(default_factory=dict)
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    journal: str = ""
    """The journal's SQLAlchemy URL."""
    files: Path = Path("files")
    """Where actions save, absolute."""
