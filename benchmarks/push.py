"""What push costs: from a server's notice to the first action, and what connections take that only listen.

    python -m benchmarks push        (python -m benchmarks.push --connections 100 --notices 50)

One process of ours, with the whole engine and a journal on disk, keeps hundreds of connections to a small IMAP server
in a process of its own (`benchmarks/idle_server.py`): Dovecot would need a process for each. The server says `EXISTS`
on one of them and notes when; the action notes when it runs, on the same clock. Processor time is that of our process
over some seconds in which nothing comes; memory is what the kernel says that it has grown by for as many connections
again, which are opened and listen.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from mailrules.api import PasswordCredential, Place, Pushing, Secret, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.cli.run import collect_seldom
from mailrules.config.load import load_workspace
from mailrules.config.settings import Workspace
from mailrules.engine.listen import Loop
from mailrules.engine.perform import Attempt, Performed
from mailrules.engine.worlds import live_world
from mailrules.model.entry import StepState
from mailrules.store.sql import open_journal

QUIET = 20.0
"""Seconds in which nothing comes."""
ACCOUNT = """
  a{number}:
    receive: {{imap: {{host: 127.0.0.1, port: {port}, security: none}}}}
    auth: {{password: {{login: jo, password: pw}}}}
"""
LISTENER = """
  l{number}: {{account: a{number}, idle: true, schedule: {{every: 1h}}, flow: note}}
"""


class Server:
    """The server in its process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.idle_server"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._line())

    def notify(self, number: int) -> float:
        """Have it tell of a message; gives when, on the system's monotonic clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"notify {number}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def workspace(folder: Path, port: int, connections: int) -> Workspace:
    """That many listeners, each with an account of its own."""
    accounts = "".join(ACCOUNT.format(number=number, port=port) for number in range(connections))
    listeners = "".join(LISTENER.format(number=number) for number in range(connections))
    text = f'version: 1\naccounts:{accounts}listeners:{listeners}flows:\n  note: [{{log: "news"}}]\n'
    (folder / "mailrules.yaml").write_text(text)
    loaded = load_workspace(folder)
    assert loaded.workspace is not None, loaded.diagnostics
    return loaded.workspace


@contextmanager
def listening(made: Workspace, acted: Callable[[float], None]) -> Iterator[Callable[[], int]]:
    """The engine at work; gives how many passes have been."""
    passes: list[object] = []
    with closing(open_journal(made.journal)) as journal:

        def perform(_attempt: Attempt) -> Performed:
            acted(time.monotonic())
            return Performed(StepState.SUCCEEDED)

        world = replace(live_world(made, journal), perform=perform)
        loop = Loop(made.listeners.values(), world, passes.append)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield lambda: len(passes)
        finally:
            loop.stop()
            thread.join(60)


def until(happened: Callable[[], bool], limit: float = 120.0) -> None:
    end = time.monotonic() + limit
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("it never happened")
        time.sleep(0.005)


def resident() -> int:
    """Octets of memory of this process that are its own."""
    status = Path("/proc/self/smaps_rollup").read_text()
    return sum(
        int(line.split()[1]) << 10
        for line in status.splitlines()
        if line.startswith(("Private_Dirty", "Private_Clean"))
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--notices", type=int, default=200)
    options = parser.parse_args(arguments)
    collect_seldom()
    with closing(Server()) as server, tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        each = memory(server.port, options.connections, held)
        print(f"\n{options.connections} connections that listen take {each:.1f} KB each (bar 8)")
        held.close()
        made, took = workspace(Path(folder), server.port, options.connections), list[float]()
        times: list[float] = []
        with listening(made, times.append) as passes:
            until(lambda: passes() >= options.connections)
            time.sleep(1)
            quiet(options.connections)
            for number in range(options.notices):
                seen = len(times)
                told = server.notify(number * 7)
                until(lambda seen=seen: len(times) > seen, 10)  # type: ignore[misc]  # mypy takes the default for an argument
                took.append((times[-1] - told) * 1000)
                time.sleep(0.02)
        report(took)


def memory(port: int, connections: int, held: ExitStack) -> float:
    """KB of memory that each connection takes, without TLS."""
    raw = {"host": "127.0.0.1", "port": port, "security": "none"}
    options = build_options(IMAP.options, raw, root=Path())

    def resting() -> None:
        mailbox = IMAP.open(options, PasswordCredential("jo", Secret("pw")), Place(Path()))
        assert isinstance(mailbox, Pushing)
        held.enter_context(closing(mailbox))
        list(mailbox.heads(mailbox.refs(unseen_only=False)))
        mailbox.listen()
        mailbox.heard()

    for _ in range(50):  # what is made once is made
        resting()
    before = resident()
    for _ in range(connections):
        resting()
    return (resident() - before) / connections / 1024


def quiet(connections: int) -> None:
    before = time.process_time()
    time.sleep(QUIET)
    used = (time.process_time() - before) / QUIET
    threads = [thread.name for thread in threading.enumerate() if not thread.name.startswith("pass")]
    print(f"\n{connections} connections that listen, in {len(threads) - 1} thread beside the main one")
    print(f"  processor time while nothing comes  {used:8.3%} of one core (over {QUIET:.0f} s)", flush=True)


def report(took: Sequence[float]) -> None:
    ordered = sorted(took)
    print(f"from the server's notice to the first action, {len(ordered)} times, in milliseconds (bar 10)")
    print(
        f"  median {statistics.median(ordered):.2f}, 95 of 100 under {ordered[int(len(ordered) * 0.95)]:.2f}, ", end=""
    )
    print(f"slowest {ordered[-1]:.2f}")


if __name__ == "__main__":
    main()
