"""How each listener fares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "health",
        sa.Column("listener", sa.Text, nullable=False),
        sa.Column("last_success", _MOMENT),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since", _MOMENT),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("person", sa.Boolean, nullable=False),
        sa.Column("next_run", _MOMENT),
        sa.Column("overdue", _MOMENT),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("ended", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("listener", name="pk_health"),
    )
