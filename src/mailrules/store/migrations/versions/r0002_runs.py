"""How often each listener ran, when last, and why it takes no more mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    """Add the three columns."""
    op.add_column("listener", sa.Column("runs", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("listener", sa.Column("last_run", _MOMENT))
    op.add_column("listener", sa.Column("stopped", sa.Text))
