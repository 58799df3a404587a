"""A call, a flow and requests to try the back end with."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from kame_voice.core.nouns import CallInfo
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import OracleRequest, Said, Transcript

__all__ = ["CALL", "DENTIST", "MONDAY_NOON", "request", "transcript"]

DENTIST = Flow.model_validate(
    {
        "version": 1,
        "customer": "bay-dental",
        "line": "bay-dental",
        "greeting": "Hello, this is Bay Dental.",
        "persona": "You are the calm receptionist of a dentist.",
        "business": {
            "name": "Bay Dental",
            "time_zone": "America/New_York",
            "address": "12 Pier Road",
            "hours": {
                "mon": [{"opens": "09:00", "closes": "17:00"}],
                "tue": [{"opens": "09:00", "closes": "17:00"}],
                "wed": [
                    {"opens": "09:00", "closes": "12:00"},
                    {"opens": "13:30", "closes": "18:00"},
                ],
                "sat": [{"opens": "09:00", "closes": "13:00"}],
            },
        },
        "facts": [
            {
                "id": "cleaning-price",
                "questions": ["How much is a cleaning?", "What does it cost to have my teeth cleaned?"],
                "answer": "A cleaning is one hundred dollars.",
            },
            {
                "id": "parking",
                "questions": ["Is there parking?", "Where can I leave my car?"],
                "answer": "Yes, there is free parking behind the house.",
            },
            {
                "id": "insurance",
                "questions": ["Which insurance do you take?", "Do you accept Delta Dental?"],
                "answer": "We take Delta Dental and Cigna.",
            },
        ],
        "never_say": ["guaranteed"],
        "unknown": "I'm sorry, I don't have that here.",
        "goodbye": "Thank you for calling. Goodbye.",
    }
)

CALL = CallInfo("c1", "CA1", "bay-dental", "bay-dental", "+12025550123", "+12025550100", DENTIST.content_hash)

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=ZoneInfo("America/New_York"))


def request(
    words: str,
    *,
    is_final: bool = True,
    history: tuple[Said, ...] = (),
    flow: Flow = DENTIST,
    now: datetime = MONDAY_NOON,
) -> OracleRequest:
    """A question to an answer source."""
    return OracleRequest(CALL, flow, history, words, is_final, now)


def transcript(
    text: str,
    covers_ms: int,
    *,
    stable: str | None = None,
    turn_start_ms: int = 0,
    is_final: bool = False,
    paused: bool = False,
) -> Transcript:
    """What the caller has said; all of it stable unless told otherwise."""
    return Transcript(text, text if stable is None else stable, turn_start_ms, covers_ms, is_final, paused)
