"""Rules ready to decide: conditions compiled, actions built, every part remembering where it was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from mailrules.model.action import Action
from mailrules.model.code import Code
from mailrules.model.condition import Condition
from mailrules.model.limits import Limits
from mailrules.model.message import Message
from mailrules.model.span import NOWHERE, Span

_OLD_KEYWORDS = frozenset({"$forwarded"})
"""Keywords that files have a letter for, as for a flag (maildir's `P`)."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """What becomes of the message in the mailbox. The default leaves it untouched."""

    delete: bool = False
    move: str | None = None
    copy: tuple[str, ...] = ()
    seen: bool | None = None
    flags: tuple[str, ...] = ()
    r"""Flags to set, `\Flagged` or a keyword."""
    labels: tuple[str, ...] = ()
    """Labels to add where the server has them (Gmail), keywords elsewhere."""

    @property
    def idle(self) -> bool:
        """Whether nothing at all is to be done on the server."""
        return self == UNTOUCHED

    @property
    def removes(self) -> bool:
        """Whether the message is not in its folder afterwards."""
        return self.delete or self.move is not None

    def verbs(self) -> frozenset[str]:
        """What a mailbox must be able to do for it: of `delete move copy seen flags keywords labels`."""
        own = tuple(flag for flag in self.flags if not flag.startswith("\\") and flag.lower() not in _OLD_KEYWORDS)
        named = {"delete": self.delete, "move": self.move, "copy": self.copy}
        named |= {"seen": self.seen is not None, "flags": len(self.flags) > len(own), "labels": self.labels}
        named |= {"keywords": own}
        return frozenset(verb for verb, wanted in named.items() if wanted)

    def over(self, earlier: Disposition) -> Disposition:
        """This one on top of what continuing rules said before: marks add up, the later word wins."""
        return replace(
            self,
            copy=tuple(dict.fromkeys((*earlier.copy, *self.copy))),
            seen=earlier.seen if self.seen is None else self.seen,
            flags=tuple(dict.fromkeys((*earlier.flags, *self.flags))),
            labels=tuple(dict.fromkeys((*earlier.labels, *self.labels))),
        )

    def __str__(self) -> str:
        """A few words for tables and logs."""
        words = ["delete"] if self.delete else []
        words += [f"move to {self.move}"] if self.move else []
        words += [f"copy to {folder}" for folder in self.copy]
        words += [] if self.seen is None else ["mark seen" if self.seen else "mark unseen"]
        words += [f"flag {flag}" for flag in self.flags] + [f"label {label}" for label in self.labels]
        return ", ".join(words) or "keep"


UNTOUCHED = Disposition()


class OnError(StrEnum):
    """What becomes of a transition when a step fails."""

    RETRY = "retry"
    """What may succeed later is tried again; what cannot is parked."""
    IGNORE = "ignore"
    """It is on record, and the transition goes on."""
    PARK = "park"
    """A person looks, at once."""


STEP_SECONDS = 60.0
"""How long a step may take that does not say."""
SENDING_SECONDS = 360.0
"""The same of one that sends mail: a server may look at it for minutes before it says that it has taken it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a transition, built from its options."""

    name: str
    """The plugin's word, `send`; steps of a flow carry its name too: `new-support-mail/send`."""
    action: Action
    needs_body: bool = False
    """Whether describing or running it takes more than the header block."""
    repeatable: bool = False
    """Whether it may run again with the same idempotency key when nobody knows if it ran."""
    pure: bool = False
    """Whether it touches nothing but its arguments: a dry run runs it too."""
    sends: bool = False
    """Whether it sends mail as the listener's account."""
    digest: str = ""
    """A hash of what was written: a changed step is another step."""
    title: str = ""
    """Its `name:`, by which later steps find its result: `data.TITLE.FIELD`."""
    timeout: float = STEP_SECONDS
    """Seconds that it may take."""
    on_error: OnError = OnError.RETRY
    authenticated: bool = False
    """Whether it is done only for mail that its author's domain vouches for."""
    span: Span = NOWHERE

    @property
    def kind(self) -> str:
        """The plugin's word alone."""
        return self.name.rpartition("/")[2]

    @property
    def label(self) -> str:
        """What people know it by: its title, else the plugin's word; after the flow that it stands in."""
        return f"{self.name.removesuffix(self.kind)}{self.title}" if self.title else self.name


@dataclass(frozen=True, slots=True)
class Active:
    """When a rule is in force: `from` (inclusive), `until` (exclusive), and a cron expression whose minutes count."""

    since: datetime | None = None
    until: datetime | None = None
    cron: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Script:
    """A rule that is a Python function: `decide(mail_message) -> 1 | 2 | 3 | 4 | None`."""

    path: str
    decide: Callable[[Message], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """match -> action code, and what happens then."""

    name: str
    code: Code = Code.KEEP
    condition: Condition | None = None
    """None matches everything, unless there is a script."""
    script: Script | None = None
    keep: Disposition = UNTOUCHED
    steps: tuple[Step, ...] = ()
    continues: bool = False
    active: Active | None = None
    span: Span = NOWHERE
    limits: Limits | None = None


UNMATCHED = Rule(name="unmatched")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one listener in order, and what is done with a message that none of them claims."""

    rules: tuple[Rule, ...] = ()
    unmatched: Rule = UNMATCHED
    timezone: str = "UTC"
    """The account's zone: where office hours are read unless a condition says otherwise."""
    transition: tuple[Step, ...] = field(default=())
    """The listener's own flow, after the rule's actions, whenever the code fires."""
