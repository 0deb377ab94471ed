"""A test case calls steps by whatever name it knows."""

import pytest

from mailrules.testing.cases import run_cases

MAIN = """\
version: 1
flows:
  desk: [{log: one, name: first line}, {log: two}]
"""
RULES = "version: 1\nrules: [{name: a, actions: [{flow: desk}, {map: {a: b}, name: words}]}]\n"
NAMES = [
    # what a case expects, and whether it is that
    ("[log, log, map]", True),
    ("[desk/log, log, map]", True),
    ("[first line, log, words]", True),
    ("[desk/first line, desk/log, words]", True),
    ("[log, first line, map]", False),
    ("[log, log, wrds]", False),
    ("[log, log]", False),
]


@pytest.mark.parametrize(("names", "passes"), NAMES)
def test_a_step_is_known_by_its_action_or_its_name_with_or_without_its_flow(tmp_path, names, passes):
    (tmp_path / "mailrules.yaml").write_text(MAIN)
    (tmp_path / "a.yaml").write_text(RULES)
    case = f"cases: [{{name: c, mail: {{subject: x}}, expect: {{actions: {names}}}}}]\n"
    (tmp_path / "a.test.yaml").write_text(case)

    results = run_cases(tmp_path / "a.test.yaml")

    assert not results.diagnostics
    assert results.outcomes[0].passed is passes
