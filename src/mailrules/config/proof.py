"""What can be proved of rules in their order: same names, rules that are never reached, rules that nothing satisfies."""

from __future__ import annotations

from mailrules.config.findings import Findings
from mailrules.config.ruleset import Written


def prove(rules: list[Written], findings: Findings) -> None:
    """Tell of everything that is certain about *rules*, in time that grows with their number only."""
    _same_names(rules, findings)
    _unreachable(rules, findings)


def _same_names(rules: list[Written], findings: Findings) -> None:
    first: dict[str, Written] = {}
    for written in rules:
        other = first.setdefault(written.rule.name, written)
        if other is not written:
            findings.add(
                written.node["name"].place,
                "duplicate-rule",
                f"a rule named '{written.rule.name}' is there already, in {other.node.span}",
                "journal and tests know rules by name: choose another",
            )


def _unreachable(rules: list[Written], findings: Findings) -> None:
    """Rules after one that takes every message, told at the first of them."""
    for position, written in enumerate(rules[:-1]):
        rule = written.rule
        if rule.condition is None and rule.script is None and rule.active is None and not rule.continues:
            after = rules[position + 1]
            others = len(rules) - position - 2
            more = f" and the {others} after it" if others else ""
            findings.add(
                after.node["name"].place,
                "unreachable-rule",
                f"rule '{after.rule.name}'{more} can never be reached: rule '{rule.name}' takes every message",
                f"put it before '{rule.name}', on {rule.span}",
            )
            return
