"""The action `script`: a Python function of the workspace, in a process of its own."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from mailrules.api import ActionType, Context, Data, Duration, Message, Options, Permanent, Size, Transient
from mailrules.api.python_file import PythonFile
from mailrules.builtin.action.child import INHERITED, Child, Ended
from mailrules.builtin.action.facts import strict_json

_KEPT = 65_536
"""Octets of a result, as JSON."""
_LINES = 20
"""Lines of what it prints that reach the log."""


class ScriptOptions(Options, frozen=True):
    """Which function: `script: scripts/price.py`, with `def run(message, data, context)` in it."""

    file: Annotated[
        PythonFile,
        Meta(description="A Python file of the workspace, with a function run(message, data, context)."),
    ]
    timeout: Annotated[Duration, Meta(description="When it is killed, with all that it started.")] = Duration(60)
    memory: Annotated[Size, Meta(description="The memory that it may take.")] = Size(1 << 30)
    environment: Annotated[
        list[str],
        Meta(description="Variables of our own environment that it gets beside the usual ones (PATH, HOME, LANG...)."),
    ] = field(default_factory=list)

    shorthand: ClassVar[str] = "file"


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """Calls the function in a fresh process, which is killed with its children when its time is up."""

    options: ScriptOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The file."""
        return f"run {self.options.file.source}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Call it; the mapping that it returns becomes data, what it prints goes to the log.

        Raises:
            Transient: the script raises it, or takes too long.
            Permanent: it raises anything else, or returns what the journal cannot keep.
        """
        left = (context.deadline - datetime.now(context.deadline.tzinfo)).total_seconds()
        task = self._task(message, data, context)
        child = Child(
            (sys.executable, "-P", "-m", "mailrules.builtin.action.script_worker"),
            self._environment(),
            min(self.options.timeout.seconds, left),
            _KEPT + 1024,
            self.options.file.root,
        )
        try:
            ended = child.run(lambda stdin: pickle.dump(task, stdin))
        except Transient as error:
            raise Transient(f"{self.options.file.source}: {_killed(error, child)}") from error
        for line in ended.err.decode(errors="replace").splitlines()[-_LINES:]:
            shown = "".join(char if char.isprintable() else " " for char in line)[:500]
            context.log.info(f"{self.options.file.source}: {shown}")  # noqa: G004 - a log of ours, which takes a text
        return self._judged(ended)

    def _task(self, message: Message, data: Data, context: Context) -> Any:
        from mailrules.builtin.action.script_worker import ScriptContext, Task

        file = self.options.file
        try:
            text = file.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise Permanent(f"{file.source} cannot be read: {reason}") from error
        about = ScriptContext(context.idempotency_key, context.deadline)
        return Task(str(file.path), text, self.options.memory.octets, message, dict(data), about)

    def _environment(self) -> dict[str, str]:
        passed = (*INHERITED, "PYTHONPATH", "VIRTUAL_ENV", *self.options.environment)
        return {name: os.environ[name] for name in passed if name in os.environ} | {"PYTHONDONTWRITEBYTECODE": "1"}

    def _judged(self, ended: Ended) -> Mapping[str, Any]:
        """What it answered: a result, or why there is none."""
        source = self.options.file.source
        if len(ended.out) > _KEPT:
            raise Permanent(f"{source}: its result is over {_KEPT >> 10} KiB of JSON")
        try:
            answer = strict_json(ended.out)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            how = f"exit status {ended.status}" if ended.status >= 0 else f"ended by signal {-ended.status}"
            raise Permanent(f"{source}: {how}: {ended.said() or 'without a word'}")
        if answer.get("failure") == "transient":
            raise Transient(f"{source}: {answer['reason']}", after=answer["after"])
        if "failure" in answer:
            raise Permanent(f"{source}: {answer['reason']}")
        result: Mapping[str, Any] = answer["result"]
        return result


def _killed(error: Transient, child: Child) -> str:
    return f"killed after {child.seconds:.3g} s" if "was killed" in str(error) else str(error)


SCRIPT = ActionType(
    name="script",
    summary="Call a Python function of the workspace.",
    options=ScriptOptions,
    build=ScriptAction,
    needs_body=lambda _options: True,
)
"""The whole message is given, as nobody knows what the function asks for."""
