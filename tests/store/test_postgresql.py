"""The same store on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from kame_voice.core.telemetry import Telemetry
from kame_voice.store.calls import CallFilter, CallStore
from kame_voice.store.database import Database
from kame_voice.store.errors import DatabaseUnreachable
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.rows import CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter
from tests.store.conftest import TurnedClock, a_call, schema_differences

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    opened = Database.open(postgresql_url)
    yield opened
    opened.close()


def test_migrations_and_tables_agree(database: Database, postgresql_url: str) -> None:
    with database.engine.connect() as connection:
        assert schema_differences(connection) == []
    Database.open(postgresql_url).close()
    Database.open_existing(postgresql_url).close()


def test_a_call_is_written_again_and_again_and_read_once(database: Database, tmp_path: Path) -> None:
    writer = StoreWriter(database, RecordingStore(tmp_path), Telemetry(), TurnedClock())
    calls = CallStore(database, RecordingStore(tmp_path))
    for words in ("are", "are you open"):
        writer.put(FlowRow(version="f00d", line="l", customer="c", content={"a": 1}, first_used_at=NOON))
        writer.put(a_call(response_gap_ms=(1, 2), informed_gap_ms=(None, 3)))
        writer.put(TurnRow(call_id="c1", index=0, speaker="caller", text=words, start_ms=0, end_ms=9))
        writer.put(
            OracleRow(
                call_id="c1", id="o1", source="llm", basis=words, is_final=True, asked_ms=1, outcome="pending"
            )
        )
        writer.put(EventRow(call_id="c1", index=0, at_ms=1, kind="dtmf", data={"digit": "1"}))
        writer.round()
    found = calls.get("c1")
    assert found is not None
    assert [turn.text for turn in found.turns] == ["are you open"]
    assert [oracle.basis for oracle in found.oracles] == ["are you open"]
    assert [event.data for event in found.events] == [{"digit": "1"}]
    assert found.latency.informed_gap_ms == [None, 3]
    assert found.started_at == NOON
    assert [call.id for call in calls.list().calls] == ["c1"]
    assert calls.find("c").id == "c1"
    assert calls.close_interrupted(NOON, lambda _: False) == 1
    assert calls.list(CallFilter(status=CallStatus.INTERRUPTED)).calls
    writer.stop()


def test_one_row_that_cannot_be_stored_costs_no_other(database: Database, tmp_path: Path) -> None:
    telemetry = Telemetry()
    writer = StoreWriter(database, RecordingStore(tmp_path), telemetry, TurnedClock())
    writer.put(a_call())
    writer.put(EventRow(call_id="no such call", index=0, at_ms=0, kind="dtmf"))
    writer.put(EventRow(call_id="c1", index=0, at_ms=0, kind="a zero byte \0"))
    writer.put(EventRow(call_id="c1", index=1, at_ms=0, kind="x" * 65))
    writer.put(EventRow(call_id="c1", index=2, at_ms=0, kind="dtmf"))
    writer.stop()
    with database.engine.connect() as connection:
        assert connection.execute(text('SELECT "index" FROM events')).scalars().all() == [2]
    assert telemetry.registry.get_sample_value("kame_record_dropped_total", {"kind": "event"}) == 3


def test_a_server_that_is_not_there_is_one_clear_error() -> None:
    with pytest.raises(DatabaseUnreachable, match="KAME_DATABASE_URL"):
        Database.open("postgresql://kame:secret@127.0.0.1:9/kame")


def test_a_lost_connection_loses_no_record(database: Database, tmp_path: Path) -> None:
    clock = TurnedClock()
    writer = StoreWriter(database, RecordingStore(tmp_path), Telemetry(), clock)
    writer.put(a_call())
    writer.round()
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    writer.put(EventRow(call_id="c1", index=0, at_ms=0, kind="dtmf"))
    for _ in range(2):
        clock.now += 10
        writer.round()
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events")).scalar() == 1
    writer.stop()
