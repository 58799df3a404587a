"""What a call comes to once it is over, on both databases."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from kame_voice.core.telemetry import Telemetry
from kame_voice.store.calls import CallFilter, ListedCall
from kame_voice.store.listing import Flag
from kame_voice.store.rows import CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter
from tests.store.conftest import Shelf, TurnedClock, a_call, shelf_on

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
UNKNOWN = "I'm sorry, I don't have that here."


def a_flow(shelf: Shelf) -> None:
    content = {"unknown": UNKNOWN}
    shelf.writer.put(FlowRow(version="f00d", line="l", customer="c", content=content, first_used_at=NOON))


def an_answer(shelf: Shelf, number: int, text: str, **changes: object) -> None:
    """The caller asks, an oracle answers, and the agent speaks it."""
    at_ms = number * 5000
    fields: dict[str, object] = {"source": "knowledge", "outcome": "adopted", **changes}
    shelf.writer.put(
        TurnRow(
            call_id="c1",
            index=2 * number,
            speaker="caller",
            text=f"question {number}",
            start_ms=at_ms,
            end_ms=at_ms + 900,
        )
    )
    shelf.writer.put(
        OracleRow(
            call_id="c1",
            id=f"o{number}",
            basis=f"question {number}",
            is_final=True,
            asked_ms=at_ms + 950,
            text=text,
            **fields,  # type: ignore[arg-type]
        )
    )
    shelf.writer.put(
        TurnRow(
            call_id="c1",
            index=2 * number + 1,
            speaker="agent",
            text=text,
            start_ms=at_ms + 1400,
            end_ms=at_ms + 3000,
            oracle_ids=(f"o{number}",),
        )
    )


def the_call(shelf: Shelf) -> ListedCall:
    shelf.write()
    (call,) = shelf.calls.list().calls
    return call


def test_a_running_call_has_no_summary_yet(either_shelf: Shelf) -> None:
    either_shelf.writer.put(a_call())
    an_answer(either_shelf, 0, "Yes.")
    call = the_call(either_shelf)
    assert (call.turn_count, call.opening, call.worst_gap_ms) == (0, None, None)


@pytest.mark.parametrize(("gap_ms", "failures"), [(380, 0), (500, 1)])
def test_audio_that_came_too_late_is_lost_once(shelf: Shelf, gap_ms: int, failures: int) -> None:
    lost = EventRow(
        call_id="c1", index=0, at_ms=1, kind="caller-audio-lost", data={"gap_ms": gap_ms, "late_ms": gap_ms}
    )
    shelf.writer.put(lost)
    shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9))
    assert the_call(shelf).failures == failures


def test_a_finished_call_is_summed_up(either_shelf: Shelf) -> None:
    a_flow(either_shelf)
    an_answer(either_shelf, 0, "We open at nine.", facts=("hours",))
    an_answer(either_shelf, 1, "I’m sorry, I don’t have that here")
    either_shelf.writer.put(EventRow(call_id="c1", index=0, at_ms=1, kind="barge-in"))
    either_shelf.writer.put(EventRow(call_id="c1", index=1, at_ms=1, kind="recording-stopped"))
    either_shelf.writer.put(a_call(status=CallStatus.DROPPED, duration_ms=9, response_gap_ms=(400, 1200)))
    call = the_call(either_shelf)
    assert (call.worst_gap_ms, call.barge_ins, call.failures, call.unanswered) == (1200, 1, 2, 1)
    assert (call.turn_count, call.opening) == (4, "question 0")
    for flag in (Flag.BARGE_IN, Flag.FAILURE, Flag.UNANSWERED):
        assert either_shelf.calls.list(CallFilter(flag=flag)).calls
    assert not either_shelf.calls.list(CallFilter(flag=Flag.UNGROUNDED)).calls


def test_a_model_that_admits_it_in_its_own_words_left_a_question_open(shelf: Shelf) -> None:
    a_flow(shelf)
    an_answer(shelf, 0, "Hmm, I can't tell you that.", source="llm")
    an_answer(shelf, 1, "You're welcome!", source="llm")
    an_answer(shelf, 2, "I don't know, but it is nine euros.", source="llm", grounded=False)
    shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9))
    call = the_call(shelf)
    assert (call.unanswered, call.ungrounded) == (1, 1)


def test_a_question_without_an_answer_is_kept_with_its_moment(either_shelf: Shelf) -> None:
    a_flow(either_shelf)
    an_answer(either_shelf, 1, UNKNOWN)
    either_shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9000))
    either_shelf.write()
    with either_shelf.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT line, customer, at_ms, text FROM open_questions")).all()
    assert [tuple(row) for row in rows] == [("front-desk", "harbor-dental", 5950, "question 1")]


def test_what_comes_after_the_end_is_counted_too(either_shelf: Shelf) -> None:
    either_shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9))
    assert the_call(either_shelf).failures == 0
    either_shelf.writer.put(EventRow(call_id="c1", index=0, at_ms=1, kind="recording-stopped"))
    assert the_call(either_shelf).failures == 1


def test_calls_of_an_older_version_are_summed_up_at_the_next_start(either_shelf: Shelf) -> None:
    either_shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9, response_gap_ms=(7,)))
    either_shelf.write()
    with either_shelf.database.engine.begin() as connection:
        connection.execute(text("UPDATE calls SET summarised = false, worst_gap_ms = NULL"))
    either_shelf.writer.put(EventRow(call_id="c1", index=0, at_ms=1, kind="barge-in"))
    assert the_call(either_shelf).worst_gap_ms == 7


def test_a_call_that_is_deleted_takes_its_words_along(either_shelf: Shelf) -> None:
    an_answer(either_shelf, 0, "We open at nine.", facts=("hours",))
    either_shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9))
    either_shelf.write()
    with either_shelf.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM calls"))
        assert connection.execute(text("SELECT count(*) FROM call_words")).scalar() == 0


def an_impossible_call(shelf: Shelf, call_id: str = "c0") -> None:
    """Finished, and an event of it holds a word where a number belongs."""
    event = EventRow(call_id=call_id, index=0, at_ms=1, kind="caller-audio-lost", data={"gap_ms": "much"})
    shelf.writer.put(a_call(call_id, status=CallStatus.COMPLETED, duration_ms=9, response_gap_ms=(7,)))
    shelf.writer.put(event)


def test_a_call_that_cannot_be_summed_up_holds_up_no_other(either_shelf: Shelf) -> None:
    an_impossible_call(either_shelf)
    either_shelf.writer.put(a_call("c1", status=CallStatus.COMPLETED, duration_ms=9, response_gap_ms=(7,)))
    with capture_logs() as logs:
        either_shelf.write()
        either_shelf.writer.put(
            a_call("c2", status=CallStatus.COMPLETED, duration_ms=9, response_gap_ms=(8,))
        )
        either_shelf.write()
        either_shelf.write()
    calls = {call.id: call for call in either_shelf.calls.list().calls}
    assert (calls["c1"].worst_gap_ms, calls["c2"].worst_gap_ms) == (7, 8)
    assert (calls["c1"].summary_error, calls["c2"].summary_error) == (None, None)
    assert calls["c0"].worst_gap_ms is None
    assert (calls["c0"].summary_error or "").startswith("TypeError at store/summary.py:")
    told = [entry for entry in logs if entry.get("code") == "summary-failed"]
    assert [entry["call_id"] for entry in told] == ["c0"], "tried once, and no more in this process"
    assert either_shelf.telemetry.registry.get_sample_value("kame_summaries_failed_total") == 1


def test_a_call_set_aside_is_tried_again_at_the_next_start(either_shelf: Shelf) -> None:
    an_impossible_call(either_shelf)
    either_shelf.write()
    with either_shelf.database.engine.begin() as connection:
        connection.execute(text("UPDATE events SET kind = 'barge-in'"))
    either_shelf.writer.put(EventRow(call_id="c0", index=1, at_ms=1, kind="barge-in"))
    either_shelf.write()
    assert either_shelf.calls.list().calls[0].summary_error, "not before the next start"
    StoreWriter(either_shelf.database, either_shelf.recordings, Telemetry(), TurnedClock()).round()
    (call,) = either_shelf.calls.list().calls
    assert (call.summary_error, call.worst_gap_ms, call.barge_ins) == (None, 7, 2)


def test_a_damaged_row_sets_its_own_call_aside(shelf: Shelf) -> None:
    for number in range(12):
        finished = a_call(f"c{number}", status=CallStatus.COMPLETED, duration_ms=9, response_gap_ms=(7,))
        shelf.writer.put(finished)
        shelf.writer.put(
            TurnRow(call_id=finished.id, index=0, speaker="caller", text="yes", start_ms=0, end_ms=9)
        )
    shelf.write()
    with shelf.database.engine.begin() as connection:
        connection.execute(text("UPDATE turns SET oracle_ids = '{' WHERE call_id = 'c3'"))
        connection.execute(text("UPDATE calls SET summarised = false, worst_gap_ms = NULL"))
    writer = StoreWriter(shelf.database, shelf.recordings, Telemetry(), TurnedClock())
    for _ in range(3):
        writer.round()
    unknown = [call.id for call in shelf.calls.list().calls if call.worst_gap_ms is None]
    assert unknown == ["c3"]


def test_words_that_the_database_refuses_set_their_call_aside(postgresql_url: str, tmp_path: Path) -> None:
    endless = " ".join(f"{number:x}yz" for number in range(200_000))
    with shelf_on(postgresql_url, tmp_path) as shelf:
        for call_id, words in (("c0", endless), ("c1", "hello")):
            shelf.writer.put(a_call(call_id, status=CallStatus.COMPLETED, duration_ms=9))
            shelf.writer.put(
                TurnRow(call_id=call_id, index=0, speaker="caller", text=words, start_ms=0, end_ms=9)
            )
        shelf.write()
        calls = {call.id: call for call in shelf.calls.list().calls}
        assert calls["c0"].summary_error
        assert [call.id for call in shelf.calls.list(CallFilter(words="hello")).calls] == ["c1"]


def test_a_locked_database_is_no_call_s_fault(shelf: Shelf, tmp_path: Path) -> None:
    shelf.writer.put(a_call(status=CallStatus.COMPLETED, duration_ms=9, response_gap_ms=(7,)))
    shelf.write()
    with shelf.database.engine.begin() as connection:
        connection.execute(text("UPDATE calls SET summarised = false, worst_gap_ms = NULL"))
    clock = TurnedClock()
    writer = StoreWriter(shelf.database, shelf.recordings, Telemetry(), clock)
    holder = sqlite3.connect(tmp_path / "kame.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    writer.round()
    holder.execute("ROLLBACK")
    holder.close()
    clock.now += 10
    writer.round()
    (call,) = shelf.calls.list().calls
    assert (call.summary_error, call.worst_gap_ms) == (None, 7)
