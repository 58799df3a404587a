"""What the review of calls reads: a summary of each, the words said, notes, tags, open questions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kame_voice.store.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FLAGS = ("ungrounded", "unanswered", "barge_ins", "failures")
_COUNTS = (*_FLAGS, "turn_count")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Made by hand, as no ORM can: what was said, searchable. `store.search` reads and writes it.
_WORDS = {
    "sqlite": (
        "CREATE VIRTUAL TABLE call_words USING fts5("
        "places UNINDEXED, words, tokenize = 'porter unicode61 remove_diacritics 2')",
        "CREATE TRIGGER call_words_gone AFTER DELETE ON calls WHEN old.words_id IS NOT NULL "
        "BEGIN DELETE FROM call_words WHERE rowid = old.words_id; END",
    ),
    "postgresql": (
        # English stems without stop words: who searches "are you open" means every word of it.
        "CREATE TEXT SEARCH DICTIONARY kame_english_stem (TEMPLATE = snowball, LANGUAGE = english)",
        "CREATE TEXT SEARCH CONFIGURATION kame_english (COPY = english)",
        "ALTER TEXT SEARCH CONFIGURATION kame_english ALTER MAPPING FOR "
        "asciiword, asciihword, hword_asciipart, word, hword, hword_part WITH kame_english_stem",
        "CREATE TABLE call_words (id bigint CONSTRAINT pk_call_words PRIMARY KEY, "
        "call_id varchar(64) NOT NULL CONSTRAINT fk_call_words_call_id REFERENCES calls (id) "
        "ON DELETE CASCADE, places text NOT NULL, words text NOT NULL, "
        "vector tsvector GENERATED ALWAYS AS (to_tsvector('kame_english', words)) STORED)",
        "CREATE INDEX ix_call_words_vector ON call_words USING gin (vector)",
        "CREATE UNIQUE INDEX ix_call_words_call_id ON call_words (call_id)",
    ),
}
_NO_WORDS = {
    "sqlite": ("DROP TRIGGER call_words_gone", "DROP TABLE call_words"),
    "postgresql": (
        "DROP TABLE call_words",
        "DROP TEXT SEARCH CONFIGURATION kame_english",
        "DROP TEXT SEARCH DICTIONARY kame_english_stem",
    ),
}


def upgrade() -> None:
    """Add columns, tables and indexes. Summaries of the calls so far are made by the running server."""
    op.add_column("calls", sa.Column("summarised", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("calls", sa.Column("worst_gap_ms", sa.BigInteger(), nullable=True))
    for name in _COUNTS:
        op.add_column("calls", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("calls", sa.Column("opening", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("disposition", sa.String(32), nullable=True))
    op.add_column("turns", sa.Column("word_ms", sa.JSON(), nullable=True))
    op.drop_index("ix_calls_line_started_at", "calls")
    op.drop_index("ix_calls_status", "calls")
    for name in ("line", "customer", "status"):
        op.create_index(f"ix_calls_{name}_started_at_id", "calls", [name, "started_at", "id"])
    for flag in _FLAGS:
        _partial_index(f"ix_calls_{flag}", "calls", ["started_at", "id"], f"{flag} > 0")
    _partial_index("ix_calls_summary_due", "calls", ["id"], "summarised = false")
    op.create_table(
        "notes",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        _belongs_to_a_call("notes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_call_id", "notes", ["call_id"])
    op.create_table(
        "call_tags",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("tag", sa.String(48), nullable=False),
        _belongs_to_a_call("call_tags"),
        sa.PrimaryKeyConstraint("call_id", "tag", name=op.f("pk_call_tags")),
    )
    op.create_index("ix_call_tags_tag", "call_tags", ["tag", "call_id"])
    op.create_table(
        "open_questions",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("oracle_id", sa.String(64), nullable=False),
        sa.Column("line", sa.String(64), nullable=False),
        sa.Column("customer", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        _belongs_to_a_call("open_questions"),
        sa.PrimaryKeyConstraint("call_id", "oracle_id", name=op.f("pk_open_questions")),
    )
    op.create_index("ix_open_questions_line_asked_at", "open_questions", ["line", "asked_at"])
    _partial_index("ix_open_questions_no_vector", "open_questions", ["call_id"], "vector IS NULL")
    op.add_column("calls", sa.Column("words_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_calls_words_id", "calls", ["words_id"], unique=True)
    for statement in _WORDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Drop all of it."""
    for statement in _NO_WORDS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_calls_words_id", "calls")
    op.drop_column("calls", "words_id")
    for table in ("open_questions", "call_tags", "notes"):
        op.drop_table(table)
    for name in ("line", "customer", "status"):
        op.drop_index(f"ix_calls_{name}_started_at_id", "calls")
    for flag in (*_FLAGS, "summary_due"):
        op.drop_index(f"ix_calls_{flag}", "calls")
    op.create_index("ix_calls_status", "calls", ["status"])
    op.create_index("ix_calls_line_started_at", "calls", ["line", "started_at"])
    op.drop_column("turns", "word_ms")
    for name in ("disposition", "opening", *reversed(_COUNTS), "worst_gap_ms", "summarised"):
        op.drop_column("calls", name)


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _belongs_to_a_call(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_call_id")
    return sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=name, ondelete="CASCADE")
