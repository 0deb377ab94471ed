"""How one server is started, watched and ended."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .place import HOST, Place

GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, in the foreground, for a server that is configured."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A kind of server: the ports it must answer on, what it lacks here, and how to configure it."""

    name: str
    ports: tuple[str, ...]
    missing: Callable[[], str]
    """Why it cannot run on this machine; empty if it can."""
    prepare: Callable[[Place], Command]


class Running:
    """A started server, under a guard that ends it with us."""

    def __init__(self, daemon: Daemon, place: Place) -> None:
        command = daemon.prepare(place)
        self.name = daemon.name
        self.log = place.make("log") / f"{daemon.name}.out"
        with self.log.open("ab") as out:
            self._guard = subprocess.Popen(
                [sys.executable, "-ISE", str(GUARD), str(place.directory), *command.argv],
                stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True,
                env=os.environ | command.environment,
            )  # fmt: skip
        try:
            for port in daemon.ports:
                self._await(getattr(place.ports, port))
        except BaseException:
            self.stop()
            raise

    def _await(self, port: int, limit: float = 20) -> None:
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self._guard.poll() is None:
            try:
                socket.create_connection((HOST, port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        last_words = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name} does not listen on port {port}; its log is {self.log}\n{last_words}")

    def stop(self) -> None:
        """End the server; returns when nothing of it is left."""
        try:
            self._guard.communicate(b".", timeout=30)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            raise


def nothing_missing(*programs: str | Path, root: bool = True) -> str:
    """The usual reasons why a server cannot run here, the first that holds; empty if none does."""
    for program in programs:
        if not any(os.access(Path(folder) / program, os.X_OK) for folder in search_path()):
            return f"{Path(program).name} is not installed (tests/servers/install.sh installs it, as root on Debian 12)"
    if root and os.geteuid() != 0:
        return "it must be started as root"
    return ""


def search_path() -> list[str]:
    """Where programs are found, the places of system daemons included."""
    return [*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/sbin", "/usr/sbin", "/sbin"]
