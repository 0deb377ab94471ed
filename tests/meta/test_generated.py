"""What is generated from the program is up to date, and loading stays light."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from tests.diagnostics.plugins import write
from tests.meta.pages import REPOSITORY

from mailrules.config.schema import as_text, schemas
from mailrules.registry import load_registry

HEAVY = (
    "jsonschema",
    "jinja2",
    "croniter",
    "sqlalchemy",
    "alembic",
    "httpx2",
    "authlib",
    "imapclient",
    "rich",
    "difflib",
)


@pytest.fixture
def builtin(monkeypatch):
    """The plugins that ship, whatever else is installed."""
    monkeypatch.setenv("MAILRULES_PLUGINS", "")
    return load_registry()


@pytest.mark.parametrize("kind", ["mailrules", "rules", "tests"])
def test_the_committed_schema_is_that_of_the_program(kind, builtin):
    committed = (REPOSITORY / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")

    assert committed == as_text(schemas(builtin)[kind]), "stale: make schemas"


def test_the_page_of_diagnostics_is_that_of_the_program():
    spec = importlib.util.spec_from_file_location("generate", REPOSITORY / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    page = (REPOSITORY / "docs" / "diagnostics.md").read_text(encoding="utf-8")

    assert page == generate.diagnostics_page(), "stale: python docs/generate.py"


def test_checking_a_workspace_without_mistakes_loads_nothing_heavy(tmp_path):
    rules = "version: 1\nrules: [{name: a, match: {subject: x}, actions: [log: '{{ message.subject }}']}]\n"
    main = (
        "version: 1\naccounts: {a: {receive: {maildir: in}}}\nlisteners: {l: {account: a, start: all, rules: a.yaml}}\n"
    )
    write(tmp_path, {"mailrules.yaml": main, "a.yaml": rules})
    script = (
        "import sys; from pathlib import Path; from mailrules.config.load import load_workspace\n"
        f"assert load_workspace(Path({str(tmp_path)!r})).workspace\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={"MAILRULES_PLUGINS": ""}
    )

    assert (done.stdout.split(), done.stderr) == ([], "")
