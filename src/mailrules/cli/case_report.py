"""Rule cases, told: what failed and how it differs, then which rules no case reaches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mailrules.cli.findings import print_findings
from mailrules.cli.terminal import console, plural, safe
from mailrules.testing.cases import Outcome, Results


def print_results(done: Sequence[Results], untested: Sequence[Path]) -> None:
    """For people."""
    for results in done:
        print_findings(results.diagnostics, stdout=True)
        for outcome in results.outcomes:
            if not outcome.passed:
                _print_failure(results, outcome)
    for line in _coverage(done, untested):
        click.echo(line)
    click.echo(_summary(done))


def _print_failure(results: Results, outcome: Outcome) -> None:
    out = console()
    out.print(f"FAILED {_shown(results.path)}:{outcome.case.span.line} {safe(outcome.case.name)}", style="bold red")
    for text in (outcome.failure, outcome.hint):
        if text:
            out.print(f"  {safe(text)}")
    for line in outcome.diff.splitlines()[2:]:
        if not line.startswith("@@"):
            style = {"-": "red", "+": "green"}.get(line[0], "")
            out.print(f"  {safe(line[0]) or ' '} {safe(line[1:])}{_side(line)}", style=style)
    out.print()


def _side(line: str) -> str:
    return {"-": "   # expected", "+": "   # got"}.get(line[0], "")


def _shown(path: Path) -> str:
    """The path as one would type it."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


def _coverage(done: Sequence[Results], untested: Sequence[Path]) -> list[str]:
    lines = [f"  {rule.span}: {safe(rule.name)}" for results in done if results.outcomes for rule in results.unreached]
    if lines:
        lines = [f"{plural(len(lines), 'rule')} that no case reaches:", *lines]
    return lines + [f"{_shown(path)} has no cases: write {path.stem}.test.yaml beside it" for path in untested]


def _summary(done: Sequence[Results]) -> str:
    outcomes = [outcome for results in done for outcome in results.outcomes]
    failed = sum(not outcome.passed for outcome in outcomes)
    rules = sum(results.rules for results in done)
    reached = rules - sum(len(results.unreached) for results in done)
    verdict = f"{failed} failed" if failed else "all passed" if outcomes else "none could be run"
    wrong = sum(not results.passed and not results.outcomes for results in done)
    stuck = f"; {plural(wrong, 'file')} could not be run" if wrong else ""
    return f"{plural(len(outcomes), 'case')}, {verdict}; {reached} of {plural(rules, 'rule')} reached{stuck}"


def results_json(done: Sequence[Results], untested: Sequence[Path]) -> dict[str, Any]:
    """For programs."""
    return {
        "cases": [_case_json(results, outcome) for results in done for outcome in results.outcomes],
        "findings": [str(found) for results in done for found in results.diagnostics],
        "unreached": [{"rule": rule.name, "at": str(rule.span)} for results in done for rule in results.unreached],
        "untested": [str(path) for path in untested],
        "passed": all(results.passed for results in done),
    }


def _case_json(results: Results, outcome: Outcome) -> dict[str, Any]:
    return {
        "file": _shown(results.path),
        "line": outcome.case.span.line,
        "name": outcome.case.name,
        "passed": outcome.passed,
        "failure": outcome.failure,
        "reason": outcome.hint,
        "expected": outcome.expected,
        "got": outcome.got,
    }
