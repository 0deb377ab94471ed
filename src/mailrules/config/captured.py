"""What actions ask of `match` and `data`, held against what the rules that reach them capture and give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion
from mailrules.config.needs import Asked, Needs
from mailrules.config.ruleset import Written
from mailrules.model.condition import Condition, NoneOf, Test


@dataclass(frozen=True, slots=True)
class Reached:
    """Whoever's actions these are, and what there is by the time they run."""

    who: str
    """`rule 'acme invoices'`."""
    captures: frozenset[str]
    given: Needs


def check_needs(rules: Sequence[Written], unmatched: Written | None, findings: Findings) -> None:
    """Tell of names that no pattern captures, and no step gives, by the time the actions run.

    Rules that continue hand their captures and results on to those that speak after them, and get theirs.
    """
    for written, reached in _reached(rules, unmatched, lambda one: bool(one.needs.captures or one.needs.data)):
        tell_missing(written.needs, reached, findings)


def check_transition(rules: Sequence[Written], unmatched: Written | None, flow: Needs, findings: Findings) -> None:
    """The same for the flow of a listener, which runs after the actions of every rule that fires."""
    if not (flow.captures or flow.data):
        return
    if not rules and unmatched is None:
        tell_missing(flow, Reached("a listener without rules", frozenset(), Needs()), findings)
    for written, reached in _reached(rules, unmatched, lambda one: one.rule.code.fires or one.rule.script is not None):
        given = Needs()
        given.follow(reached.given)
        given.follow(written.needs)
        tell_missing(flow, replace(reached, given=given), findings)


def _reached(
    rules: Sequence[Written], unmatched: Written | None, wanted: Callable[[Written], bool]
) -> Iterator[tuple[Written, Reached]]:
    """Each rule that is *wanted*, with what there is before its own actions."""
    concerned = [written for written in (*rules, unmatched) if written and wanted(written)]
    if not concerned:
        return
    continuing = [written for written in rules if written.rule.continues]
    handed_on = {name for written in continuing for name in captured(written.rule.condition)}
    given = Needs()
    for other in continuing:
        given.follow(other.needs)
    for written in concerned:
        own = set(captured(written.rule.condition)) | handed_on
        if written.rule.continues:
            own |= {name for other in rules for name in captured(other.rule.condition)}
        name = written.rule.name
        yield written, Reached("'unmatched'" if name == "unmatched" else f"rule '{name}'", frozenset(own), given)


def tell_missing(needs: Needs, reached: Reached, findings: Findings) -> None:
    """What is asked for and is not there for *reached*."""
    for asked in needs.captures:
        if asked.name not in reached.captures:
            message = f"no capture '{asked.name}': {reached.who} captures {_listed(reached.captures)}"
            known = reached.captures
            help_ = (
                suggestion(asked.name, known, what="captures") if known else "name a group of a regex: (?P<NAME>...)"
            )
            findings.add(asked.place, "bad-template", _of_flow(asked, message), help_)
    for asked in needs.data:
        if asked.title or not reached.given.knows(asked):
            _tell_not_given(asked, needs, reached, findings)


def _tell_not_given(asked: Asked, needs: Needs, reached: Reached, findings: Findings) -> None:
    known = frozenset((*reached.given.gives, *reached.given.titled, *needs.gives, *needs.titled))
    message = f"no '{asked.name}' in data: no step before gives it for {reached.who}"
    if asked.title:
        known = needs.titled.get(asked.title) or reached.given.titled.get(asked.title) or frozenset()
        message = f"no '{asked.name}' in data.{asked.title}: that step gives {_listed(known)}"
    help_ = suggestion(asked.name, known - {asked.name}, what="data") if known else ""
    if asked.name in known:
        help_ = "a later step gives it: change their order"
    findings.add(asked.place, "bad-template", _of_flow(asked, message), help_ or "map: {NAME: ...} gives it")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _of_flow(asked: Asked, message: str) -> str:
    return f"flow '{asked.flow}': {message}" if asked.flow else message


def captured(condition: Condition | None) -> Iterator[str]:
    """The named groups of every pattern in *condition* that can make it hold."""
    if isinstance(condition, Test):
        for operator in condition.operators:
            for pattern in operator.operands if operator.name == "regex" else ():
                yield from pattern.groupindex
    elif condition is not None and not isinstance(condition, NoneOf):
        for each in condition.conditions:
            yield from captured(each)
