"""The pytest plugin of mailrules: with `mailrules_cases = true`, each case of a `*.test.yaml` is a test."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mailrules.testing.cases import Outcome, Results

SUFFIX = ".test.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest of the setting."""
    parser.addini("mailrules_cases", "collect the rule cases of *.test.yaml", type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CasesFile | None:
    """Take a file of cases, where that is asked for."""
    if not file_path.name.endswith(SUFFIX) or not parent.config.getini("mailrules_cases"):
        return None
    collected: CasesFile = CasesFile.from_parent(parent, path=file_path)
    return collected


class CaseError(Exception):
    """A case, or its file, that did not pass; the text says why."""


class CasesFile(pytest.File):
    """One `*.test.yaml`."""

    @cached_property
    def results(self) -> Results:
        """Its cases, run: all are decided by rules that are loaded once."""
        from mailrules.testing.cases import run_cases

        return run_cases(self.path)

    def collect(self) -> Iterable[pytest.Item]:
        """A test for each case, and one for the file where something is wrong in it."""
        errors = [found for found in self.results.diagnostics if found.severity == "error"]
        if errors:
            from mailrules.config.report import render

            yield CaseItem.from_parent(self, name="check", problem=render(errors), line=0)
        for outcome in self.results.outcomes:
            name, line = outcome.case.name, max(outcome.case.span.line - 1, 0)
            yield CaseItem.from_parent(self, name=name, problem=told(outcome), line=line)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, problem: str, line: int, **more: Any) -> None:
        super().__init__(**more)
        self.problem = problem
        self.line = line

    def runtest(self) -> None:
        """Fail where there is a problem.

        Raises:
            CaseError: the case did not pass.
        """
        if self.problem:
            raise CaseError(self.problem)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The difference, without a Python traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, CaseError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case is written."""
        return self.path, self.line, self.name


def told(outcome: Outcome) -> str:
    """Why a case did not pass: its place, what could not be done, the difference, the reason; empty when it did."""
    if outcome.passed:
        return ""
    parts = (f"{outcome.case.span}: {outcome.case.name}", outcome.failure, outcome.diff, outcome.hint)
    return "\n".join(part for part in parts if part)
