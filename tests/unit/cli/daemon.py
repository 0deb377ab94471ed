"""`mailrules run` as a process of its own."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

COMMAND = [sys.executable, "-c", "import sys; from mailrules.cli.main import main; sys.exit(main(sys.argv[1:]))"]


class Daemon:
    """Listens in the current folder until it is told to end; its log is read line by line."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "run", *arguments], stderr=subprocess.PIPE, env=os.environ | environment
        )
        self._held = b""

    def __enter__(self) -> Self:
        self.says("listening: ")
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def says(self, text: str, limit: float = 20.0) -> str:
        """The next line of the log that holds *text*."""
        end, told = time.monotonic() + limit, []
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stderr, selectors.EVENT_READ)
            while time.monotonic() < end:
                while b"\n" in self._held:
                    line, _, self._held = self._held.partition(b"\n")
                    told.append(line.decode())
                    if text in told[-1]:
                        return told[-1]
                more = os.read(self.process.stderr.fileno(), 65536) if ready.select(0.2) else None
                if more == b"":
                    break
                self._held += more or b""
        raise AssertionError(f"no line with {text!r} in:\n" + "\n".join(told))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(20)


def edit(name: str, before: str, after: str) -> None:
    """As editors do: written beside, then put in place."""
    file = Path(name)
    text = file.read_text()
    assert before in text
    beside = file.with_suffix(".new")
    beside.write_text(text.replace(before, after))
    beside.rename(file)
