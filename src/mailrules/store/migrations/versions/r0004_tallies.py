"""What is counted over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "tally",
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("whom", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("what", "whom", "key", name="pk_tally"),
    )
    op.create_index("ix_tally_what_whom_at", "tally", ["what", "whom", "at"])
    op.create_index("ix_tally_at", "tally", ["at"])
