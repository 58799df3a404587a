"""What a call comes to once it is over, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from kame_voice.store.calls import CallFilter, ListedCall
from kame_voice.store.listing import Flag
from kame_voice.store.rows import CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from tests.store.conftest import Shelf, a_call

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
