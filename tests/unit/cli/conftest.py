"""The command line run in this process, on workspaces of its own making."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailrules.cli.main import main

BOOM = """
from typing import Any
from mailrules.api import ActionType, Options, Permanent, Transient, hookimpl

class BoomOptions(Options, frozen=True):
    how: str = "permanent"

class Boom:
    def __init__(self, options: BoomOptions) -> None:
        self.options = options

    def describe(self, message: Any, data: Any) -> str:
        return f"boom, {self.options.how}"

    def run(self, message: Any, data: Any, context: Any) -> None:
        import pathlib
        if pathlib.Path("mended").exists():
            return
        raise {"permanent": Permanent, "transient": Transient, "defect": ZeroDivisionError}[self.options.how]("boom")

@hookimpl
def mailrules_actions():
    yield ActionType(name="boom", summary="Fails.", options=BoomOptions, build=Boom)
"""
"""A plugin of the workspace with an action that fails until a file named `mended` is there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture(autouse=True)
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests may have said how wide its terminal is."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mailrules` with arguments."""

    def run_(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run_


@pytest.fixture
def workspace(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace as `init` writes it, which is the current folder."""
    root = tmp_path / "workspace"
    assert run("init", root).code == 0
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def deliver(workspace: Path) -> Callable[..., Path]:
    """Puts a message into the workspace's mailbox."""

    def deliver_(name: str, subject: str, body: str = "Hello.", header: str = "") -> Path:
        path = workspace / "mailbox" / "new" / name
        head = f"From: Ann <ann@example.net>\r\nSubject: {subject}\r\nMessage-ID: <{name}@example.net>\r\n{header}"
        path.write_bytes(f"{head}\r\n{body}\r\n".encode())
        return path

    return deliver_


@pytest.fixture
def boom(workspace: Path) -> Callable[[str], None]:
    """Writes rules whose one action fails: `permanent`, `transient` or by a `defect`."""

    def boom_(how: str) -> None:
        (workspace / "plugins").mkdir(exist_ok=True)
        (workspace / "plugins" / "boom.py").write_text(BOOM)
        rules = f"version: 1\nrules:\n  - {{name: fails, actions: [{{boom: {{how: {how}}}}}]}}\n"
        (workspace / "rules" / "inbox.yaml").write_text(rules)
        (workspace / "rules" / "inbox.test.yaml").unlink(missing_ok=True)

    return boom_
