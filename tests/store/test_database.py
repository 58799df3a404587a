"""Opening the database: made, upgraded, or one clear error."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from kame_voice.store.database import Database
from kame_voice.store.errors import (
    BadDatabaseUrl,
    DatabaseCorrupt,
    DatabaseLocked,
    DatabaseSchema,
    DatabaseUnreachable,
)
from tests.store.conftest import schema_differences


def test_migrations_and_tables_agree(url: str) -> None:
    database = Database.open(url)
    with database.engine.connect() as connection:
        assert schema_differences(connection) == []
    database.close()


def test_opening_twice_changes_nothing(url: str) -> None:
    Database.open(url).close()
    Database.open(url).close()
    Database.open_existing(url).close()


def test_the_file_is_for_its_owner_alone_and_in_wal_mode(url: str, tmp_path: Path) -> None:
    database = Database.open(url)
    assert (tmp_path / "kame.db").stat().st_mode & 0o777 == 0o600
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 5000
    database.close()


def test_a_migration_that_fails_leaves_nothing_behind(url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "kame.db") as foreign:
        foreign.execute("CREATE TABLE turns (x)")
    with pytest.raises(DatabaseSchema):
        Database.open(url)
    with sqlite3.connect(tmp_path / "kame.db") as foreign:
        tables = {name for (name,) in foreign.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    assert tables == {"turns"}


def test_a_look_at_no_database_says_so_and_makes_none(url: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="no database yet"):
        Database.open_existing(url)
    assert not (tmp_path / "kame.db").exists()


def test_a_newer_versions_database_is_refused(url: str) -> None:
    database = Database.open(url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseSchema, match="another version"):
        Database.open(url)
    with pytest.raises(DatabaseSchema, match="9999"):
        Database.open_existing(url)


def test_a_file_that_is_no_database_is_called_corrupt(url: str, tmp_path: Path) -> None:
    (tmp_path / "kame.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseCorrupt, match="restore a backup"):
        Database.open(url)


def test_a_held_lock_is_called_a_lock(url: str, tmp_path: Path) -> None:
    Database.open(url).close()
    holder = sqlite3.connect(tmp_path / "kame.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DatabaseLocked, match="wait until it is done"):
            Database.open(url, busy_ms=20)
    finally:
        holder.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnreachable, match="KAME_DATA_DIR"):
        Database.open(f"sqlite:///{tmp_path / 'file' / 'kame.db'}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "no database URL"),
        ("mysql://host/name", "not supported"),
        ("sqlite://", "loses every call"),
        ("sqlite:///:memory:", "loses every call"),
    ],
)
def test_a_bad_url_is_one_clear_error(url: str, says: str) -> None:
    with pytest.raises(BadDatabaseUrl, match=says):
        Database(url)


def test_a_password_is_not_shown() -> None:
    database = Database("sqlite:///x.db")
    assert database.where == "sqlite:///x.db"
    pytest.importorskip("pg8000", reason="the postgres extra is not installed")
    assert "secret" not in Database("postgresql://kame:secret@localhost/kame").where


def test_the_migrations_travel_in_the_wheel() -> None:
    """They are found as packages with package data, not by a path of the checkout."""
    code = "import kame_voice.store.migrations.versions, kame_voice.store.migrations as m; print(m.__file__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folder = Path(done.stdout.strip()).parent
    assert (folder / "env.py").exists()
    assert list((folder / "versions").glob("0001_*.py"))
