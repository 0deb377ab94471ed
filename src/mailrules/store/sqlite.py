"""How a journal in an SQLite file is opened: durable for writing, without a trace for reading."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from mailrules.model.journal import JournalError
from mailrules.store.schema import HEAD, metadata, versions

PATIENCE = 10.0
"""Seconds to wait for another process's write before giving up; `?timeout=` in the URL says otherwise."""


def file_of(url: URL) -> Path:
    """The file that *url* names.

    Raises:
        JournalError: it names none: a journal in memory would forget what was done.
    """
    if not url.database or url.database == ":memory:" or "uri" in url.query:
        raise JournalError("journal sqlite: the address names no file; write it as sqlite:///journal.db")
    if (path := Path(url.database)).is_dir():
        raise JournalError(f"journal {path}: the address names a folder; name a file in it")
    return path


def writing_engine(url: URL) -> Engine:
    """Connections that write ahead and sync at each commit; file and folder are made, for this user alone."""
    path = file_of(url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    patience = {} if "timeout" in url.query else {"timeout": PATIENCE}
    engine = create_engine(url, connect_args=patience, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, see _begin
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("lower", 1, _lower, deterministic=True)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _lower(text: str | None) -> str | None:
    """SQLite's own knows ASCII only."""
    return None if text is None else text.lower()


def reading_engine(url: URL) -> Engine:
    """Connections that change nothing on disk; each looks anew at what is there, and an absent journal is empty."""
    path = file_of(url)
    engine = create_engine("sqlite://", creator=lambda: _reader(path), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", _begin)
    return engine


def _reader(path: Path) -> sqlite3.Connection:
    connection = _looking_at(path) if path.exists() else None
    if connection is None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(_script())
    connection.create_function("lower", 1, _lower, deterministic=True)
    return connection


def _looking_at(path: Path) -> sqlite3.Connection | None:
    """A connection that only reads; None where nothing has been written yet.

    A file without its `-wal` is held by nobody: read as immutable, it needs no locks and leaves no files beside it.
    """
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    address = f"file:{quote(str(path.absolute()))}?{mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as probe:
        if not probe.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return None
    return sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)


@cache
def _script() -> str:
    """What makes an empty journal."""
    tables = [*metadata.sorted_tables, versions]
    made = [str(CreateTable(table).compile(dialect=dialect.dialect())) for table in tables]
    for table in tables:
        made += [str(CreateIndex(index).compile(dialect=dialect.dialect())) for index in table.indexes]
    return ";\n".join([*made, f"INSERT INTO alembic_version VALUES ('{HEAD}')"])  # noqa: S608 - a constant of ours
