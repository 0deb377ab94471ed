"""Runs rule cases: `rules/x.test.yaml` beside `rules/x.yaml`, through the one path that everything takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any

from mailrules.config.cases import Case, load_cases
from mailrules.config.diagnostic import Diagnostic
from mailrules.config.load import load_rules, root_of
from mailrules.config.settings import Account, Listener
from mailrules.core.decide import Decider
from mailrules.core.parse import parse
from mailrules.core.why import why
from mailrules.engine.memory import MemoryMailbox
from mailrules.engine.passes import run_pass
from mailrules.engine.worlds import for_trial, replay_world
from mailrules.model.decision import Decision
from mailrules.model.entry import Entry, State
from mailrules.model.message import Address, Trust
from mailrules.model.rule import Rule, RuleSet
from mailrules.model.unpack import Unpacker
from mailrules.registry import Registry, load_registry
from mailrules.store.overlay import OverlayJournal
from mailrules.testing.compare import expected_and_got, flow
from mailrules.testing.compose import compose

SENDER = "account@case.invalid"
"""What an action sends as that leaves it to the account, where the cases name no address of ours."""
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a case is decided that does not say so, and whose message has no date."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case."""

    case: Case
    expected: Mapping[str, Any]
    """What the case says, in plain values; what it does not say is not there."""
    got: Mapping[str, Any]
    """The same of the decision."""
    failure: str = ""
    """Why the case could not be answered at all."""
    hint: str = ""
    """Why the expected rule did not decide."""
    spoke: frozenset[str] = frozenset()
    """The rules that spoke for the message: the deciding one, and those that continued."""

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.failure and self.expected == self.got

    @property
    def diff(self) -> str:
        """Expected against got, as a unified diff of YAML; empty when they agree."""
        lines = unified_diff(_yaml(self.expected), _yaml(self.got), "expected", "got", lineterm="", n=9)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Results:
    """What came of the cases of one file."""

    path: Path
    outcomes: tuple[Outcome, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong in the cases or in the rules; the cases that are wrong were not run."""
    unreached: tuple[Rule, ...] = ()
    """Rules of the file that spoke in no case."""
    rules: int = 0
    """How many rules there are."""

    @property
    def passed(self) -> bool:
        """Whether every case could be run and passed."""
        wrong = any(found.severity == "error" for found in self.diagnostics)
        return not wrong and all(outcome.passed for outcome in self.outcomes)


def run_cases(path: Path | str, *, registry: Registry | None = None) -> Results:
    """Run the cases of one `*.test.yaml`.

    Nothing but files is read, and nothing is changed: actions are described, the clock is the case's own.

    Args:
        path: the file.
        registry: the plugins; by default all that are installed, and those of the workspace.
    """
    path = Path(path).absolute()
    registry = registry or load_registry(root_of(path))
    cases, diagnostics = load_cases(path, root=root_of(path))
    if not cases:
        return Results(path, diagnostics=diagnostics)
    ruleset, more = load_rules(cases[0].rules, registry=registry, timezone=cases[0].timezone)
    if ruleset is None:
        return Results(path, diagnostics=(*diagnostics, *more))
    decider = Decider(ruleset)
    unpackers = tuple(provided.item for provided in registry.unpackers.values())
    outcomes = tuple(run_case(case, decider, unpackers=unpackers) for case in cases)
    return Results(path, outcomes, diagnostics, _unreached(ruleset, outcomes), len(ruleset.rules))


def _unreached(ruleset: RuleSet, outcomes: Iterable[Outcome]) -> tuple[Rule, ...]:
    spoke = frozenset[str]().union(*(outcome.spoke for outcome in outcomes))
    return tuple(rule for rule in ruleset.rules if rule.name not in spoke)


def run_case(case: Case, decider: Decider, *, unpackers: tuple[Unpacker, ...] = ()) -> Outcome:
    """Decide one case's message by *decider*, and compare."""
    try:
        raw = case.eml.read_bytes() if case.eml else compose(case.mail, timezone=case.timezone) if case.mail else b""
    except (OSError, ValueError) as error:
        return Outcome(case, {}, {}, failure=f"its message cannot be made: {error}")
    trust = replace(case.trust, unpackers=unpackers)
    message = parse(raw, size=len(raw), received=case.received, flags=case.flags, trust=trust)
    now = case.now or message.date or NOW
    decision = decider.decide(message, now, trace=True)
    entry = _processed(case, raw, decider, now, trust)
    expected, got = expected_and_got(case.expect, decision, entry)
    return Outcome(
        case,
        expected,
        got,
        failure=decision.failure or (entry.reason if entry.state is State.PARKED else ""),
        hint=_hint(case, decider.ruleset, decision),
        spoke=frozenset((*decision.continued, *([decision.rule] if decision.rule else []))),
    )


def _processed(case: Case, raw: bytes, decider: Decider, now: datetime, trust: Trust) -> Entry:
    """The case's message through a pass, its steps described."""
    mailbox = MemoryMailbox({case.name: raw}, case.received, case.flags)
    sender = Address("", min(trust.own_addresses, default=SENDER))
    account = Account("case", sender=sender, trust=trust, timezone=case.timezone)
    listener = Listener("case", account, decider.ruleset)
    return run_pass(for_trial(listener), decider, replay_world(mailbox, OverlayJournal(), at=now)).entries[0]


def _hint(case: Case, ruleset: RuleSet, decision: Decision) -> str:
    """Why the expected rule does not decide; empty when it does, or when none is expected."""
    names = [rule.name for rule in ruleset.rules]
    wanted = case.expect.rule
    if not isinstance(wanted, str) or wanted not in names or decision.rule == wanted:
        return ""
    return why(wanted, decision.trace[names.index(wanted)], decision)


def _yaml(values: Mapping[str, Any]) -> Sequence[str]:
    return [f"{key}: {flow(value)}" for key, value in values.items()]
