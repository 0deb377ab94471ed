"""`mailrules run` as an operator has it: a process with a log, killed and started again, looked at from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAILRULES = str(Path(sys.executable).with_name("mailrules"))
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
BROWSER = """
import sys, urllib.request
urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(sys.argv[1], timeout=20)
"""
"""Follows the provider, which consents by itself, back to the port that waits."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process takes at a moment."""

    at: float
    pid: int
    cpu: float
    """Seconds of processor since it began."""
    memory: int
    """Octets resident."""
    threads: int
    descriptors: int
    connections: int
    """TCP connections that are established."""


@dataclass(slots=True)
class Mailrules:
    """The program under test, in its workspace."""

    root: Path
    starts: int = 0
    samples: list[Sample] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def log(self) -> Path:
        """What it says."""
        return self.root / "mailrules.log"

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "MAILRULES_PLUGINS": "", "TZ": "UTC"}

    def start(self) -> None:
        """Begin, or begin again; returns when it listens."""
        said = self._listening()
        with self.log.open("ab") as log:
            command = [MAILRULES, "--workspace", str(self.root), "run"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, env=self._environment)
        self.starts += 1
        deadline = time.monotonic() + 30
        while self._listening() == said:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mailrules does not listen; see {self.log}")
            time.sleep(0.01)

    def _listening(self) -> int:
        return self.log.read_bytes().count(b"INFO mailrules: listening: ") if self.log.exists() else 0

    def end(self, number: int, limit: float = 60) -> tuple[int, float]:
        """Send a signal; gives the exit code and the seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(number)
        return self._process.wait(limit), time.monotonic() - began

    def stop(self) -> None:
        """Whatever comes, nothing of it stays."""
        self._over.set()
        if self._process and self._process.poll() is None:
            self.end(signal.SIGKILL)

    def ask(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Another command of mailrules in the same workspace."""
        command = [MAILRULES, "--workspace", str(self.root), *arguments]
        environment = self._environment | environment
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)

    def status(self) -> tuple[int, dict[str, Any]]:
        """What `mailrules status --json` says: the exit code, and the listeners by name."""
        said = self.ask("status", "--json")
        return said.returncode, {one["listener"]: one for one in json.loads(said.stdout)["listeners"]}

    def log_in(self, account: str) -> str:
        """As a person does who allows it in a browser."""
        script = self.root / "browser.py"
        script.write_text(BROWSER)
        said = self.ask("auth", "login", account, BROWSER=f"{sys.executable} {script} %s")
        if said.returncode:
            raise RuntimeError(said.stdout + said.stderr)
        return said.stdout

    def watch(self, pause: float = 1.0) -> None:
        """Take samples from now on, in a thread."""

        def follow() -> None:
            while not self._over.wait(pause):
                with suppress(OSError, ValueError, IndexError):  # it ended while we looked
                    if self._process and self._process.poll() is None:
                        self.samples.append(sample(self._process.pid))

        threading.Thread(target=follow, daemon=True).start()


def sample(pid: int) -> Sample:
    """What /proc says of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    held = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            held.append(str(descriptor.readlink()))
    cpu, threads, memory = int(fields[11]) + int(fields[12]), int(fields[17]), int(fields[21])
    return Sample(time.time(), pid, cpu / TICKS, memory * PAGE, threads, len(held), established(held))


def established(held: list[str]) -> int:
    """How many of these descriptors are TCP connections that stand."""
    sockets = {name[8:-1] for name in held if name.startswith("socket:[")}
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[3] == "01" and line.split()[9] in sockets for line in lines)
