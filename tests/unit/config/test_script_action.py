"""Scripts of actions that cannot be called: `check` tells of them before any mail comes, at their place."""

from __future__ import annotations

import pytest

from mailrules.config.load import load_rules


@pytest.fixture
def found(tmp_path):
    """What is said of a rule with an action, beside a script."""

    def found_(action, script=""):
        (tmp_path / "mailrules.yaml").write_text("version: 1\n")
        (tmp_path / "one.py").write_text(script)
        (tmp_path / "rules.yaml").write_text(f"version: 1\nrules:\n  - name: a\n    actions:\n      - {action}\n")
        return [f"{each.span} {each.word}: {each.message}" for each in load_rules(tmp_path / "rules.yaml")[1]]

    return found_


@pytest.mark.parametrize(
    ("action", "script", "says"),
    [
        ("script: none.py", "", "rules.yaml:5:17 bad-script: the script 'none.py' cannot be read: No such file"),
        (
            "script: {file: one.py}",
            "def ran(): pass",
            "rules.yaml:5:24 bad-script: the script 'one.py' has no",
        ),
        (
            "script: one.py",
            "def run(message, data, context)\n  pass",
            "one.py:1:32 bad-script: the script is no",
        ),
        (
            "script: one.py",
            "x = 1\nimport nothing_like_this",
            "one.py:2:1 bad-script: the script fails when",
        ),
    ],
)
def test_a_script_that_cannot_be_called_is_told_at_its_place(found, action, script, says):
    (told,) = found(action, script)

    assert told.startswith(says)


def test_a_script_with_the_function_is_fine(found):
    assert found("script: one.py", "def run(message, data, context): return {}") == []
