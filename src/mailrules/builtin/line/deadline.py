"""An end for an HTTP request that no slowness of the other side can put off."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any, Self

from mailrules.api import Transient


class Deadline:
    """Hangs up after *seconds*, however slowly headers or body drip: a context around a request of httpx2.

    The request is to carry `extensions={"trace": deadline.watch}`. When it has ended, well or not, ask `check`: hung
    up, an answer without a length looks whole.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._stream: Any = None
        self._seconds, self._over = seconds, False

    def watch(self, _event: str, info: Mapping[str, Any]) -> None:
        """Told of each step: opening a connection, and encrypting it, gives what is to be hung up."""
        stream = info.get("return_value")
        if hasattr(stream, "get_extra_info"):
            self._stream = stream
        if self._over:
            self._hang_up()  # it opened too late

    def check(self, request: str) -> None:
        """Raises `Transient`, which names the *request*, when the time was over."""
        if self._over:
            raise Transient(f"{request}: no whole answer within {self._seconds:g} s")

    def _hang_up(self) -> None:
        self._over = True
        with contextlib.suppress(OSError, AttributeError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
