"""Why a call could not be summed up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("calls", sa.Column("summary_error", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("calls", "summary_error")
