"""Every case of tests/diagnostics/*.yaml: files with a mistake, and exactly what is said about them.

A case that fails prints what was found, ready to paste.
"""

from __future__ import annotations

import pytest
from tests.diagnostics.cases import all_cases, find

from mailrules.config.diagnostic import WARNINGS, WORDS
from mailrules.config.report import render

CASES = [pytest.param(case, id=f"{file}: {case['name']}") for file, case in all_cases()]


def shown(found):
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
