"""The writer: what is handed over is stored, and trouble with the disk stays off the calls."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from kame_voice.core.nouns import Speaker
from kame_voice.core.telemetry import Telemetry
from kame_voice.store.database import Database
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.rows import CallStatus, EventRow, TurnRow
from kame_voice.store.writer import StoreWriter
from tests.store.conftest import Shelf, TurnedClock, a_call, shelf_on

FRAME = np.full(480, 0.5, dtype=np.float32)


def event(index: int, **data: object) -> EventRow:
    return EventRow(call_id="c1", index=index, at_ms=index, kind="dtmf", data=data)


def event_count(shelf: Shelf) -> int:
    found = shelf.calls.get("c1")
    return len(found.events) if found else -1


def test_a_locked_database_loses_nothing_once_it_is_free(shelf: Shelf, tmp_path: Path) -> None:
    shelf.writer.put(a_call())
    shelf.write()
    holder = sqlite3.connect(tmp_path / "kame.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    for index in range(3):
        shelf.writer.put(event(index))
        shelf.write()
    holder.execute("ROLLBACK")
    holder.close()
    shelf.write(after_s=10)
    assert event_count(shelf) == 3
    assert shelf.dropped("event") == 0


def take_away(tmp_path: Path) -> None:
    for file in tmp_path.glob("kame.db*"):
        file.unlink()


def test_a_database_file_that_is_taken_away_is_put_back_with_all_it_held(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.writer.put(a_call())
    shelf.writer.put(event(0))
    shelf.write()
    take_away(tmp_path)
    shelf.writer.put(event(1))
    shelf.write()
    (tmp_path / "kame.db").touch()  # as a reader's new connection leaves it
    shelf.writer.put(event(2))
    shelf.write(after_s=2)
    assert event_count(shelf) == 3
    assert (tmp_path / "kame.db").stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.glob("*rescued*")) == []
    afresh = Database.open_existing(f"sqlite:///{tmp_path / 'kame.db'}")
    with afresh.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 3
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    afresh.close()


def test_a_file_taken_away_just_before_the_end_is_put_back_too(tmp_path: Path, url: str) -> None:
    with shelf_on(url, tmp_path) as shelf:
        shelf.writer.put(a_call())
        shelf.write()
        take_away(tmp_path)
    with shelf_on(url, tmp_path) as shelf:
        assert shelf.calls.get("c1") is not None


def test_where_it_cannot_be_put_back_rows_wait(shelf: Shelf, tmp_path: Path) -> None:
    shelf.writer.put(a_call())
    shelf.write()
    take_away(tmp_path)
    in_the_way = tmp_path / ".kame.db.rescued"
    in_the_way.mkdir()
    shelf.write()
    shelf.writer.put(event(0))
    shelf.write(after_s=2)
    assert not (tmp_path / "kame.db").exists()
    in_the_way.rmdir()
    shelf.write(after_s=10)
    assert event_count(shelf) == 1
    assert shelf.dropped("event") == 0


def test_while_the_database_is_locked_recordings_go_on(shelf: Shelf, tmp_path: Path) -> None:
    shelf.writer.start_recording("c1", itertools.count().__next__)
    holder = sqlite3.connect(tmp_path / "kame.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    shelf.writer.put(a_call())
    shelf.writer.sound("c1", Speaker.CALLER, FRAME, 0)
    shelf.write()
    path = shelf.recordings.path_of("c1")
    assert path is not None
    with wave.open(str(path)) as file:
        assert file.getnframes() == 480
    holder.close()


def test_a_long_lock_bounds_memory_and_counts_what_is_lost(tmp_path: Path, url: str) -> None:
    database, telemetry, clock = Database.open(url), Telemetry(), TurnedClock()
    recordings = RecordingStore(tmp_path)
    writer = StoreWriter(database, recordings, telemetry, clock, max_rows=5)
    writer.put(a_call())
    writer.round()
    holder = sqlite3.connect(tmp_path / "kame.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    for index in range(9):
        writer.put(event(index))
        writer.round()
    lost = telemetry.registry.get_sample_value("kame_record_dropped_total", {"kind": "event"})
    assert lost == 4
    holder.close()
    clock.now += 10
    writer.stop()
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 5
    database.close()


def test_versions_of_one_row_wait_as_one(tmp_path: Path, url: str) -> None:
    database, telemetry = Database.open(url), Telemetry()
    writer = StoreWriter(database, RecordingStore(tmp_path), telemetry, TurnedClock(), max_rows=2)
    holder = sqlite3.connect(tmp_path / "kame.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    for text, status in (("a", CallStatus.IN_PROGRESS), ("a b", CallStatus.COMPLETED)):
        writer.put(TurnRow(call_id="c1", index=0, speaker="caller", text=text, start_ms=0, end_ms=1))
        writer.put(a_call(status=status))
        writer.round()
    holder.close()
    writer.stop()
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT text FROM turns").scalars().all() == ["a b"]
        assert connection.exec_driver_sql("SELECT status FROM calls").scalars().all() == ["completed"]
    database.close()


@pytest.mark.parametrize(
    "bad",
    [
        EventRow(call_id="no such call", index=0, at_ms=0, kind="dtmf"),
        event(7, what=object()),
        TurnRow(call_id="c1", index=0, speaker="caller", text="half a pair \ud800", start_ms=0, end_ms=1),
    ],
)
def test_one_row_that_cannot_be_stored_costs_no_other(shelf: Shelf, bad: EventRow | TurnRow) -> None:
    shelf.writer.put(a_call())
    for index in range(3):
        shelf.writer.put(event(index))
    shelf.writer.put(bad)
    for index in range(3, 6):
        shelf.writer.put(event(index))
    shelf.write()
    assert event_count(shelf) == 6
    assert shelf.dropped("event") + shelf.dropped("turn") == 1


def test_audio_beyond_the_bound_is_dropped_and_counted(tmp_path: Path, url: str) -> None:
    database, telemetry = Database.open(url), Telemetry()
    writer = StoreWriter(
        database, RecordingStore(tmp_path), telemetry, TurnedClock(), max_audio_bytes=3 * FRAME.nbytes
    )
    writer.start_recording("c1", itertools.count().__next__)
    for number in range(5):
        writer.sound("c1", Speaker.CALLER, FRAME, number * 480)
    writer.round()
    assert telemetry.registry.get_sample_value("kame_record_dropped_total", {"kind": "audio"}) == 2
    writer.sound("c1", Speaker.CALLER, FRAME, 5 * 480)
    writer.stop()
    path = RecordingStore(tmp_path).path_of("c1")
    assert path is not None
    with wave.open(str(path)) as file:
        assert file.getnframes() == 6 * 480
    database.close()


def test_audio_is_taken_as_it_was_when_handed_over(shelf: Shelf) -> None:
    own = FRAME.copy()
    shelf.writer.start_recording("c1", itertools.count().__next__)
    shelf.writer.sound("c1", Speaker.CALLER, own, 0)
    own[:] = 0
    shelf.write()
    path = shelf.recordings.path_of("c1")
    assert path is not None
    with wave.open(str(path)) as file:
        left = np.frombuffer(file.readframes(480), dtype="<i2")[::2]
    assert (left == 16384).all()


def test_a_recording_that_cannot_be_made_is_an_event_of_its_call(tmp_path: Path, url: str) -> None:
    (tmp_path / "recordings").write_text("a file where the folder should be")
    database, telemetry, clock = Database.open(url), Telemetry(), TurnedClock()
    writer = StoreWriter(database, RecordingStore(tmp_path / "recordings"), telemetry, clock)
    writer.put(a_call())
    writer.start_recording("c1", itertools.count(3).__next__)
    writer.sound("c1", Speaker.CALLER, FRAME, 0)
    writer.round()
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql('SELECT "index", kind FROM events').one()
        assert tuple(found) == (3, "recording-stopped")
    writer.stop()
    database.close()


FULL_DISK = """
import itertools, resource, sys, wave
from pathlib import Path
import numpy as np
from kame_voice.core.nouns import Speaker
from kame_voice.core.telemetry import Telemetry
from kame_voice.store.calls import CallStore
from kame_voice.store.database import Database
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.writer import StoreWriter
from tests.store.conftest import TurnedClock, a_call

