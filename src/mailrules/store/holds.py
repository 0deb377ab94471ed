"""Which machine works on a listener, where several share a journal: one at a time."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import suppress

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

PATIENCE = 5.0
"""Seconds to wait for a listener: most passes are over sooner."""


class Holds:
    """PostgreSQL's advisory locks, all of a process on one connection: they go with it, however the process ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._one_by_one = threading.Lock()
        self._connection: Connection | None = None

    def take(self, listener: str) -> bool:
        """Have the listener, unless another machine has it, and keeps it for longer than `PATIENCE`.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        end = time.monotonic() + PATIENCE
        while not (ours := self._asked(listener)) and time.monotonic() < end:
            time.sleep(0.1)
        return ours

    def _asked(self, listener: str) -> bool:
        with self._one_by_one:
            try:
                return self._try(listener)
            except SQLAlchemyError:
                self._drop()  # it may have been lost while it rested
                return self._try(listener)

    def give_back(self, listener: str) -> None:
        """Let another machine have it. Never raises: a connection that fails has given everything back."""
        with self._one_by_one:
            if self._connection is not None:
                try:
                    self._connection.scalar(select(func.pg_advisory_unlock(_number(listener))))
                except SQLAlchemyError:
                    self._drop()

    def close(self) -> None:
        """Give everything back."""
        with self._one_by_one:
            self._drop()

    def _try(self, listener: str) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return bool(self._connection.scalar(select(func.pg_try_advisory_lock(_number(listener)))))

    def _drop(self) -> None:
        """Close the connection itself: back in the pool it would hold on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
            with suppress(SQLAlchemyError):
                connection.close()


def _number(listener: str) -> int:
    """What stands for it among the locks of the database."""
    digest = hashlib.blake2b(b"mailrules listener " + listener.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
