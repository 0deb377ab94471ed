"""What is told to whoever started us and watches over us: systemd's protocol, see sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Sends datagrams to NOTIFY_SOCKET; without one, nothing. A supervisor that does not listen hinders nobody."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if self._address else None
        self.watch = _watch(environment) if self._address else None
        """Seconds within which it wants to hear `alive`; None when it does not watch."""
        if self._socket:
            self._socket.setblocking(False)
        self._last = 0.0

    def ready(self, status: str) -> None:
        """We do our work, as *status* says in a line."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The configuration is read anew; `ready` says that this is over."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """We end as soon as the messages in hand are done. Safe to call from a signal handler."""
        self._tell("STOPPING=1", "STATUS=finishing the messages in hand")

    def alive(self) -> None:
        """We are not stuck: told no more often than needed."""
        now = time.monotonic()
        if self.watch is not None and now - self._last >= self.watch / 4:
            self._last = now
            self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket:
            self._socket.close()

    def _tell(self, *lines: str) -> None:
        if self._socket:
            name = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
            with suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), name)


def _watch(environment: Mapping[str, str]) -> float | None:
    told, meant = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not told.isdigit() or int(told) == 0 or meant not in ("", str(os.getpid())):
        return None
    return int(told) / 1_000_000
