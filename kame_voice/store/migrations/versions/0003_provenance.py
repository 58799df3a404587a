"""Where an answer came from and what it cost; which oracle an agent's turn spoke, and how much of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ORACLE_COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("model", sa.String(128), nullable=True),
    sa.Column("adopted_ms", sa.BigInteger(), nullable=True),
    sa.Column("confirmed_ms", sa.BigInteger(), nullable=True),
    sa.Column("spoken_ms", sa.BigInteger(), nullable=True),
    sa.Column("grounded", sa.Boolean(), nullable=True),
    sa.Column("input_tokens", sa.BigInteger(), nullable=True),
    sa.Column("output_tokens", sa.BigInteger(), nullable=True),
    sa.Column("cache_read_tokens", sa.BigInteger(), nullable=True),
    sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True),
    sa.Column("cost_usd", sa.Float(), nullable=True),
)


def upgrade() -> None:
    """Add the columns; what was kept before has none of it."""
    for column in _ORACLE_COLUMNS:
        op.add_column("oracles", sa.Column(column.name, column.type, nullable=True))
    op.add_column("turns", sa.Column("portions", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("turns", "portions")
    for column in _ORACLE_COLUMNS:
        op.drop_column("oracles", column.name)
