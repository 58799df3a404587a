"""A database as after years of calls, written straight into the tables: for measuring how quickly it is read.

The words are those of the given flows' facts and questions, with numbers mixed in so that some are rare.
Nobody's calls: for a measurement alone, never to be shown as calls that were placed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.flows.schema import Fact, Flow
from kame_voice.store.concluding import conclude_due
from kame_voice.store.database import Database
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.rows import CallRow, CallStatus, EventRow, FlowRow, OracleRow, Row, TurnRow
from kame_voice.store.upsert import upsert

__all__ = ["LONG_CALL", "fill", "put_long_call", "put_long_recording"]

_NEWEST: Final = datetime(2026, 11, 1, 18, tzinfo=UTC)
_BETWEEN_S: Final = 400.0
"""From call to call: 100,000 calls are 15 months of a busy practice's."""
_BATCH: Final = 500
_ENDINGS: Final = (
    (CallStatus.COMPLETED, "caller hung up", 0.93),
    (CallStatus.DROPPED, "connection lost", 0.04),
    (CallStatus.FAILED, "internal error", 0.01),
    (CallStatus.ABANDONED, "caller hung up", 0.02),
)
_VAIN: Final = (
    "do you accept crypto currency", "can you fax me the form", "is there a lift for wheelchairs",
    "can I bring my dog", "do you sell gift vouchers", "who won the game last night",
)  # fmt: skip
_UNANSWERED_SHARE: Final = 0.02


LONG_CALL: Final = "long0000000"
"""Id of the call of an hour."""
_LONG_QUESTIONS: Final = 300
_LONG_S: Final = 3600


def fill(
    database: Database,
    flows: Sequence[Flow],
    calls: int,
    *,
    newest: datetime = _NEWEST,
    between_s: float = _BETWEEN_S,
    prefix: str = "b",
    seed: int = 1,
) -> None:
    """Write `calls` finished calls, newest last, each with its summary and its words for the search."""
    chance = random.Random(seed)
    first = newest - timedelta(seconds=between_s * calls)
    with database.engine.begin() as connection:
        upsert(connection, [_flow_row(flow, first) for flow in flows])
    numbers = iter(range(calls))
    while batch := list(islice(numbers, _BATCH)):
        rows: list[Row] = []
        for number in batch:
            started_at = first + timedelta(seconds=between_s * (number + chance.random()))
            rows += call_rows(
                chance, chance.choice(flows), f"{prefix}{number:07d}", started_at, chance.choice(_LENGTHS)
            )
        with database.engine.begin() as connection:
            upsert(connection, rows)
            conclude_due(connection, _BATCH)


def put_long_call(database: Database, flow: Flow, *, seed: int = 2) -> None:
    """A call of 600 turns in an hour."""
    chance = random.Random(seed)
    rows = call_rows(
        chance, flow, LONG_CALL, _NEWEST, _LONG_QUESTIONS, every_ms=_LONG_S * 1000 // _LONG_QUESTIONS
    )
    with database.engine.begin() as connection:
        upsert(connection, [_flow_row(flow, _NEWEST), *rows])
        conclude_due(connection, 1)


def put_long_recording(recordings: RecordingStore) -> None:
    """Its recording, in which both sides sound, where there is none yet."""
    if recordings.path_of(LONG_CALL) is not None:
        return
    sound = (
        np.sin(np.arange(4 * SAMPLE_RATE) * 2 * np.pi * 180 / SAMPLE_RATE) * np.hanning(4 * SAMPLE_RATE) / 2
    )
    writer = recordings.create(LONG_CALL)
    for at_s in range(0, _LONG_S - 8, 12):
        writer.caller(sound.astype(np.float32), at_s * SAMPLE_RATE)
        writer.agent(sound.astype(np.float32), (at_s + 4) * SAMPLE_RATE)
        writer.flush()
    writer.finish(_LONG_S * SAMPLE_RATE)


_LENGTHS: Final = (1, 1, 2, 2, 3, 3, 4, 5, 6, 10)
"""Questions a call."""


