"""Ending on request: SIGTERM and SIGINT finish the message in hand, a second SIGINT does not wait."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

INTERRUPTED = 130


class StopRequest:
    """While it is entered, the two signals ask to stop instead of ending the process."""

    def __init__(self) -> None:
        self._asked = False
        self._told: Callable[[], None] = lambda: None
        self._before: dict[signal.Signals, Any] = {}

    def asked(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked

    def tell(self, told: Callable[[], None]) -> None:
        """Call *told*, from the signal handler, when it is asked for."""
        self._told = told

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT:
            os._exit(INTERRUPTED)
        if not self._asked and number == signal.SIGINT:  # from a person, who waits; no log, which may be writing
            with contextlib.suppress(OSError):
                os.write(2, b"\nending when the message in hand is done; interrupt once more to end at once\n")
        self._asked = True
        self._told()

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
