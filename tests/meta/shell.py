"""The commands of a page run in its workspace: `mailrules` in this process, anything else by a shell."""

from __future__ import annotations

import io
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mailrules.cli.main import main

WILDCARD = "..."
"""In an expected line: anything. Alone on a line: any lines."""

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S*|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}|(?<= in )\d+\.\d+s"
    r"|\b\d\d-\d\d \d\d:\d\d\b"
)
"""When something happened, or how long it took."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command line and what the page says that it prints."""

    line: str
    expected: tuple[str, ...]


def commands(text: str) -> Iterator[Command]:
    """The commands of a console block: each begins with `$ `, its output follows."""
    held: list[str] = []
    for line in chain(text.splitlines(), ["$ "]):
        if line.startswith("$ ") and held:
            yield Command(held[0][2:], tuple(each.rstrip() for each in held[1:]))
            held = []
        assert held or line.startswith("$ "), f"output before any command: {line}"
        held.append(line)


@dataclass(slots=True)
class Shell:
    """What stays from one command to the next: the exit code of the last."""

    code: int = 0

    def run(self, line: str) -> str:
        """Run *line*; gives what it prints, both streams together."""
        if line == "echo $?":
            told, self.code = self.code, 0
            return f"{told}\n"
        if line.startswith("export "):
            os.environ.update([line.removeprefix("export ").split("=", 1)])
            return ""
        if line.startswith("mailrules ") and not re.search(r"[|<>&;]", line):
            self.code, printed = run_mailrules(*shlex.split(line)[1:])
            return printed
        if line.startswith("make "):
            line = f"{line} --assume-old=.venv/.run BIN={Path(sys.executable).parent}"  # installed as it is
        done = subprocess.run(
            ["/bin/bash", "-c", line],
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.code = done.returncode
        return done.stdout


def run_mailrules(*arguments: str) -> tuple[int, str]:
    """Exit code and output of one `mailrules` command, as on a terminal that is not one."""
    printed = io.StringIO()
    with _own_logging(), redirect_stdout(printed), redirect_stderr(printed):
        code = main(arguments)
    return code, printed.getvalue()


@contextmanager
def _own_logging() -> Iterator[None]:
    """Handlers that a command adds write to its output, which ends with it."""
    watched = [logging.getLogger(name) for name in (None, "mailrules")]
    before = [(log, log.handlers[:], log.level, log.propagate) for log in watched]
    try:
        yield
    finally:
        for log, log.handlers, level, log.propagate in before:
            log.setLevel(level)


def agrees(expected: tuple[str, ...], printed: str) -> bool:
    """Whether *printed* is what is expected: `...` is anything, a moment any moment; blanks at line ends count not."""
    lines = [_MOMENT.sub("0", line.rstrip()) for line in printed.rstrip().splitlines()]
    expected = tuple("\n".join(expected).rstrip().splitlines())
    pattern = "".join(
        r"(?:.*\n)*"
        if line == WILDCARD
        else re.escape(_MOMENT.sub("0", line)).replace(re.escape(WILDCARD), ".*") + r"\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None
