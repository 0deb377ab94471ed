"""The cases of tests/diagnostics/*.yaml, and what is found in their files.

A case holds `rules` (the text of rules.yaml), or `files`. An expected finding is `file:line:column word`, and after a
bar text that its message or help must hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML
from tests.diagnostics.plugins import BROKEN, REGISTRY, write

from mailrules.config.cases import load_cases
from mailrules.config.diagnostic import Diagnostic
from mailrules.config.load import load_rules, load_workspace
from mailrules.config.report import render

HERE = Path(__file__).parent
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def all_cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each case with the name of its file."""
    for path in sorted(HERE.glob("*.yaml")):
        for case in YAML(typ="safe").load(path):
            yield path.stem, case


def find(case: dict[str, Any], folder: Path) -> tuple[bool, tuple[Diagnostic, ...]]:
    """Whether the files can be used, and what was found in them, written into *folder*."""
    files = case.get("files") or {"rules.yaml": case["rules"]}
    write(folder, files, case.get("encoding", "utf-8"))
    registry = BROKEN if case.get("broken") else REGISTRY
    tests = [name for name in files if name.endswith(".test.yaml")]
    if tests:
        built, found = load_cases(folder / tests[0])
        return bool(built), found
    if "rules.yaml" in files:
        ruleset, found = load_rules(folder / "rules.yaml", registry=registry, now=NOW)
        return ruleset is not None, found
    loaded = load_workspace(folder, registry=registry, now=NOW)
    return loaded.workspace is not None, loaded.diagnostics


def examples() -> dict[str, str]:
    """One finding of each word as it is shown, of the first case that has it."""
    shown: dict[str, str] = {}
    for _, case in all_cases():
        with TemporaryDirectory() as folder:
            for each in find(case, Path(folder))[1]:
                shown.setdefault(each.word, render([each]))
    return shown
