"""Calls with their turns, oracles and events, and the flows they ran on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kame_voice.store.tables import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "flows",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("line", sa.String(64), nullable=False),
        sa.Column("customer", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("first_used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_flows")),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("provider_id", sa.String(128), nullable=False),
        sa.Column("line", sa.String(64), nullable=False),
        sa.Column("customer", sa.String(64), nullable=False),
        sa.Column("from_number", sa.String(256), nullable=False),
        sa.Column("to_number", sa.String(256), nullable=False),
        sa.Column("flow_version", sa.String(64), nullable=False),
        sa.Column("front_end", sa.String(32), nullable=False),
        sa.Column("oracle_mode", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("recording", sa.String(256), nullable=True),
        sa.Column("response_gap_ms", sa.JSON(), nullable=False),
        sa.Column("informed_gap_ms", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_started_at_id", "calls", ["started_at", "id"])
    op.create_index("ix_calls_line_started_at", "calls", ["line", "started_at"])
    op.create_index("ix_calls_provider_id", "calls", ["provider_id"])
    op.create_index("ix_calls_status", "calls", ["status"])
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("speaker", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("heard_text", sa.Text(), nullable=True),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("verbatim", sa.Boolean(), nullable=False),
        sa.Column("oracle_ids", sa.JSON(), nullable=False),
        sa.Column("utterance", sa.BigInteger(), nullable=True),
        _belongs_to_a_call("turns"),
        sa.PrimaryKeyConstraint("call_id", "index", name=op.f("pk_turns")),
    )
    op.create_table(
        "oracles",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_token_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        _belongs_to_a_call("oracles"),
        sa.PrimaryKeyConstraint("call_id", "id", name=op.f("pk_oracles")),
    )
    op.create_table(
        "events",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        _belongs_to_a_call("events"),
        sa.PrimaryKeyConstraint("call_id", "index", name=op.f("pk_events")),
    )


def downgrade() -> None:
    """Drop every table and what is in it."""
    for table in ("events", "oracles", "turns", "calls", "flows"):
        op.drop_table(table)


def _belongs_to_a_call(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_call_id")
    return sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=name, ondelete="CASCADE")