folder = Path(sys.argv[1])
database = Database.open(f"sqlite:///{folder / 'kame.db'}")
recordings, clock = RecordingStore(folder), TurnedClock()
writer = StoreWriter(database, recordings, Telemetry(), clock)
room = 300_000
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
for call_id in ("full", "small"):
    writer.put(a_call(call_id))
    writer.start_recording(call_id, itertools.count().__next__)
frame = np.full(24_000, 0.5, dtype=np.float32)
for second in range(6):
    writer.sound("full", Speaker.CALLER, frame, second * 24_000)
    if second < 2:
        writer.sound("small", Speaker.CALLER, frame, second * 24_000)
    clock.now += 1
    writer.round()
writer.finish_recording("small", 48_000)
writer.stop()
calls = CallStore(database, recordings)
full, small = calls.get("full"), calls.get("small")
print([event.kind for event in full.events], full.events[0].data["code"], small.events)
for call_id in ("full", "small"):
    with wave.open(str(recordings.path_of(call_id))) as file:
        print(file.getnframes(), len(file.readframes(10**9)) // 4)
"""


def test_a_full_disk_stops_that_recording_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told, full, small = done.stdout.splitlines()[-3:]
    assert told == "['recording-stopped'] disk-full []"
    named, there = map(int, full.split())
    assert named == there
    assert 72_000 <= named <= 75_000
    assert small == "48000 48000"


def test_the_thread_writes_all_before_it_ends(tmp_path: Path, url: str) -> None:
    database = Database.open(url)
    with StoreWriter(database, RecordingStore(tmp_path), Telemetry()) as writer:
        writer.put(a_call())

        def put_many(base: int) -> None:
            for number in range(200):
                writer.put(event(base + number))

        writers = [threading.Thread(target=put_many, args=(base,)) for base in (0, 1000, 2000)]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 600
    database.close()


def test_a_backlog_larger_than_a_batch_is_stored_in_order_of_need(shelf: Shelf) -> None:
    for index in range(1700):
        shelf.writer.put(event(index))
    shelf.writer.put(a_call())
    shelf.write()
    assert event_count(shelf) == 1700
