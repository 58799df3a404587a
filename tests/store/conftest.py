"""One empty store a test, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from kame_voice.core.telemetry import Telemetry
from kame_voice.store.calls import CallStore
from kame_voice.store.database import Database
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.rows import CallRow, CallStatus
from kame_voice.store.tables import Base
from kame_voice.store.writer import StoreWriter
from tests.support.postgresql import PostgresqlServer, postgresql_server


class TurnedClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Shelf:
    """A store whose writer has no thread: a test calls `write`."""

    database: Database
    recordings: RecordingStore
    calls: CallStore
    telemetry: Telemetry
    clock: TurnedClock
    writer: StoreWriter

    def write(self, after_s: float = 0.5) -> None:
        """One round of the writer, `after_s` later."""
        self.clock.now += after_s
        self.writer.round()

    def dropped(self, kind: str) -> float:
        """How many of `kind` were lost."""
        return self.telemetry.registry.get_sample_value("kame_record_dropped_total", {"kind": kind}) or 0.0


def a_call(call_id: str = "c1", **changes: object) -> CallRow:
    """A call in progress since noon."""
    noon = datetime(2026, 11, 5, 12, tzinfo=UTC)
    fields: dict[str, object] = {
        "id": call_id,
        "provider_id": f"CA-{call_id}",
        "line": "front-desk",
        "customer": "harbor-dental",
        "from_number": "+15550111",
        "to_number": "+15550100",
        "flow_version": "f00d",
        "front_end": "spoken",
        "oracle_mode": "partial",
        "status": CallStatus.IN_PROGRESS,
        "started_at": noon,
        "answered_at": noon,
    }
    return CallRow(**{**fields, **changes})  # type: ignore[arg-type]


def schema_differences(connection: Connection) -> list[Any]:
    """What the migrations made otherwise than the tables are declared; the search's own tables aside."""
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _: kind != "table" or not name.startswith("call_words"),
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Base.metadata))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'kame.db'}"


@pytest.fixture
def shelf(tmp_path: Path, url: str) -> Iterator[Shelf]:
    with shelf_on(url, tmp_path) as shelf:
        yield shelf


@pytest.fixture(params=["sqlite", "postgresql"])
def either_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """A test that takes it runs on both databases."""
    url = request.getfixturevalue("url" if request.param == "sqlite" else "postgresql_url")
    with shelf_on(url, tmp_path) as shelf:
        yield shelf


@contextmanager
def shelf_on(url: str, tmp_path: Path) -> Iterator[Shelf]:
    """An empty store in the database at `url`."""
    database = Database.open(url)
    recordings = RecordingStore(tmp_path / "recordings")
    telemetry, clock = Telemetry(), TurnedClock()
    writer = StoreWriter(database, recordings, telemetry, clock)
    yield Shelf(database, recordings, CallStore(database, recordings), telemetry, clock, writer)
    writer.stop()
    database.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer) -> Iterator[str]:
    with postgresql.fresh_database() as url:
        yield url
