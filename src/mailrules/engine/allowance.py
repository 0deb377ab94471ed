"""What the rules of a listener may still do: one that would do more than its `limits:` say pauses, and says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailrules.api import Duration
from mailrules.config.settings import Listener
from mailrules.engine.process import Case
from mailrules.engine.world import World
from mailrules.model.code import Code
from mailrules.model.decision import Decision
from mailrules.model.entry import State
from mailrules.model.limits import Limits
from mailrules.model.tally import Mark

FEWEST = 10
"""Messages that may go whatever share of the folder they are: a share of a handful says nothing."""
MOST = 1_000_000
"""Messages gone that are counted for a share."""


@dataclass(frozen=True, slots=True)
class Over:
    """Why a decision is not carried out now, and when it may be."""

    reason: str
    until: datetime


@dataclass(slots=True)
class Allowance:
    """Weighs each decision of a pass against what has been done before it, by whichever process."""

    listener: Listener
    world: World
    present: int = 0
    """Messages in the folder when the pass began."""
    _pending: list[Mark] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _limited: dict[str, Limits] = field(default_factory=dict)
    """Limits by the rules' names."""

    def __post_init__(self) -> None:
        """Look through the rules once a pass."""
        rules = (*self.listener.rules.rules, self.listener.rules.unmatched)
        self._limited = {rule.name: rule.limits for rule in rules if rule.limits}

    def weigh(self, case: Case) -> Case:
        """The same case; or, where a limit is reached, one that leaves the message alone until it may be tried again.

        What was let through before is not weighed again: a message is finished as it was begun.
        """
        if case.held or case.entry.attempts:
            return case
        concerned, costs = list(self._concerned(case.decision)), _costs(case.decision)
        for whose, limits in concerned:
            if over := self._over(whose, limits, costs):
                return self._put_off(case, over)
        for whose, _ in concerned:
            marks = (Mark(what, whose, key) for what, number in costs.items() for key in _keys(case, number))
            self._pending += marks
        return case

    def spend(self) -> None:
        """Put on record what was let through, before it is done."""
        if self._pending:
            self.world.journal.tally(self._pending, self.world.clock())
            self._pending = []

    def _concerned(self, decision: Decision) -> Iterator[tuple[str, Limits]]:
        if self.listener.limits:
            yield f"listener '{self.listener.name}'", self.listener.limits
        if self._limited:
            for name in (*decision.continued, decision.rule or self.listener.rules.unmatched.name):
                if name in self._limited:
                    yield f"rule '{name}' of listener '{self.listener.name}'", self._limited[name]

    def _over(self, whose: str, limits: Limits, costs: Mapping[str, int]) -> Over | None:
        most = {"send": limits.sends, "delete": limits.deletes, "move": limits.moves}
        for what, number in costs.items():
            limit = most[what]
            if limit is not None and (until := self._full(what, whose, limit - number, limits.within)):
                done = {"send": "sent", "delete": "deleted", "move": "moved"}[what]
                within = Duration(limits.within.total_seconds())
                said = f"{whose} is paused: it has {done} {limit} within {within} (limits: {what}s)"
                return Over(said, until)
        return self._over_share(whose, limits) if limits.share is not None and _removing(costs) else None

    def _full(self, what: str, whose: str, room: int, within: timedelta) -> datetime | None:
        """When there is room again; None where more than *room* have not been counted."""
        now = self.world.clock()
        waiting = sum(mark[:2] == (what, whose) for mark in self._pending)
        counted = self.world.journal.tallied(what, whose, now - within, most=max(0, room) + 1)
        if len(counted) + waiting <= room:
            return None
        return (counted[-1] if counted else now) + within

    def _over_share(self, whose: str, limits: Limits) -> Over | None:
        now, share = self.world.clock(), limits.share or 0.0
        before = [
            at
            for what in ("delete", "move")
            for at in self.world.journal.tallied(what, whose, now - limits.within, most=MOST)
        ]
        waiting = Counter(mark.what for mark in self._pending if mark.whom == whose)
        gone = len(before) + waiting["delete"] + waiting["move"] + 1
        if gone <= FEWEST or gone <= share * (self.present + len(before)):
            return None
        within = Duration(limits.within.total_seconds())
        said = f"{whose} is paused: {gone - 1} of its {self.present + len(before)} messages are gone within {within}"
        return Over(f"{said} (limits: share)", min(before, default=now) + limits.within)

    def _put_off(self, case: Case, over: Over) -> Case:
        if over.reason not in self._told:
            self._told.add(over.reason)
            self.world.warned(self.listener.name, over.reason)
        waits = Decision(case.decision.rule, Code.KEEP)
        entry = replace(
            case.entry,
            state=State.RETRY,
            code=waits.code,
            disposition=waits.disposition,
            reason=over.reason,
            retry_at=over.until,
        )
        return Case(case.message, waits, entry, held=entry.id is not None)


def _costs(decision: Decision) -> dict[str, int]:
    removal = {"delete": int(decision.disposition.delete), "move": int(decision.disposition.move is not None)}
    costs = removal | {"send": sum(step.sends for step in decision.steps)}
    return {what: number for what, number in costs.items() if number}


def _removing(costs: Mapping[str, int]) -> bool:
    return "delete" in costs or "move" in costs


def _keys(case: Case, number: int) -> Iterator[str]:
    """One for each of so many things done to a message, the same at every try."""
    return (f"{case.entry.account} {case.entry.fingerprint} {at}" for at in range(number))
