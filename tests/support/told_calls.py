"""Finished calls as a record keeps them, with everything on them that a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE, Speaker
from kame_voice.flows.schema import Flow
from kame_voice.store.rows import CallRow, CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter

__all__ = ["PLAIN", "Words", "tell_call", "tell_silent_call"]

_SECONDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What stands where people or machines may put words of their own."""

    greeting: str = "Acme Bicycles, how can I help?"
    business: str = "Acme Bicycles"
    question: str = "How much is a puncture repair?"
    answer: str = "A puncture repair costs twelve euros, and you can wait for it."
    rental: str = "Yes, we rent city bikes for twenty euros a day."
    unknown: str = "I'm sorry, I don't have that here."
    comment: str = "prices as of spring"
    asked_in_vain: str = "Can I bring my dog?"
    note: str = "Polite, and in a hurry."
    caller: str = "+15550111"
    technical: str = "caller hung up"
    user: str = "rita"
    token: str = "Nightly export"


PLAIN: Final = Words()


def tell_call(writer: StoreWriter, call_id: str, flow: Flow, words: Words, at: datetime) -> None:
    """Four questions: one answered, one in vain, one without a source and cut off, one that failed."""
    writer.put(
        FlowRow(
            version=flow.content_hash, line=flow.line, customer=flow.customer,
            content=flow.model_dump(mode="json"), first_used_at=at,
        )
    )  # fmt: skip
    writer.put(_call(call_id, flow, words, at, CallStatus.COMPLETED, recording=f"{call_id}.wav"))
    told: tuple[dict[str, Any], ...] = (
        {"basis": words.question, "text": words.answer, "facts": ("puncture",), "grounded": True},
        {"basis": words.asked_in_vain, "text": words.unknown},
        {"basis": "Are you sure?", "text": words.answer, "grounded": False},
        {"basis": words.question, "text": words.technical, "outcome": "failed", "error": words.technical},
    )
    for number, oracle in enumerate(told):
        _exchange(writer, call_id, number, oracle, words)
    events: tuple[tuple[str, dict[str, str]], ...] = (
        ("dtmf", {"digit": words.technical[-90:]}),
        ("barge-in", {}),
        ("leg-closed", {"why": words.technical}),
    )
    for index, (kind, data) in enumerate(events):
        writer.put(EventRow(call_id=call_id, index=index, at_ms=4_500 + index, kind=kind, data=data))
    _record(writer, call_id)


def tell_silent_call(writer: StoreWriter, call_id: str, flow: Flow, words: Words, at: datetime) -> None:
    """Nothing was said, and nothing recorded."""
    writer.put(_call(call_id, flow, words, at, CallStatus.DROPPED, recording=None))


def _call(
    call_id: str, flow: Flow, words: Words, at: datetime, status: CallStatus, recording: str | None
) -> CallRow:
    return CallRow(
        id=call_id, provider_id=words.technical, line=flow.line, customer=flow.customer,
        from_number=words.caller, to_number=flow.numbers[0], flow_version=flow.content_hash,
        front_end="spoken", oracle_mode="partial", status=status, started_at=at, answered_at=at,
        ended_at=at + timedelta(seconds=_SECONDS), duration_ms=_SECONDS * 1_000,
        end_reason=words.technical, recording=recording, response_gap_ms=(200, 1_200, 200),
        informed_gap_ms=(200, None, 200),
    )  # fmt: skip


def _exchange(writer: StoreWriter, call_id: str, number: int, oracle: dict[str, Any], words: Words) -> None:
    at_ms, id_, said = 2_000 * number, f"o{number}", str(oracle["text"])
    asked: dict[str, Any] = {"source": "llm", "model": words.technical, "outcome": "adopted"}
    writer.put(
        TurnRow(
            call_id=call_id, index=2 * number, speaker="caller", text=oracle["basis"], start_ms=at_ms,
            end_ms=at_ms + 800,
        )
    )  # fmt: skip
    writer.put(
        OracleRow(
            call_id=call_id, id=id_, is_final=True, asked_ms=at_ms + 500, first_token_ms=at_ms + 600,
            delivered_ms=at_ms + 750, **(asked | oracle),
        )
    )  # fmt: skip
    is_cut = oracle.get("grounded") is False
    heard = said.split()[: len(said.split()) // 2] if is_cut else said.split()
    writer.put(
        TurnRow(
            call_id=call_id, index=2 * number + 1, speaker="agent", text=said, start_ms=at_ms + 1_000,
            end_ms=at_ms + 1_900, oracle_ids=(id_,), heard_text=" ".join(heard),
        )
    )  # fmt: skip


def _record(writer: StoreWriter, call_id: str) -> None:
    samples = _SECONDS * SAMPLE_RATE
    tone = (0.3 * np.sin(np.arange(samples) / 20)).astype(np.float32)
    writer.start_recording(call_id, lambda: 9)
    for speaker in (Speaker.CALLER, Speaker.AGENT):
        writer.sound(call_id, speaker, tone, 0)
    writer.finish_recording(call_id, samples)
