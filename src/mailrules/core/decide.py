"""From rules and a message to a decision, without touching anything."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from mailrules.core import lacking, match
from mailrules.core.active import inactive_reason, is_active
from mailrules.core.index import Index
from mailrules.core.triggers import names_groups
from mailrules.core.view import View
from mailrules.model.code import Code
from mailrules.model.condition import Verdict
from mailrules.model.decision import Decision, Trace
from mailrules.model.message import Extent, Message
from mailrules.model.rule import UNTOUCHED, Disposition, Rule, RuleSet, Script, Step

_SHORT = reprlib.Repr()
_SHORT.maxother = 300
"""What scripts raise and answer, in one line of bounded length."""

UNCLAIMED = -1
"""The position of `unmatched`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A script raised or answered nonsense."""

    reason: str


Answer: TypeAlias = Code | Verdict | Failure
"""What a rule says of a message: a code if it speaks for it, else no, unknown, or that its script failed."""


@dataclass(frozen=True, slots=True)
class Said:
    """A rule that speaks for the message, with the code that it says."""

    rule: Rule
    code: Code

    @property
    def disposition(self) -> Disposition:
        """What it wants done in the mailbox."""
        return Disposition(delete=True) if self.code.deletes else self.rule.keep

    @property
    def marks(self) -> Disposition:
        """The same of a continuing rule, which may neither move nor delete."""
        return UNTOUCHED if self.code.deletes else replace(self.rule.keep, move=None, delete=False)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What it wants run."""
        return self.rule.steps if self.code.fires else ()


class Decider:
    """The rules of one listener, made ready once for deciding any number of messages. Threads may share it."""

    __slots__ = ("_capturing", "_index", "_ready", "_texts", "ruleset")

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self._index = Index(ruleset.rules)
        self._capturing = frozenset(
            position for position, rule in enumerate(ruleset.rules) if names_groups(rule.condition)
        )
        self._ready: dict[tuple[int, Code], Decision] = {}
        self._texts = any(rule.condition is not None and lacking.asks_text(rule.condition) for rule in ruleset.rules)

    def decide(self, message: Message, now: datetime, *, trace: bool = False) -> Decision:
        """What the rules say of *message* at the moment *now* (aware).

        It `needs` something when only what is not loaded could tell. With *trace* every rule is tried, without the
        index, and the decision carries what each of them saw; it is the same decision.
        """
        view = View(message, now, self.ruleset.timezone)
        if trace:
            return self._traced(view)
        return self._walk(self._index.candidates(view), view, {})

    def _walk(self, positions: Iterable[int], view: View, answers: dict[int, Answer]) -> Decision:
        """Ask the rules at *positions* in order until one speaks for the message; keeps what each answered."""
        said: list[tuple[int, Code]] = []
        passed_over: list[str] = []
        for position in positions:
            rule = self.ruleset.rules[position]
            given = answers[position] = answer(rule, view)
            if given is Verdict.NO:
                continue
            if isinstance(given, Code):
                said.append((position, given))
                if not rule.continues:
                    return self._conclude(said, passed_over, view)
            elif isinstance(given, Failure):
                return Decision(
                    rule.name, Code.KEEP, failure=given.reason, passed_over=tuple(passed_over), span=rule.span
                )
            elif (needs := self._needs(rule, view)) is not None:
                return Decision(None, Code.KEEP, needs=needs)
            else:
                passed_over.append(f"{rule.name}: {_doubt(rule, view)}")
        said.append((UNCLAIMED, self.ruleset.unmatched.code))
        return self._conclude(said, passed_over, view)

    def _needs(self, rule: Rule, view: View) -> Extent | None:
        """What must be loaded for an unknown *rule* to speak; None when nothing would make it.

        Where some rule looks at texts they come with the structure, as a rule further down will want them.
        """
        needs = lacking.lacking(rule.condition, view) if rule.condition is not None else Extent.HEADER
        if needs is Extent.HEADER and rule.script is not None and view.message.extent.partial:
            return Extent.WHOLE
        return Extent.TEXT if needs is Extent.STRUCTURE and self._texts else needs

    def _conclude(self, said: list[tuple[int, Code]], passed_over: list[str], view: View) -> Decision:
        decision = self._alone(said[0]) if len(said) == 1 else self._together(said)
        if decision.steps and view.message.extent.partial and any(step.needs_body for step in decision.steps):
            return Decision(None, Code.KEEP, needs=Extent.WHOLE)
        captures: dict[str, str] = {}
        for position, _ in said:
            condition = self.ruleset.rules[position].condition if position in self._capturing else None
            if condition is not None:
                captures |= match.captured(condition, view)
        if captures or passed_over:
            return replace(decision, captures=captures, passed_over=tuple(passed_over))
        return decision

    def _alone(self, last: tuple[int, Code]) -> Decision:
        """The decision of one rule that nothing adds to, made once and given out again."""
        decision = self._ready.get(last)
        if decision is None:
            decision = self._ready[last] = self._together([last])
        return decision

    def _together(self, said: list[tuple[int, Code]]) -> Decision:
        *earlier, last = voices = [Said(self._rule(position), code) for position, code in said]
        fires = any(voice.code.fires for voice in voices)
        disposition = UNTOUCHED
        for voice in earlier:
            disposition = voice.marks.over(disposition)
        steps = [step for voice in voices for step in voice.steps]
        return Decision(
            rule=None if said[-1][0] == UNCLAIMED else last.rule.name,
            code=Code.of(deletes=last.code.deletes, fires=fires),
            disposition=last.disposition.over(disposition),
            steps=(*steps, *(self.ruleset.transition if fires else ())),
            continued=tuple(voice.rule.name for voice in earlier),
            span=last.rule.span,
        )

    def _rule(self, position: int) -> Rule:
        return self.ruleset.unmatched if position == UNCLAIMED else self.ruleset.rules[position]

    def _traced(self, view: View) -> Decision:
        answers: dict[int, Answer] = {}
        decision = self._walk(range(len(self.ruleset.rules)), view, answers)
        trace = [
            _tried(rule, view, answers[at]) if at in answers else _untried(rule, view, decision)
            for at, rule in enumerate(self.ruleset.rules)
        ]
        return replace(decision, trace=tuple(trace))


