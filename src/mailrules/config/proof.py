"""What can be proved of rules in their order: same names, never reached, satisfied by nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from mailrules.config.conjunction import Atom, Conjunction, contradiction
from mailrules.config.findings import Findings
from mailrules.config.ruleset import Written
from mailrules.model.rule import Rule

MOST_COMPARED = 32
"""Earlier rules that one rule is compared with for each of its conditions: keeps the whole near-linear."""


def prove(rules: list[Written], findings: Findings) -> None:
    """Tell of everything that is certain about *rules*, in time that grows with their number only."""
    _same_names(rules, findings)
    _unreachable(rules, findings)
    conjunctions = [Conjunction.of(written.rule.condition) for written in rules]
    for written, conjunction in zip(rules, conjunctions, strict=True):
        if reason := contradiction(conjunction):
            help_ = "a rule that nothing satisfies never runs: correct it or delete it"
            findings.add(
                written.node["match"].label,
                "never-matches",
                f"rule '{written.rule.name}' can never match: {reason}",
                help_,
            )
    _shadowed(rules, conjunctions, findings)


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


def _final(rule: Rule) -> bool:
    """Whether no later rule is asked once its condition holds."""
    return rule.script is None and rule.active is None and not rule.continues


def _unreachable(rules: list[Written], findings: Findings) -> None:
    """Rules after one that takes every message, told at the first of them."""
    for position, written in enumerate(rules[:-1]):
        rule = written.rule
        if rule.condition is None and _final(rule):
            after = rules[position + 1]
            others = len(rules) - position - 2
            more = f" and {others} more after it" if others else ""
            findings.add(
                after.node["name"].place,
                "unreachable-rule",
                f"rule '{after.rule.name}'{more} can never be reached: rule '{rule.name}' takes every message",
                f"put it before '{rule.name}', which is in {rule.span}",
            )
            return


def _shadowed(rules: list[Written], conjunctions: list[Conjunction], findings: Findings) -> None:
    """Rules whose every message an earlier, final rule takes."""
    often = Counter(key for one in conjunctions for atom in one.atoms for key in atom.keys)
    earlier: dict[object, list[int]] = {}
    for position, (written, mine) in enumerate(zip(rules, conjunctions, strict=True)):
        if not mine.atoms:
            continue
        other = next((at for at in _candidates(mine, earlier) if conjunctions[at].wider_than(mine)), None)
        if other is not None:
            _tell_shadowed(written, rules[other], findings)
        elif _final(written.rule):
            for key in _rarest(mine.atoms, often).keys:
                earlier.setdefault(key, []).append(position)


def _rarest(atoms: Iterable[Atom], often: Counter[object]) -> Atom:
    """The atom that tells the rule apart best: only rules that share it are ever compared."""
    return min(atoms, key=lambda atom: max(often[key] for key in atom.keys))


def _candidates(mine: Conjunction, earlier: dict[object, list[int]]) -> Iterator[int]:
    for atom in mine.atoms:
        for key in atom.lookups:
            yield from earlier.get(key, ())[:MOST_COMPARED]


def _tell_shadowed(written: Written, other: Written, findings: Findings) -> None:
    findings.add(
        written.node["name"].place,
        "shadowed-rule",
        f"rule '{written.rule.name}' is never reached: rule '{other.rule.name}' before it takes all that it could",
        f"put it before '{other.rule.name}', which is in {other.rule.span}, or let that one continue",
    )
