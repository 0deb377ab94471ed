"""Scripts: a Python file with a function, `decide` for a rule."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from mailrules.config.document import Node, Place, Source
from mailrules.config.findings import Findings
from mailrules.config.script_process import ScriptProcess
from mailrules.model.rule import Script

_HELP = "write def decide(mail_message), giving 1, 2, 3, 4 or None"


def load_script(node: Node, root: Path, findings: Findings) -> Script | None:
    """The script at that path, from the workspace; None and a diagnostic when it cannot be used.

    It is loaded here to see that it can be, and asked in a process of its own, which can be killed.
    """
    decide = load_function(node, root, findings, name="decide", help_=_HELP)
    if decide is None:
        return None
    path = root / node.value
    return Script(node.value, ScriptProcess(path, path.read_text(encoding="utf-8")))


def load_function(node: Node, root: Path, findings: Findings, *, name: str, help_: str) -> Callable[[Any], Any] | None:
    """The function *name* of the script at that path; None and a diagnostic when it cannot be used."""
    findings.files.add(node.value)
    path = root / node.value
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        findings.add(
            node.place,
            "bad-script",
            f"the script '{node.value}' cannot be read: {reason}",
            "paths start at the workspace",
        )
        return None
    source = Source(node.value, text)
    module = _run(path, source, findings, help_)
    if module is None:
        return None
    function: Callable[[Any], Any] | None = getattr(module, name, None)
    if not callable(function):
        findings.add(node.place, "bad-script", f"the script '{node.value}' has no function '{name}'", help_)
        return None
    return function


def _run(path: Path, source: Source, findings: Findings, help_: str) -> Any | None:
    """The module, run once; it is compiled here so that no cache file appears in the workspace."""
    module = ModuleType(f"mailrules_script_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(source.text, str(path), "exec"), module.__dict__)  # noqa: S102 - the admin's own rule
    except SyntaxError as error:
        place = _line(source, error.lineno or 1, (error.offset or 1) - 1)
        findings.add(place, "bad-script", f"the script is no Python: {error.msg}", help_)
        return None
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(sys.exc_info()[2]) if frame.filename == str(path)]
        sentence = f"the script fails when it is loaded: {type(error).__name__}: {error}"
        findings.add(_line(source, (lines or [1])[-1] or 1, 0), "bad-script", sentence, help_)
        return None
    sys.modules.setdefault(module.__name__, module)
    return module


def _line(source: Source, number: int, column: int) -> Place:
    text = source.line(number)
    column = max(column, len(text) - len(text.lstrip()))
    start = source.start_of(number) + column
    return Place(source, start, start + max(len(text) - column, 1))
