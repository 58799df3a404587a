"""Calls that are deleted: by hand, or as too old. On both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from kame_voice.core.telemetry import Telemetry
from kame_voice.review.erasing import Age, Erasure, Gone
from kame_voice.review.peaks import Peaks
from kame_voice.review.retention import Retention
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallFilter
from kame_voice.store.errors import CallRunning, SoundKept
from kame_voice.store.notes import NoteStore
from kame_voice.store.rows import AuditRow, CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter
from tests.store.conftest import TurnedClock, a_call, postgresql, postgresql_url

__all__ = ["postgresql", "postgresql_url"]

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
UNKNOWN = "I don't have that here."
SAID = "marzipan"


@dataclass(frozen=True)
class Attic:
    """An archive with old calls in it, and what deletes them."""

    archive: Archive
    writer: StoreWriter
    erasure: Erasure
    peaks: Peaks

    def keep(self, call_id: str, days: int, **changes: object) -> None:
        """A finished call that began so many days ago, with something in every table and folder."""
        began = NOW - timedelta(days=days)
        fields: dict[str, object] = {
            "started_at": began, "answered_at": began, "ended_at": began + timedelta(seconds=9),
            "status": CallStatus.COMPLETED, "duration_ms": 9000, "recording": f"{call_id}.wav",
        }  # fmt: skip
        content = {"unknown": UNKNOWN}
        self.writer.put(FlowRow(version="f00d", line="l", customer="c", content=content, first_used_at=NOW))
        self.writer.put(a_call(call_id, **(fields | changes)))
        self.writer.put(TurnRow(call_id=call_id, index=0, speaker="caller", text=SAID, start_ms=0, end_ms=9))
        self.writer.put(
            TurnRow(
                call_id=call_id, index=1, speaker="agent", text=UNKNOWN, start_ms=10, end_ms=19,
                oracle_ids=("o1",),
            )
        )  # fmt: skip
        self.writer.put(
            OracleRow(
                call_id=call_id, id="o1", source="knowledge", basis=SAID, is_final=True, asked_ms=9,
                text=UNKNOWN, outcome="adopted",
            )
        )  # fmt: skip
        self.writer.put(EventRow(call_id=call_id, index=0, at_ms=1, kind="barge-in"))
        self.writer.put(
            AuditRow(
                id=f"note of {call_id}", at=NOW, user_id=None, who="ana", via="session", action="call.note",
                call_id=call_id, data={"was": SAID},
            )
        )  # fmt: skip
        self.writer.round()
        self.writer.round()
        notes = NoteStore(self.archive.database)
        notes.add(call_id, "ana", SAID, NOW)
        notes.tag(call_id, [SAID])
        recording = self.archive.recordings.create(call_id)
        recording.caller(np.full(2400, 0.5, np.float32), 0)
        recording.finish(2400)
        assert self.peaks.of(call_id)

    def rows(self) -> dict[str, int]:
        """How many rows each table has that holds something of a call."""
        tables = ("calls", "turns", "oracles", "events", "notes", "call_tags", "open_questions", "call_words")
        with self.archive.database.engine.connect() as connection:
            return {
                one: connection.execute(text(f"SELECT count(*) FROM {one}")).scalar_one() for one in tables
            }

    def files(self, folder: Path) -> list[str]:
        return sorted(path.stem for path in folder.glob("data/*/*/*") if path.suffix in (".wav", ".peaks"))

    @property
    def calls(self) -> list[str]:
        return [call.id for call in self.archive.calls.list().calls]


@pytest.fixture(params=["sqlite", "postgresql"])
def attic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Attic]:
    url = f"sqlite:///{tmp_path / 'kame.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    archive = Archive.open(url, tmp_path / "data")
    writer = StoreWriter(archive.database, archive.recordings, Telemetry(), TurnedClock())
    peaks = Peaks(archive.recordings, tmp_path / "data" / "peaks")
    yield Attic(archive, writer, Erasure(archive, peaks, lambda: NOW), peaks)
    writer.stop()
    archive.close()


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def all_of(steps: Iterator[Gone]) -> Gone:
    return sum(steps, Gone())


def test_nothing_of_a_deleted_call_is_left(attic: Attic, tmp_path: Path) -> None:
    attic.keep("c1", 3)
    assert set(attic.rows().values()) == {1, 2}, "there is something to delete in every table"
    gone = attic.erasure.call("c1")
    assert gone is not None
    assert (gone.id, gone.customer) == ("c1", "harbor-dental")
    assert set(attic.rows().values()) == {0}
    assert attic.files(tmp_path) == []
    assert not attic.archive.calls.list(CallFilter(words=SAID)).calls
    assert attic.erasure.call("c1") is None


def test_the_audit_log_keeps_who_and_when_and_loses_the_words(attic: Attic) -> None:
    attic.keep("c1", 3)
    attic.keep("c2", 3)
    attic.erasure.call("c1")
    entries = {entry.call_id: entry for entry in attic.archive.audit.page().entries}
    assert (entries["c1"].who, entries["c1"].action, entries["c1"].data) == ("ana", "call.note", {})
    assert entries["c2"].data == {"was": SAID}


@pytest.mark.parametrize("status", [CallStatus.RINGING, CallStatus.IN_PROGRESS])
def test_a_running_call_is_never_deleted(attic: Attic, status: CallStatus) -> None:
    attic.keep("c1", 400, status=status, ended_at=None, duration_ms=None)
    with pytest.raises(CallRunning, match="a minute after its end"):
        attic.erasure.call("c1")
    age = Age(calls=30, recordings=7)
    assert attic.erasure.due(age) == Gone()
    assert all_of(attic.erasure.old(age)) == Gone()
    assert attic.calls == ["c1"]
    assert attic.archive.recordings.path_of("c1") is not None


def test_a_call_that_has_just_ended_is_left_until_all_of_it_is_stored(attic: Attic) -> None:
    attic.keep("c1", 0, ended_at=NOW - timedelta(seconds=20))
    with pytest.raises(CallRunning):
        attic.erasure.call("c1")


def test_calls_go_that_are_older_than_the_limit(attic: Attic, tmp_path: Path) -> None:
    for number in range(45):
        began = NOW - timedelta(days=31)
        attic.writer.put(a_call(f"old{number:02}", status=CallStatus.REFUSED, started_at=began))
    attic.keep("c1", 31)
    attic.keep("c2", 29)
    assert attic.erasure.due(Age(calls=30)) == Gone(calls=46)
    steps = list(attic.erasure.old(Age(calls=30)))
    assert all_of(iter(steps)) == Gone(calls=46)
    assert max(step.calls for step in steps) <= 20, "a few at a time"
    assert attic.calls == ["c2"]
    assert attic.files(tmp_path) == ["c2", "c2"]


def test_recordings_may_go_before_their_calls(attic: Attic, tmp_path: Path) -> None:
    attic.keep("c1", 10)
    attic.keep("c2", 3)
    age = Age(calls=30, recordings=7)
    assert attic.erasure.due(age) == Gone(recordings=1)
    assert all_of(attic.erasure.old(age)) == Gone(recordings=1)
    assert attic.erasure.due(age) == Gone()
    call = attic.archive.calls.get("c1")
    assert call is not None
    assert (call.recording, len(call.turns)) == (False, 2)
    assert attic.files(tmp_path) == ["c2", "c2"]


def test_an_old_recording_without_a_call_is_not_forgotten(attic: Attic) -> None:
    for call_id, days in (("stray1", 40), ("stray2", 1)):
        writer = attic.archive.recordings.create(call_id)
        writer.finish(100)
        then = (NOW - timedelta(days=days)).timestamp()
        os.utime(writer.path, (then, then))
    assert all_of(attic.erasure.old(Age(calls=30))) == Gone(recordings=1)
    assert attic.archive.recordings.path_of("stray1") is None
    assert attic.archive.recordings.path_of("stray2") is not None


def test_a_file_that_cannot_be_deleted_keeps_its_call_and_no_other(attic: Attic, tmp_path: Path) -> None:
    for call_id in ("c1", "c2", "c3"):
        attic.keep(call_id, 31)
    (stuck,) = tmp_path.glob("data/peaks/*/c2.peaks")
    stuck.unlink()
    stuck.mkdir()
    with pytest.raises(SoundKept, match="who owns the file"):
        attic.erasure.call("c2")
    with capture_logs() as logs:
        assert all_of(attic.erasure.old(Age(calls=30))) == Gone(calls=2)
    assert attic.calls == ["c2"], "its record is there to try again by"
    assert [entry["call_id"] for entry in logs if entry.get("code") == "sound-kept"] == ["c2"]
    stuck.rmdir()
    assert all_of(attic.erasure.old(Age(calls=30))) == Gone(calls=1)


def test_without_a_limit_everything_stays(attic: Attic) -> None:
    attic.keep("c1", 9000)
    assert all_of(attic.erasure.old(Age())) == Gone()
    assert attic.calls == ["c1"]


@pytest.mark.anyio
async def test_retention_deletes_counts_and_notes_once_a_run(attic: Attic, threads: Executor) -> None:
    for number in range(3):
        attic.keep(f"c{number}", 20 + 10 * number)
    telemetry, noted = Telemetry(), list[Gone]()
    retention = Retention(attic.erasure, Age(25, 15), threads, telemetry, noted.append, breath_s=0)
    assert await retention.once() == Gone(calls=2, recordings=1)
    assert await retention.once() == Gone()
    assert noted == [Gone(calls=2, recordings=1)]
    assert telemetry.registry.get_sample_value("kame_erased_total", {"kind": "call"}) == 2


@pytest.mark.anyio
async def test_retention_ends_at_once_where_everything_is_kept(attic: Attic, threads: Executor) -> None:
    await Retention(attic.erasure, Age(), threads, Telemetry(), lambda _: None).run()
