"""The journal's tables. A change here is a new file in `migrations/versions` and a new `HEAD`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mailrules.store.columns import AnyText, Instant, Json

HEAD = "0004"
"""The revision that these tables are: a journal stamped with it is opened without looking at any migration."""

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

entries = Table(
    "entry",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("listener", AnyText, nullable=False),
    Column("account", AnyText, nullable=False),
    Column("folder", AnyText, nullable=False),
    Column("validity", AnyText, nullable=False),
    Column("uid", AnyText, nullable=False),
    Column("fingerprint", AnyText, nullable=False),
    Column("state", Text, nullable=False),
    Column("rule", AnyText),
    Column("rule_span", AnyText, nullable=False),
    Column("code", Integer, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Instant),
    Column("message_id", AnyText, nullable=False),
    Column("subject", AnyText, nullable=False),
    Column("sender", AnyText, nullable=False),
    Column("date", Instant),
    Column("captures", Json, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("claim", BigInteger, nullable=False),  # a random number for each claim: whose it bears has the row
    # The account comes last because messages are looked up by their place first.
    UniqueConstraint("listener", "folder", "validity", "uid", "account"),
    Index(None, "listener", "fingerprint"),
    Index(None, "listener", "state", "retry_at"),
    sqlite_autoincrement=True,  # a number is never given twice
)

steps = Table(
    "step",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("entry_id", _NUMBER, ForeignKey("entry.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("digest", AnyText, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", AnyText, nullable=False),
    Column("detail", AnyText, nullable=False),
    Column("result", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("span", AnyText, nullable=False),
)

listeners = Table(
    "listener",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("first_pass", Instant, nullable=False),
    Column("runs", Integer, nullable=False, server_default=text("0")),
    Column("last_run", Instant),
    Column("stopped", AnyText),
)

# Apart from `listener`: a mailbox that has never let us in has a health, too, and no first pass.
health = Table(
    "health",
    metadata,
    Column("listener", AnyText, primary_key=True),
    Column("last_success", Instant),
    Column("failures", Integer, nullable=False),
    Column("since", Instant),
    Column("error", AnyText, nullable=False),
    Column("remedy", AnyText, nullable=False),
    Column("person", Boolean, nullable=False),
    Column("next_run", Instant),
    Column("overdue", Instant),
    Column("waiting", Integer, nullable=False),
    Column("ended", AnyText, nullable=False),
)

tallies = Table(
    "tally",
    metadata,
    Column("what", AnyText, primary_key=True),
    Column("whom", AnyText, primary_key=True),
    Column("key", AnyText, primary_key=True),
    Column("at", Instant, nullable=False),
    Index(None, "what", "whom", "at"),
    Index(None, "at"),
)

# Alembic's own table, as Alembic makes it, so that a fresh journal is stamped without importing it.
versions = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "alembic_version_pkc"}),
    Column("version_num", String(32), primary_key=True),
)
