"""`kame-voice calls`: what a person reads of a call."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kame_voice.cli.calls import app
from kame_voice.core.errors import KameError
from kame_voice.core.nouns import Speaker
from kame_voice.core.telemetry import Telemetry
from kame_voice.store.archive import Archive
from kame_voice.store.errors import AmbiguousCallId, CallNotFound, CallRunning, DatabaseUnreachable
from kame_voice.store.rows import CallStatus, EventRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter
from tests.store.conftest import a_call


def run(*words: str) -> str:
    """What the command prints; its own errors come through."""
    done = CliRunner().invoke(app, list(words))
    if isinstance(done.exception, KameError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAME_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("KAME_DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def taken(folder: Path) -> Path:
    """Two calls; the older one was answered, interrupted by the caller and recorded."""
    archive = Archive.open(f"sqlite:///{folder / 'kame.db'}", folder)
    writer = StoreWriter(archive.database, archive.recordings, Telemetry(), lambda: 0.0)
    first, second = "a" * 32, "b" * 32
    writer.put(
        a_call(
            first,
            status=CallStatus.COMPLETED,
            end_reason="caller hung up",
            duration_ms=62_345,
            response_gap_ms=(430,),
            informed_gap_ms=(None,),
        )
    )
    writer.put(a_call(second, line="other-line"))
    writer.put(
        TurnRow(call_id=first, index=0, speaker="caller", text="Are you open?", start_ms=1000, end_ms=2000)
    )
    writer.put(
        TurnRow(
            call_id=first,
            index=1,
            speaker="agent",
            text="Yes, until six today.",
            heard_text="Yes, until",
            start_ms=2430,
            end_ms=3000,
            oracle_ids=("o1",),
            portions=({"oracle_id": "o1", "words": 4, "heard_words": 2},),
        )
    )
    writer.put(
        OracleRow(
            call_id=first,
            id="o1",
            source="knowledge",
            basis="are you open",
            is_final=True,
            asked_ms=2100,
            text="Yes, until six today.",
            facts=("hours",),
            first_token_ms=2110,
            adopted_ms=2110,
            spoken_ms=2430,
            outcome="adopted",
        )
    )
    writer.put(EventRow(call_id=first, index=0, at_ms=2900, kind="barge-in"))
    writer.start_recording(first, itertools.count().__next__)
    writer.sound(first, Speaker.CALLER, np.zeros(480, np.float32), 0)
    writer.stop()
    archive.close()
    return folder


def test_calls_are_listed_newest_first_with_how_they_ended(taken: Path) -> None:
    lines = run("list").splitlines()
    assert len(lines) == 3
    assert "aaaaaaaaaaaa" in lines[2]
    assert "01:02" in lines[2]
    assert "completed" in lines[2]
    assert "in_progress" in lines[1]


def test_a_list_can_be_narrowed_and_cut(taken: Path) -> None:
    assert "bbbb" not in run("list", "--line", "front-desk")
    cut = run("list", "--limit", "1")
    assert "Older calls: the same with --before " in cut
    cursor = cut.split("--before ")[1].strip()
    assert "aaaa" in run("list", "--before", cursor)


def test_a_list_is_json_on_request(taken: Path) -> None:
    page = json.loads(run("list", "--json"))
    assert [call["status"] for call in page["calls"]] == ["in_progress", "completed"]
    assert page["next"] is None


def test_a_call_is_shown_with_what_was_said_and_what_was_heard(taken: Path) -> None:
    shown = run("show", "aaa")
    assert "completed (caller hung up)" in shown
    assert "00:01.000 – 00:02.000  caller  Are you open?" in shown
    assert "agent   Yes, until six today.  [oracle o1]" in shown
    assert "heard:  Yes, until ✂" in shown
    assert "o1  knowledge, final, adopted: Yes, until six today." in shown
    assert "first token +10 ms, delivered never, facts hours" in shown
    assert "00:02.900  event   barge-in" in shown
    assert "Response gaps   430 ms" in shown
    assert str(taken / "recordings" / "aa" / f"{'a' * 32}.wav") in shown


def test_a_call_is_told_in_the_order_in_which_it_happened(taken: Path) -> None:
    told = run("show", "aaa").split("Timeline\n")[1].splitlines()
    assert [line.strip() for line in told[:8]] == [
        "00:01.000  caller  Are you open?",
        "00:02.000  caller  falls silent",
        "00:02.100  o1      asked of knowledge on “are you open”",
        "00:02.110  o1      first token",
        "00:02.110  o1      adopted",
        "00:02.430  agent   Yes, until six today.  [o1: 4 of 4 words, 2 heard]",
        "00:02.430  o1      is being spoken",
        "00:02.900  event   barge-in",
    ]


def test_a_shown_call_is_json_on_request(taken: Path) -> None:
    call = json.loads(run("show", "aaa", "--json"))
    assert (call["from"], call["recording"], call["latency"]["response_gap_ms"]) == ("+15550111", True, [430])


def test_looking_closes_nothing(taken: Path) -> None:
    run("list")
    assert "in_progress" in run("show", "bbb")


def test_a_call_that_is_not_there_is_one_clear_error(taken: Path) -> None:
    with pytest.raises(CallNotFound, match="calls list"):
        run("show", "zzz")


def test_before_the_first_start_there_is_no_database_and_that_is_said(folder: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="no database yet"):
        run("list")


def test_calls_are_found_by_their_flags_and_by_what_was_said(taken: Path) -> None:
    interrupted, other = "a" * 12, "b" * 12
    said = run("list", "--text", "open")
    assert interrupted in said
    assert other not in said
    assert "caller: " in said
    assert interrupted in run("list", "--flag", "barge_in")
    assert "No such calls" in run("list", "--flag", "failure")
    for option in ("--flag", "--status"):
        refused = CliRunner().invoke(app, ["list", option, "nonsense"])
        assert refused.exit_code == 2
        assert "one of" in refused.output


@pytest.fixture
def old_calls(folder: Path) -> Iterator[Archive]:
    """Two finished calls of long ago, one of today, and one that runs since long ago."""
    archive = Archive.open(f"sqlite:///{folder / 'kame.db'}", folder)
    writer = StoreWriter(archive.database, archive.recordings, Telemetry())
    today = datetime.now(UTC) - timedelta(hours=1)
    for call_id, days, status in (
        ("aa1", 100, CallStatus.COMPLETED),
        ("aa2", 40, CallStatus.COMPLETED),
        ("bb3", 0, CallStatus.COMPLETED),
        ("cc4", 100, CallStatus.IN_PROGRESS),
    ):
        writer.put(a_call(call_id, started_at=today - timedelta(days=days), status=status, recording="x"))
        archive.recordings.create(call_id).finish(10)
    writer.stop()
    yield archive
    archive.close()


def erased(*words: str, says: str = "", fails: bool = False) -> str:
    result = CliRunner().invoke(app, list(words), input=says)
    assert (result.exit_code != 0) is fails, result.output
    return " ".join(result.output.split())


def test_what_would_be_pruned_is_told_first(old_calls: Archive) -> None:
    said = erased("prune", "--older-than", "30", "--dry-run")
    assert said == "2 calls over 30 days old; nothing was deleted."
    assert len(old_calls.calls.list().calls) == 4
    assert erased("prune", "--older-than", "500", "--yes").startswith("0 calls over 500 days old")


def test_old_calls_are_pruned_once_that_is_meant(old_calls: Archive) -> None:
    assert "Aborted" in erased("prune", "--older-than", "30", says="n\n", fails=True)
    assert "Deleted 2 calls." in erased("prune", "--older-than", "30", says="y\n")
    assert sorted(call.id for call in old_calls.calls.list().calls) == ["bb3", "cc4"]
    (entry,) = old_calls.audit.page().entries
    assert (entry.action, entry.via, entry.data["calls"]) == ("call.delete", "cli", 2)


def test_recordings_alone_are_pruned(old_calls: Archive) -> None:
    assert "Deleted 1 recording." in erased("prune", "--older-than", "50", "--recordings", "--yes")
    assert len(old_calls.calls.list().calls) == 4
    assert old_calls.recordings.path_of("aa1") is None
    assert old_calls.recordings.path_of("cc4") is not None, "that call runs"


def test_one_call_is_deleted_by_how_its_id_begins(old_calls: Archive) -> None:
    assert "Deleted aa1, front-desk" in erased("delete", "aa1", says="y\n")
    assert old_calls.calls.get("aa1") is None
    (entry,) = old_calls.audit.page().entries
    assert (entry.call_id, entry.customer) == ("aa1", "harbor-dental")


@pytest.mark.parametrize(
    ("id_", "error"), [("zz", CallNotFound), ("aa", AmbiguousCallId), ("cc4", CallRunning)]
)
def test_what_cannot_be_deleted_is_one_clear_error(
    old_calls: Archive, id_: str, error: type[Exception]
) -> None:
    result = CliRunner().invoke(app, ["delete", id_, "--yes"])
    assert isinstance(result.exception, error)
    assert len(old_calls.calls.list().calls) == 4


def test_a_sentence_without_a_source_is_told(folder: Path) -> None:
    archive = Archive.open(f"sqlite:///{folder / 'kame.db'}", folder)
    writer = StoreWriter(archive.database, archive.recordings, Telemetry())
    writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9000))
    for id_, answer, grounded in (("o1", "We open at nine.", True), ("o2", "We are hiring.", False)):
        writer.put(
            OracleRow(
                call_id="c1", id=id_, source="llm", basis="?", is_final=True, asked_ms=1, text=answer,
                grounded=grounded, outcome="adopted",
            )
        )  # fmt: skip
    said = "We open at nine. We are hiring."
    writer.put(
        TurnRow(
            call_id="c1", index=0, speaker="agent", text=said, start_ms=0, end_ms=9, oracle_ids=("o1", "o2")
        )
    )
    writer.stop()
    archive.close()
    told = [line.strip() for line in run("show", "c1").splitlines() if "no source" in line]
    assert told == ["no source:  We are hiring."]
