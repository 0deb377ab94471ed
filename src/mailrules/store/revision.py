"""Which revision of the tables a journal has, and how it comes to ours. Alembic is imported only for a step up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, insert, inspect, select

from mailrules.model.journal import JournalError
from mailrules.store.schema import HEAD, metadata, versions

if TYPE_CHECKING:
    from alembic.config import Config


def settle_revision(engine: Engine, *, readonly: bool) -> None:
    """Make sure that the journal has our tables: made where there are none, brought up where they are older.

    Raises:
        JournalError: it is another program's database, or a newer mailrules wrote it, or it is older and only read.
    """
    with engine.connect() as connection, connection.begin():
        if stored(connection) == HEAD:
            return
    with engine.begin() if readonly else writing(engine) as connection:
        found = stored(connection)  # again, now that no other process can be at the same work
        if found is None:
            create(connection)
        elif found != HEAD:
            upgrade(connection, found, readonly=readonly)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds the right to write from its first moment, so that what it reads stays true."""
    with engine.connect() as connection, connection.execution_options(writes=True).begin():
        yield connection


def stored(connection: Connection) -> str | None:
    """The revision that the journal is stamped with; None for an empty database.

    Raises:
        JournalError: there are tables, and they are not ours.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    found: str | None = connection.scalar(select(versions.c.version_num)) if versions.name in tables else None
    if found is None:
        raise JournalError("the journal's address names a database of another program; give mailrules one of its own")
    return found


def create(connection: Connection) -> None:
    """All tables at once, in the caller's transaction; a test holds that the migrations give the same."""
    metadata.create_all(connection)
    versions.create(connection)
    connection.execute(insert(versions), {"version_num": HEAD})


def upgrade(connection: Connection, found: str, *, readonly: bool = False) -> None:
    """Bring the tables from revision *found* to ours, in the caller's transaction.

    Raises:
        JournalError: see `settle_revision`.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if found not in known:
        raise JournalError(f"a newer mailrules wrote the journal (revision {found}, ours is {HEAD}); update mailrules")
    if readonly:
        raise JournalError(f"the journal is of revision {found}, ours is {HEAD}; 'mailrules run' brings it up")
    command.upgrade(settings, "head")


def config(connection: Connection) -> Config:
    """Alembic's settings for the migrations in this package, working on *connection*."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
