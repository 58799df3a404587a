"""How many oracles of each call ended how, for the dashboard, which cannot read them one by one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the running server fills it for the calls so far, as it sums them up again."""
    op.add_column("calls", sa.Column("oracle_outcomes", sa.JSON(), nullable=True))
    op.execute("UPDATE calls SET summarised = false")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("calls", "oracle_outcomes")
