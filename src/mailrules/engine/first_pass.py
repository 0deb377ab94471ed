"""The first pass over a mailbox that holds mail already: what it would do, and whether somebody has agreed to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mailrules.config.settings import Listener, Workspace
from mailrules.core.decide import Decider
from mailrules.engine.passes import beginning, run_pass
from mailrules.engine.worlds import dry_world
from mailrules.model.action import PersonNeeded
from mailrules.model.code import Code
from mailrules.model.entry import Entry, State
from mailrules.model.journal import Journal
from mailrules.store.overlay import OverlayJournal

MANY = 100
"""Messages up to which a first pass begins unasked: so many a person can still look through afterwards."""
DELETED = 10
"""Of these, how many may be deleted unasked: what is deleted nobody can look through."""
TRIED = 1000
"""Messages that are tried; how many more there are is told."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a first pass, and those that take up what it leaves, would do with the mail that is there."""

    listener: str
    waiting: int
    """Messages that would be handled."""
    tried: int
    """Of these, how many were tried for what follows."""
    counted: Mapping[tuple[str, Code], int] = field(default_factory=dict)
    """Messages by rule and code."""
    moved: int = 0

    @property
    def deleted(self) -> int:
        """How many would be deleted."""
        return sum(number for (_, code), number in self.counted.items() if code.deletes)

    @property
    def fired(self) -> int:
        """For how many actions would run."""
        return sum(number for (_, code), number in self.counted.items() if code.fires)

    @property
    def asks(self) -> bool:
        """Whether somebody is to agree first."""
        return self.waiting > MANY or self.deleted > DELETED

    def __str__(self) -> str:
        """`250 messages that are there already (12 to be deleted, 30 to be moved, 50 to run actions)`."""
        counts = {"be deleted": self.deleted, "be moved": self.moved, "run actions": self.fired}
        told = ", ".join(f"{number:,} to {what}" for what, number in counts.items() if number)
        some = f"of the first {self.tried:,}: " if told and self.tried < self.waiting else ""
        noun = "message that is" if self.waiting == 1 else "messages that are"
        return f"{self.waiting:,} {noun} there already" + (f" ({some}{told})" if told else "")


def outlook(listener: Listener, workspace: Workspace, journal: Journal) -> Outlook:
    """A dry run of the first pass; raises what a pass raises."""
    world = dry_world(workspace, OverlayJournal(journal))
    report = run_pass(replace(listener, max_emails=TRIED, idle=False), Decider(listener.rules), world)
    handled = [entry for entry in report.entries if entry.state is not State.SKIPPED]
    counted = Counter((_rule(entry), entry.code) for entry in handled)
    moved = sum(entry.disposition.move is not None for entry in handled)
    return Outlook(listener.name, len(handled) + report.left, len(handled), counted, moved)


def _rule(entry: Entry) -> str:
    return entry.rule if entry.rule is not None else "(unmatched)"


@dataclass(slots=True)
class Consent:
    """Keeps a first pass that would touch much from beginning before somebody has agreed."""

    workspace: Workspace
    journal: Journal
    everywhere: bool = False
    """Whether somebody has agreed to all of them."""
    agreed: set[str] = field(default_factory=set)
    """The beginnings that are agreed to, or that need nobody's word."""
    _outlooks: dict[str, Outlook] = field(default_factory=dict, init=False)

    def __call__(self, listener: Listener) -> None:
        """See `mailrules.engine.world.World.consent`."""
        found = self.asked(listener)
        if found is not None:
            name = listener.name
            raise PersonNeeded(
                f"its first pass would handle {found}; nothing has been touched",
                remedy=f"`mailrules dry-run {name}` shows each; start with `mailrules run --yes` if that is right, "
                "or write `start: now`",
            )

    def asked(self, listener: Listener) -> Outlook | None:
        """What somebody is to agree to; None where nobody need."""
        key = beginning(listener)
        if self.everywhere or key in self.agreed:
            return None
        if listener.start == "now" or self.journal.first_pass(key) is not None:
            self.agreed.add(key)
            return None
        found = self._outlooks.get(key)
        if found is None:
            found = self._outlooks[key] = outlook(listener, self.workspace, self.journal)
        if not found.asks:
            self.agreed.add(key)
            return None
        return found

    def agree(self, listener: Listener) -> None:
        """Somebody has."""
        self.agreed.add(beginning(listener))
