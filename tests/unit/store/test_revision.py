"""How a journal gets its tables, and how it tells which it has."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from mailrules.model.journal import History, JournalError, Query
from mailrules.store import revision, schema
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import NOON, entry

MADE_BY = "SELECT sql FROM sqlite_master WHERE name = ?"
SHIPPED = Path(revision.__file__).with_name("migrations")


@pytest.fixture
def connection():
    """An empty database."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def migrated(connection):
    """By every migration from nothing."""
    command.upgrade(revision.config(connection), "head")


def shape(connection):
    """All that the database knows of its tables, in an order that says nothing."""
    seen = inspect(connection)
    return {
        table: (
            sorted(str(sorted((column | {"type": str(column["type"])}).items())) for column in seen.get_columns(table)),
            seen.get_pk_constraint(table),
            sorted(map(str, seen.get_indexes(table))),
            sorted(map(str, seen.get_unique_constraints(table))),
            sorted(map(str, seen.get_foreign_keys(table))),
            "AUTOINCREMENT" in connection.exec_driver_sql(MADE_BY, (table,)).scalar(),
        )
        for table in seen.get_table_names()
    }


def test_the_migrations_give_the_tables_that_the_code_has(connection):
    migrated(connection)
    assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_a_fresh_journal_is_what_the_migrations_give(connection):
    revision.create(connection)
    with create_engine("sqlite://").begin() as other:
        migrated(other)
        assert shape(connection) == shape(other)
        assert revision.stored(connection) == revision.stored(other)


def test_the_head_is_the_latest_migration(connection):
    assert ScriptDirectory.from_config(revision.config(connection)).get_current_head() == schema.HEAD


def test_an_older_journal_is_brought_up_when_it_is_opened(tmp_path, monkeypatch):
    """A migration that is not shipped stands for the next one."""
    url = f"sqlite:///{tmp_path}/journal.db"
    old = open_journal(url)
    old.claim([entry(1)])
    old.close()
    after = f"{int(schema.HEAD) + 1:04d}"
    migrations = tmp_path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    for shipped in (SHIPPED / "env.py", *SHIPPED.glob("versions/r*.py")):
        (migrations / shipped.relative_to(SHIPPED)).write_text(shipped.read_text())
    (migrations / "versions" / f"r{after}_note.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = {after!r}, {schema.HEAD!r}\n"
        "def upgrade():\n    op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))\n"
    )
    config = revision.config

    def next_release(connection):
        settings = config(connection)
        settings.set_main_option("script_location", str(migrations))
        return settings

    monkeypatch.setattr(revision, "config", next_release)
    monkeypatch.setattr(revision, "HEAD", after)
    with pytest.raises(JournalError, match="'mailrules run' brings it up"):
        open_journal(url, readonly=True)
    new = open_journal(url)
    assert len(new.find(Query())) == 1
    new.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as file:
        assert file.execute("SELECT version_num, (SELECT count(*) FROM note) FROM alembic_version").fetchall() == [
            (after, 0)
        ]


@pytest.mark.parametrize("written", ["2026-03-01T12:00:00.000000+00:00", "2026-03-01 12:00:00.000000"])
def test_a_journal_from_before_runs_were_counted_keeps_what_it_has(tmp_path, written):
    path = tmp_path / "journal.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(revision.config(connection), "0001")
        connection.exec_driver_sql(f"INSERT INTO listener VALUES ('inbox', '{written}')")
    engine.dispose()

    with closing(open_journal(f"sqlite:///{path}")) as journal:
        journal.ran("inbox", NOON)

        assert journal.first_pass("inbox") == datetime(2026, 3, 1, 12, tzinfo=UTC)
        assert journal.history("inbox") == History(1, NOON)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_journal_of_a_newer_mailrules_is_refused_and_left_alone(tmp_path, readonly):
    path = tmp_path / "journal.db"
    open_journal(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"a newer mailrules wrote the journal \(revision 0099.*update mailrules"):
        open_journal(f"sqlite:///{path}", readonly=readonly)
    assert path.read_bytes() == before


@pytest.mark.parametrize("there", [False, True])
def test_alembic_is_not_imported_for_a_journal_that_is_up_to_date(tmp_path, there):
    url = f"sqlite:///{tmp_path}/journal.db"
    if there:
        open_journal(url).close()
    code = (
        "import sys; from mailrules.store.sql import open_journal as o; o(sys.argv[1]); print('alembic' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"


def test_an_overlay_over_nothing_needs_no_database_code():
    code = "import sys, mailrules.store.overlay; print('sqlalchemy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
