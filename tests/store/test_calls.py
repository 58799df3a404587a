"""Reading calls back: the list, one call whole, and what a crash left open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from kame_voice.store.calls import CallFilter
from kame_voice.store.errors import AmbiguousCallId, BadCursor, CallNotFound
from kame_voice.store.rows import CallRow, CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from tests.store.conftest import Shelf, a_call

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


def a_turn(index: int, **changes: object) -> TurnRow:
    fields: dict[str, object] = {
        "call_id": "c1",
        "index": index,
        "speaker": "caller",
        "text": "hello",
        "start_ms": index * 1000,
        "end_ms": index * 1000 + 500,
    }
    return TurnRow(**{**fields, **changes})  # type: ignore[arg-type]


PROVENANCE: dict[str, Any] = {
    "model": "m",
    "adopted_ms": 510,
    "confirmed_ms": 600,
    "spoken_ms": 1000,
    "grounded": False,
    "input_tokens": 100,
    "output_tokens": 12,
    "cache_read_tokens": 10,
    "cache_write_tokens": 20,
    "cost_usd": 0.0002,
}


def test_a_call_is_read_as_it_was_written(shelf: Shelf) -> None:
    shelf.writer.put(
        a_call(status=CallStatus.COMPLETED, duration_ms=4000, response_gap_ms=(420,), informed_gap_ms=(None,))
    )
    shelf.writer.put(a_turn(0, text="Are you open?"))
    shelf.writer.put(
        a_turn(
            1,
            speaker="agent",
            text="Yes we are.",
            heard_text="Yes we",
            oracle_ids=("o1",),
            verbatim=True,
            portions=({"oracle_id": "o1", "words": 3, "heard_words": 2},),
        )
    )
    shelf.writer.put(
        OracleRow(
            call_id="c1",
            id="o1",
            source="knowledge",
            basis="are you open",
            is_final=True,
            asked_ms=500,
            text="Yes we are.",
            facts=("hours",),
            first_token_ms=510,
            delivered_ms=512,
            outcome="adopted",
            **PROVENANCE,
        )
    )
    shelf.writer.put(EventRow(call_id="c1", index=0, at_ms=1200, kind="barge-in", data={"digit": "1"}))
    shelf.write()
    found = shelf.calls.get("c1")
    assert found is not None
    assert found.model_dump(mode="json") == {
        "id": "c1",
        "provider_id": "CA-c1",
        "line": "front-desk",
        "customer": "harbor-dental",
        "from": "+15550111",
        "to": "+15550100",
        "status": "completed",
        "end_reason": None,
        "started_at": "2026-11-05T12:00:00Z",
        "answered_at": "2026-11-05T12:00:00Z",
        "ended_at": None,
        "duration_ms": 4000,
        "flow_version": "f00d",
        "front_end": "spoken",
        "oracle_mode": "partial",
        "worst_gap_ms": 420,
        "ungrounded": 1,
        "unanswered": 0,
        "barge_ins": 1,
        "failures": 0,
        "turn_count": 2,
        "summary_error": None,
        "opening": "Are you open?",
        "disposition": None,
        "tags": [],
        "turns": [
            {
                "speaker": "caller",
                "text": "Are you open?",
                "heard_text": None,
                "start_ms": 0,
                "end_ms": 500,
                "verbatim": False,
                "oracle_ids": [],
                "word_ms": None,
                "portions": [],
                "sentences": [],
            },
            {
                "speaker": "agent",
                "text": "Yes we are.",
                "heard_text": "Yes we",
                "start_ms": 1000,
                "end_ms": 1500,
                "verbatim": True,
                "oracle_ids": ["o1"],
                "word_ms": None,
                "portions": [{"oracle_id": "o1", "words": 3, "heard_words": 2}],
                "sentences": [
                    {"text": "Yes we are.", "heard_words": 2, "oracle_id": "o1", "grounded": False}
                ],
            },
        ],
        "oracles": [
            {
                "id": "o1",
                "source": "knowledge",
                "basis": "are you open",
                "text": "Yes we are.",
                "asked_ms": 500,
                "first_token_ms": 510,
                "delivered_ms": 512,
                "outcome": "adopted",
                "is_final": True,
                "facts": ["hours"],
                "error": None,
                **PROVENANCE,
            }
        ],
        "events": [{"at_ms": 1200, "kind": "barge-in", "data": {"digit": "1"}}],
        "latency": {"response_gap_ms": [420], "informed_gap_ms": [None]},
        "thinking": {
            "requests": 0,
            "input_tokens": 130,
            "output_tokens": 12,
            "cost_usd": 0.0002,
        },
        "recording": False,
    }


def test_writing_a_row_again_changes_it_in_place(shelf: Shelf) -> None:
    shelf.writer.put(a_call())
    shelf.writer.put(a_turn(0, text="are"))
    shelf.write()
    shelf.writer.put(a_turn(0, text="are you open"))
    shelf.writer.put(a_call(status=CallStatus.COMPLETED))
    shelf.write()
    found = shelf.calls.get("c1")
    assert found is not None
    assert [turn.text for turn in found.turns] == ["are you open"]
    assert found.status is CallStatus.COMPLETED


def test_turns_come_in_the_order_in_which_they_were_spoken(shelf: Shelf) -> None:
    shelf.writer.put(a_call())
    shelf.writer.put(a_turn(0, text="second", start_ms=900))
    shelf.writer.put(a_turn(1, text="first", start_ms=100))
    shelf.write()
    found = shelf.calls.get("c1")
    assert found is not None
    assert [turn.text for turn in found.turns] == ["first", "second"]


def test_a_noise_is_left_out_and_a_turn_nobody_transcribed_is_not(shelf: Shelf) -> None:
    shelf.writer.put(a_call())
    shelf.writer.put(a_turn(0, text=""))
    shelf.writer.put(a_turn(1, text=None))
    shelf.write()
    found = shelf.calls.get("c1")
    assert found is not None
    assert [(turn.start_ms, turn.text) for turn in found.turns] == [(1000, "")]


def test_the_flow_is_kept_as_it_was_for_the_call(shelf: Shelf) -> None:
    for greeting in ("Hello.", "never overwritten"):
        content = {"greeting": greeting}
        shelf.writer.put(FlowRow(version="f00d", line="l", customer="c", content=content, first_used_at=NOON))
        shelf.write()
    assert shelf.calls.flow("f00d") == {"greeting": "Hello."}
    assert shelf.calls.flow("0000") is None


def three_calls() -> list[CallRow]:
    return [
        a_call(f"c{number}", started_at=NOON + timedelta(minutes=number // 2), line=f"line-{number % 2}")
        for number in range(5)
    ]


def test_pages_hold_every_call_once_newest_first(shelf: Shelf) -> None:
    for row in three_calls():
        shelf.writer.put(row)
    shelf.write()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = shelf.calls.list(limit=2, before=cursor)
        seen += [call.id for call in page.calls]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


def test_a_list_can_be_narrowed(shelf: Shelf) -> None:
    for row in three_calls():
        shelf.writer.put(row)
    shelf.writer.put(a_call("other", to_number="+15550999", status=CallStatus.DROPPED, customer="x"))
    shelf.write()

    def ids(**wanted: object) -> list[str]:
        return [call.id for call in shelf.calls.list(CallFilter(**wanted)).calls]  # type: ignore[arg-type]

    assert ids(line="line-1") == ["c3", "c1"]
    assert ids(status="dropped") == ids(customer="x") == ids(number="+15550999") == ["other"]
    assert ids(since=NOON + timedelta(minutes=1)) == ["c4", "c3", "c2"]


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "bm90IGEgY3Vyc29y", "2026-11-05"])
def test_a_foreign_cursor_is_refused(shelf: Shelf, cursor: str) -> None:
    with pytest.raises(BadCursor):
        shelf.calls.list(before=cursor)


def test_a_call_is_found_by_how_its_id_begins(shelf: Shelf) -> None:
    for call_id in ("abc1", "abd2", "a_d3"):
        shelf.writer.put(a_call(call_id))
    shelf.write()
    assert shelf.calls.find("abc").id == "abc1"
    assert shelf.calls.find("a_").id == "a_d3"
    with pytest.raises(AmbiguousCallId):
        shelf.calls.find("ab")
    with pytest.raises(CallNotFound):
        shelf.calls.find("zz")
    assert shelf.calls.get("abc") is None


def test_an_id_that_begins_another_is_still_its_own(shelf: Shelf) -> None:
    for call_id in ("ab", "abc"):
        shelf.writer.put(a_call(call_id))
    shelf.write()
    assert shelf.calls.find("ab").id == "ab"


def test_a_call_that_nobody_runs_any_more_is_closed_as_interrupted(shelf: Shelf) -> None:
    shelf.writer.put(a_call(owner="n/dead"))
    shelf.writer.put(a_call("alive", owner="n/alive"))
    shelf.writer.put(a_call("over", status=CallStatus.COMPLETED, duration_ms=1))
    shelf.writer.put(a_turn(0, end_ms=2000))
    shelf.writer.put(EventRow(call_id="c1", index=4, at_ms=1500, kind="barge-in"))
    shelf.write()
    closed = shelf.calls.close_interrupted(NOON, lambda owner: owner == "n/alive")
    assert closed == 1
    found = shelf.calls.get("c1")
    assert found is not None
    assert found.status is CallStatus.INTERRUPTED
    assert found.duration_ms == 2000
    assert found.ended_at == NOON + timedelta(seconds=2)
    assert [(event.kind, event.at_ms) for event in found.events] == [
        ("barge-in", 1500),
        ("interrupted", 2000),
    ]
    others = {call.id: call.status.value for call in shelf.calls.list().calls}
    assert others == {"c1": "interrupted", "alive": "in_progress", "over": "completed"}
    assert shelf.calls.close_interrupted(NOON, lambda owner: owner == "n/alive") == 0


def test_an_interrupted_call_lasted_as_long_as_its_recording(shelf: Shelf) -> None:
    shelf.writer.put(a_call())
    recording = shelf.recordings.create("c1")
    recording.caller(np.zeros(24_000 * 3, np.float32), 0)
    recording.flush()
    recording.abandon()
    shelf.write()
    shelf.calls.close_interrupted(NOON, lambda _: False)
    found = shelf.calls.get("c1")
    assert found is not None
    assert found.duration_ms == 3000
    assert found.recording


def test_calls_that_a_line_has_taken_are_counted_by_where_they_came_from(shelf: Shelf) -> None:
    one = a_call(id="one", provider_id="of one", from_number="browser:192.0.2.1", started_at=NOON)
    shelf.writer.put(one)
    shelf.writer.put(a_call(id="two", from_number="browser:192.0.2.2", started_at=NOON))
    others: list[dict[str, Any]] = [
        {"from_number": "browser:192.0.2.2", "status": CallStatus.REFUSED},
        {"from_number": "browser:192.0.2.2", "status": CallStatus.ABANDONED},
        {"from_number": "browser:192.0.2.2", "line": "another"},
        {"from_number": "browser:192.0.2.1", "started_at": NOON - timedelta(days=2)},
        {"from_number": "staff:somebody"},
        {"from_number": "+15550111"},
    ]
    for number, other in enumerate(others):
        changes: dict[str, Any] = {"id": f"other {number}", "started_at": NOON} | other
        shelf.writer.put(a_call(**changes))
    shelf.write()
    line = a_call().line
    yesterday = NOON - timedelta(days=1)
    assert shelf.calls.count_taken(line, "browser:", yesterday) == 2
    assert shelf.calls.count_taken(line, "browser:", yesterday, besides=["of one"]) == 1
