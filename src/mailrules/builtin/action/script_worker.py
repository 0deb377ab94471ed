"""The process that a script runs in: `python -m mailrules.builtin.action.script_worker`.

Standard input is a pickle of what it is to do, which only our own process writes; standard output is one JSON object.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

from mailrules.api import Permanent, Transient


@dataclass(frozen=True, slots=True)
class ScriptContext:
    """What a script is told beside message and data."""

    idempotency_key: str
    """The same at every try of this step for this message; unique otherwise."""
    deadline: datetime
    """When it is killed, aware."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be run, and with what."""

    path: str
    text: str
    memory: int
    """Octets that the process may take."""
    message: Any
    data: Mapping[str, Any]
    context: ScriptContext


def main() -> None:
    """Do the task; what the script prints goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process wrote it
        resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
        own = os.getpid()
        try:
            result = _result(task)
        except MemoryError:
            result = {"failure": "permanent", "reason": f"it took more than {task.memory} octets of memory"}
        if os.getpid() != own:
            os._exit(0)  # a fork of the script's that came back: one answer is enough
        answer.write(json.dumps(result))


def _result(task: Task) -> dict[str, Any]:
    try:
        return _checked(_function(task)(task.message, task.data, task.context))
    except Transient as error:
        return {"failure": "transient", "reason": str(error), "after": error.after}
    except Permanent as error:
        return {"failure": "permanent", "reason": str(error)}
    except MemoryError:
        raise
    except SyntaxError as error:
        return {"failure": "permanent", "reason": f"no Python: {error.msg} (line {error.lineno})"}
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == task.path]
        where = f" (line {lines[-1]})" if lines else ""
        return {"failure": "permanent", "reason": f"{type(error).__name__}: {error}{where}"}


def _function(task: Task) -> Any:
    module = ModuleType("mailrules_script")
    module.__file__ = task.path
    sys.modules[module.__name__] = module
    exec(compile(task.text, task.path, "exec"), module.__dict__)  # noqa: S102 - the admin's own script
    run = getattr(module, "run", None)
    if not callable(run):
        raise Permanent("it has no function 'run'")
    return run


def _checked(value: Any) -> dict[str, Any]:
    """The value, where it is what the journal can keep."""
    if not isinstance(value, Mapping | None):
        raise Permanent(f"it returned {type(value).__name__} where a mapping or None is meant")
    try:
        result = json.loads(json.dumps(dict(value or {}), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise Permanent(f"it returned what JSON cannot hold: {error}") from error
    return {"result": result}


if __name__ == "__main__":
    main()