def call_rows(
    chance: random.Random,
    flow: Flow,
    call_id: str,
    started_at: datetime,
    questions: int,
    *,
    every_ms: int = 0,
) -> Iterator[Row]:
    """One finished call of so many questions, each answered in a turn of the agent's.

    From question to question at least `every_ms`.
    """
    at_ms, index, events = 4_000, 0, 0
    gaps: list[int] = []
    yield TurnRow(
        call_id=call_id, index=0, speaker="agent", text=flow.greeting, heard_text=flow.greeting,
        start_ms=300, end_ms=3_500, verbatim=True, utterance=0,
    )  # fmt: skip
    for number in range(questions):
        fact = chance.choice(flow.facts) if chance.random() > _UNANSWERED_SHARE else None
        asked = _question(chance, fact)
        answer = fact.answer if fact else flow.unknown
        gap_ms = max(180, int(chance.gauss(530, 120)))
        end_ms = at_ms + 1_200 + 40 * len(asked.split())
        gaps.append(gap_ms)
        index += 1
        yield TurnRow(
            call_id=call_id, index=index, speaker="caller", text=asked, start_ms=at_ms, end_ms=end_ms
        )
        yield from _oracles(call_id, number, asked, answer, fact, at_ms, end_ms)
        begins = end_ms + gap_ms
        words = answer.split()
        barged = chance.random() < 0.08
        heard = " ".join(words[: chance.randint(1, len(words))]) if barged else answer
        index += 1
        yield TurnRow(
            call_id=call_id, index=index, speaker="agent", text=answer, heard_text=heard,
            start_ms=begins, end_ms=begins + 280 * len(heard.split()),
            oracle_ids=(f"o{number}",), utterance=number + 1,
        )  # fmt: skip
        over_ms = begins + 280 * len(heard.split())
        at_ms = max(over_ms + 600, at_ms + every_ms)
        if barged:
            yield EventRow(call_id=call_id, index=events, at_ms=over_ms, kind="barge-in")
            events += 1
    yield _call_row(chance, flow, call_id, started_at, at_ms, gaps)


def _question(chance: random.Random, fact: Fact | None) -> str:
    asked = chance.choice(fact.questions) if fact else chance.choice(_VAIN)
    if chance.random() < 0.2:
        asked = f"My reference is {chance.randint(10_000, 99_999)}. {asked}"
    return asked


def _oracles(
    call_id: str, number: int, asked: str, answer: str, fact: Fact | None, start_ms: int, end_ms: int
) -> Iterator[OracleRow]:
    """A guess on half the question, superseded, and the answer."""
    words = asked.split()
    for id_, basis, outcome, is_final, at_ms in (
        (f"g{number}", " ".join(words[: len(words) // 2]), "superseded", False, (start_ms + end_ms) // 2),
        (f"o{number}", asked, "adopted", True, end_ms + 90),
    ):
        yield OracleRow(
            call_id=call_id, id=id_, source="knowledge", basis=basis, is_final=is_final, asked_ms=at_ms,
            text=answer, facts=(fact.id,) if fact else (), first_token_ms=at_ms + 12,
            delivered_ms=at_ms + 14, outcome=outcome,
        )  # fmt: skip


def _call_row(
    chance: random.Random, flow: Flow, call_id: str, started_at: datetime, length_ms: int, gaps: list[int]
) -> CallRow:
    status, reason, _ = chance.choices(_ENDINGS, [share for *_, share in _ENDINGS])[0]
    return CallRow(
        id=call_id,
        provider_id=f"CA{call_id}",
        line=flow.line,
        customer=flow.customer,
        from_number=f"+1202555{chance.randint(0, 9999):04d}",
        to_number=flow.numbers[0] if flow.numbers else "+12025550100",
        flow_version=flow.content_hash,
        front_end="spoken",
        oracle_mode="partial",
        status=status,
        end_reason=reason,
        started_at=started_at,
        answered_at=started_at,
        ended_at=started_at + timedelta(milliseconds=length_ms),
        duration_ms=length_ms,
        response_gap_ms=tuple(gaps),
        informed_gap_ms=tuple(gaps),
    )


def _flow_row(flow: Flow, first_used_at: datetime) -> FlowRow:
    return FlowRow(
        version=flow.content_hash,
        line=flow.line,
        customer=flow.customer,
        content=flow.model_dump(mode="json"),
        first_used_at=first_used_at,
    )
