"""What actions ask `match` for, held against what the patterns of their rules can capture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailrules.config.document import Place
from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion
from mailrules.config.ruleset import Written
from mailrules.model.condition import Condition, NoneOf, Test


def check_captures(rules: Sequence[Written], unmatched: Written | None, findings: Findings) -> None:
    """Tell of names that no pattern captures by the time the actions run.

    Rules that continue hand their captures on to those that speak after them, and get theirs.
    """
    asked = [written for written in (*rules, unmatched) if written and written.captures]
    if not asked:
        return
    continued = {name for written in rules if written.rule.continues for name in captured(written.rule.condition)}
    for written in asked:
        own = set(captured(written.rule.condition)) | continued
        if written.rule.continues:
            own |= {name for other in rules for name in captured(other.rule.condition)}
        for name, place in written.captures:
            if name not in own:
                _tell(written, name, own, findings, place)


def _tell(written: Written, name: str, known: set[str], findings: Findings, place: Place) -> None:
    rule = written.rule
    who = "'unmatched'" if rule.name == "unmatched" else f"rule '{rule.name}'"
    message = f"no capture '{name}': {who} captures {', '.join(sorted(known)) or 'nothing'}"
    help_ = suggestion(name, known, what="captures") if known else "name a group of a regex: (?P<NAME>...)"
    findings.add(place, "bad-template", message, help_)


def captured(condition: Condition | None) -> Iterator[str]:
    """The named groups of every pattern in *condition* that can make it hold."""
    if isinstance(condition, Test):
        for operator in condition.operators:
            for pattern in operator.operands if operator.name == "regex" else ():
                yield from pattern.groupindex
    elif condition is not None and not isinstance(condition, NoneOf):
        for each in condition.conditions:
            yield from captured(each)
