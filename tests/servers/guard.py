"""Runs one server for as long as its owner lives: `guard.py DIRECTORY COMMAND...`.

The owner holds the other end of standard input. When that closes, however it closes, the server and all that it left
behind are ended. An owner that wrote nothing first was killed, so its files go too.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE, AGAIN = 2.0, 0.2


def orphans() -> list[int]:
    """The processes whose parent this one is; a server's own children fall to it when the server ends."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text(errors="replace").rsplit(")", 1)[1].split()[1]
        except (OSError, IndexError):  # it ended while we looked
            continue
        if int(parent) == os.getpid():
            found.append(int(stat.parent.name))
    return found


def reap() -> None:
    """Collect every child that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop, wait, then end whatever is left of it."""
    asked = time.monotonic()
    while server.poll() is None and time.monotonic() - asked < GRACE:
        server.terminate()  # again and again: a server that is still starting may not have heard
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(AGAIN)
    asked = time.monotonic()
    while left := orphans():
        if time.monotonic() - asked > AGAIN:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        reap()
        time.sleep(0.01)


def main(directory: str, command: list[str]) -> None:
    """Run the command until it ends or standard input closes."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    select.select([sys.stdin, os.pidfd_open(server.pid)], [], [])
    released = server.poll() is not None or os.read(0, 1)
    end(server)
    if not released:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
