"""The table of faults names tests that there are."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.meta.pages import REPOSITORY

ROW = re.compile(r"\| `(?P<test>[\w/]+\.py::[^`]+)` \|$")
PAGE = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
FEWEST = 60


def named():
    """The tests, as pytest calls them from the repository's folder."""
    return [f"tests/{found['test']}" for line in PAGE.splitlines() if (found := ROW.search(line))]


def test_every_fault_has_its_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 3]
    faults = [line for line in rows if not line.startswith("| fault ")]

    assert len(faults) >= FEWEST
    assert [line for line in faults if not ROW.search(line)] == []


def test_every_test_that_is_named_is_there():
    files = sorted({test.partition("::")[0] for test in named()})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    collected = subprocess.run([*command, *files], cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout
    there = set(collected.splitlines()) | {line.partition("[")[0] for line in collected.splitlines()}

    assert sorted(set(named()) - there) == []