def answer(rule: Rule, view: View) -> Answer:
    """What one rule says of the message in *view*."""
    if rule.active is not None and not is_active(rule.active, view.now):
        return Verdict.NO
    if rule.condition is not None:
        verdict = match.verdict(rule.condition, view)
        if verdict is not Verdict.YES:
            return verdict
    if rule.script is None:
        return rule.code
    if view.message.extent.partial:
        return Verdict.UNKNOWN
    return _ask(rule.script, view.message)


def _ask(script: Script, message: Message) -> Answer:
    try:
        given = script.decide(message)
    except (Exception, SystemExit) as error:
        return Failure(f"script {script.path}: raised {_SHORT.repr(error)}")
    if given is None:
        return Verdict.NO
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= 4:
        return Code(given)
    return Failure(f"script {script.path}: answered {_SHORT.repr(given)} where 1, 2, 3, 4 or None is meant")


def _doubt(rule: Rule, view: View) -> str:
    return match.trace(rule.condition, view).reason if rule.condition is not None else "its script needs the body"


def _tried(rule: Rule, view: View, given: Answer) -> Trace:
    children = _children(rule, view)
    if isinstance(given, Failure):
        return Trace(_label(rule), Verdict.UNKNOWN, reason=given.reason, children=children, span=rule.span)
    if isinstance(given, Code):
        reason = f"code {given.value} ({given.word})"
        return Trace(_label(rule), Verdict.YES, reason=reason, children=children, span=rule.span)
    reason = _sleeping(rule, view) or match.doubt(children, given)
    if given is Verdict.UNKNOWN and not reason:
        reason = "its script needs the body"
    return Trace(_label(rule), given, reason=reason, children=children, span=rule.span)


def _untried(rule: Rule, view: View, decision: Decision) -> Trace:
    """The trace of a rule that it did not come to: what its condition would have said; a script is not asked."""
    children = _children(rule, view)
    verdict = children[0].verdict if children else Verdict.YES
    if verdict is Verdict.YES and rule.script is not None:
        verdict = Verdict.UNKNOWN
    reason = _sleeping(rule, view)
    if reason:
        verdict = Verdict.NO
    elif decision.needs_body:
        reason = "an earlier rule needs the body first"
    else:
        reason = "an earlier script failed" if decision.failure else "an earlier rule speaks for the message"
    return Trace(_label(rule), verdict, reason=reason, children=children, span=rule.span)


def _label(rule: Rule) -> str:
    return f"rule '{rule.name}'"


def _children(rule: Rule, view: View) -> tuple[Trace, ...]:
    return () if rule.condition is None else (match.trace(rule.condition, view),)


def _sleeping(rule: Rule, view: View) -> str:
    return "" if rule.active is None else inactive_reason(rule.active, view.now)
