"""Every case of tests/diagnostics/*.yaml: files with a mistake, and exactly what is said about them.

A case holds `rules` (the text of rules.yaml), or `files`. An expected finding is `file:line:column word`, and after a
bar text that its message or help must hold. A case that fails prints what was found, ready to paste.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mailrules.config.cases import load_cases
from mailrules.config.diagnostic import WARNINGS, WORDS, Diagnostic
from mailrules.config.load import load_rules, load_workspace
from mailrules.config.report import render
from tests.diagnostics.plugins import BROKEN, REGISTRY, write

HERE = Path(__file__).parent
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        for case in YAML(typ="safe").load(path):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


CASES = list(cases())


def find(case: dict[str, Any], folder: Path) -> tuple[bool, tuple[Diagnostic, ...]]:
    """Whether the files can be used, and what was found in them."""
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


def shown(found: tuple[Diagnostic, ...]) -> str:
    return "\n".join(f"    - {each.span} {each.word}" for each in found) or "    []"


@pytest.mark.parametrize("case", CASES)
def test_files_get_exactly_these_findings(case, tmp_path):
    usable, found = find(case, tmp_path)
    expected = [str(line).partition(" | ") for line in case["expect"]]

    assert [f"{each.span} {each.word}" for each in found] == [place for place, _, _ in expected], (
        f"\n{render(found)}\nexpect:\n{shown(found)}"
    )
    for each, (_, _, text) in zip(found, expected, strict=True):
        assert text in f"{each.message}; {each.help}"
    if not any(name.endswith(".test.yaml") for name in case.get("files", ())):
        assert usable == all(each.word in WARNINGS for each in found)


@pytest.mark.parametrize("case", CASES)
def test_what_is_secret_is_never_shown(case, tmp_path):
    _, found = find(case, tmp_path)
    for form in ("text", "json", "github"):
        assert "hunter2" not in render(found, format=form)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_a_case(word):
    assert word in {str(line).split()[1] for case in CASES for line in case.values[0]["expect"]}


def test_every_case_has_words_that_are_known():
    words = {str(line).split()[1] for case in CASES for line in case.values[0]["expect"]}

    assert words <= set(WORDS)


def test_there_are_no_two_cases_of_one_name():
    names = [case.id for case in CASES]

    assert sorted(set(names)) == sorted(names)
