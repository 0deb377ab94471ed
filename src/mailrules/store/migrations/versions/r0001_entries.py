"""Entries, their steps, and when each listener first ran."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    """Make the three tables."""
    _make_entry()
    _make_step()
    op.create_table(
        "listener",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("first_pass", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_listener"),
    )


def _make_entry() -> None:
    op.create_table(
        "entry",
        sa.Column("id", _NUMBER, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("listener", "account", "folder", "validity", "uid")),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rule", sa.Text),
        sa.Column("rule_span", sa.Text, nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("retry_at", _MOMENT),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("message_id", "subject", "sender")),
        sa.Column("date", _MOMENT),
        sa.Column("captures", sa.Text, nullable=False),
        sa.Column("updated", _MOMENT, nullable=False),
        sa.Column("claim", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.UniqueConstraint(
            "listener", "folder", "validity", "uid", "account", name="uq_entry_listener_folder_validity_uid_account"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entry_listener_fingerprint", "entry", ["listener", "fingerprint"])
    op.create_index("ix_entry_listener_state_retry_at", "entry", ["listener", "state", "retry_at"])


def _make_step() -> None:
    op.create_table(
        "step",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("entry_id", _NUMBER, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "digest", "state", "key", "detail", "result")),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("span", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_step"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name="fk_step_entry_id_entry", ondelete="CASCADE"),
    )
    op.create_index("ix_step_entry_id", "step", ["entry_id"])
