"""The process that rule scripts run in: `python -m mailrules.config.script_worker SOCKET MEMORY PATH`.

First comes the script's text, then one message after another, each as a pickle that only our own process writes; to
each message goes one line of JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import socket
import sys
from types import ModuleType
from typing import Any


def main() -> None:
    """Answer until nobody asks any more."""
    number, memory, path = sys.argv[1:]
    with socket.socket(fileno=int(number)) as line, line.makefile("rb") as asked:
        text = pickle.load(asked)  # noqa: S301 - our own process wrote it
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
        module = ModuleType("mailrules_script")
        module.__file__ = path
        sys.modules[module.__name__] = module
        exec(compile(text, path, "exec"), module.__dict__)  # noqa: S102 - the admin's own rule
        own = os.getpid()
        while asked.peek(1):
            answer = json.dumps(_answer(module, pickle.load(asked)))  # noqa: S301 - as above
            if os.getpid() != own:
                os._exit(0)  # a fork of the script's that came back: its answer would be taken for the next message's
            line.sendall(answer.encode() + b"\n")


def _answer(module: ModuleType, message: Any) -> dict[str, Any]:
    """What the script says: a number or nothing as it is, anything else as it looks."""
    try:
        given = module.decide(message)
    except (Exception, SystemExit) as error:
        return {"raised": repr(error)[:1000]}
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return {"answer": given}
    return {"shown": repr(given)[:1000]}


if __name__ == "__main__":
    main()
