"""Calls to be shown and exported, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kame_voice.store.calls import CallDetail, CallTurn

__all__ = ["a_detail", "said"]


def said(speaker: str, text: str, start_ms: int, end_ms: int, **more: Any) -> CallTurn:
    """One turn."""
    fields: dict[str, Any] = {"heard_text": None, "verbatim": False, "oracle_ids": [], **more}
    return CallTurn(speaker=speaker, text=text, start_ms=start_ms, end_ms=end_ms, **fields)


def a_detail(*turns: CallTurn, **changes: Any) -> CallDetail:
    """A finished call of these turns."""
    fields: dict[str, Any] = {
        "id": "c1",
        "provider_id": "CA1",
        "line": "front-desk",
        "customer": "harbor-dental",
        "from": "+15550111",
        "to": "+15550100",
        "status": "completed",
        "end_reason": "caller hung up",
        "started_at": datetime(2026, 11, 5, 12, tzinfo=UTC),
        "answered_at": None,
        "ended_at": None,
        "duration_ms": 65_400,
        "flow_version": "f00d",
        "front_end": "spoken",
        "oracle_mode": "partial",
        "worst_gap_ms": 420,
        "ungrounded": 0,
        "unanswered": 0,
        "barge_ins": 0,
        "failures": 0,
        "turn_count": len(turns),
        "opening": None,
        "disposition": None,
        "oracles": [],
        "events": [],
        "latency": {"response_gap_ms": [], "informed_gap_ms": []},
        "thinking": {"requests": 0},
        "recording": False,
        **changes,
    }
    return CallDetail(turns=list(turns), **fields)
