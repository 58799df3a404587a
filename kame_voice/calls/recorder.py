"""What one call leaves behind, handed to the writer. Every method costs the event loop microseconds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kame_voice.calls.transcript import Latency, Turn
from kame_voice.core.nouns import SAMPLE_RATE, CallInfo, FrontEndKind, OracleMode, Pcm, Speaker
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import OracleRecord
from kame_voice.store.recordings import recording_name
from kame_voice.store.rows import CallRow, CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter

__all__ = ["CallRecorder"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CallRecorder:
    """One a call. Nothing it is given is kept by reference, so the giver may go on changing it."""

    def __init__(
        self,
        writer: StoreWriter,
        call: CallInfo,
        flow: Flow,
        *,
        front_end: FrontEndKind,
        oracle_mode: OracleMode,
        recording: bool = True,
        owner: str | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._writer = writer
        self._flow = flow
        self._now = now
        self._recording = recording
        self._index = itertools.count()
        self._oracles: dict[str, OracleRow] = {}
        self._spoken_ms: dict[str, int] = {}
        self._row = CallRow(
            id=call.id,
            provider_id=call.provider_id,
            line=call.line,
            customer=call.customer,
            from_number=call.from_number,
            to_number=call.to_number,
            flow_version=call.flow_version,
            front_end=front_end.value,
            oracle_mode=oracle_mode.value,
            status=CallStatus.RINGING,
            started_at=now(),
            owner=owner,
        )

    def ringing(self) -> None:
        """The carrier announced the call; it is not answered yet."""
        self._writer.put(self._row)

    def unanswered(self, status: CallStatus, reason: str) -> None:
        """The call is over before it began: turned away, or its caller was gone."""
        self._row = replace(self._row, status=status, end_reason=reason, ended_at=self._now(), duration_ms=0)
        self._writer.put(self._flow_row())
        self._writer.put(self._row)

    def started(self) -> None:
        """The call is answered: its media clock stands at 0."""
        self._row = replace(self._row, status=CallStatus.IN_PROGRESS, answered_at=self._now())
        if self._recording:
            self._row = replace(self._row, recording=recording_name(self._row.id))
        self._writer.put(self._flow_row())
        self._writer.put(self._row)
        if self._recording:
            self._writer.start_recording(self._row.id, self._index.__next__)

    def caller_audio(self, pcm: Pcm, at_sample: int) -> None:
        """The caller's audio, [n] at 24 kHz, from `at_sample` of the media clock on."""
        if self._recording:
            self._writer.sound(self._row.id, Speaker.CALLER, pcm, at_sample)

    def agent_audio(self, pcm: Pcm, at_sample: int) -> None:
        """The agent's audio as it sounds at the caller's side. Silence need not be handed over."""
        if self._recording:
            self._writer.sound(self._row.id, Speaker.AGENT, pcm, at_sample)

    def agent_cut(self, at_sample: int) -> None:
        """The agent's audio from `at_sample` on was thrown away and never sounded."""
        if self._recording:
            self._writer.cut(self._row.id, at_sample)

    def turn(self, turn: Turn) -> None:
        """A turn, new or changed."""
        self._writer.put(
            TurnRow(
                call_id=self._row.id,
                index=turn.index,
                speaker=turn.speaker.value,
                text=turn.text,
                heard_text=turn.heard_text,
                start_ms=turn.start_ms,
                end_ms=turn.end_ms,
                verbatim=turn.verbatim,
                oracle_ids=turn.oracle_ids,
                portions=tuple(asdict(portion) for portion in turn.portions),
                utterance=turn.utterance,
                word_ms=turn.word_ms or None,
            )
        )

    def turns(self, turns: Iterable[Turn]) -> None:
        """Several turns, new or changed."""
        for turn in turns:
            self.turn(turn)

    def oracle(self, record: OracleRecord) -> None:
        """An oracle, new or changed."""
        usage = record.usage
        row = OracleRow(
            call_id=self._row.id,
            id=record.id,
            source=record.source.value,
            model=record.model,
            basis=record.basis,
            is_final=record.is_final,
            asked_ms=record.asked_ms,
            text=record.text,
            facts=tuple(record.facts),
            grounded=record.grounded,
            first_token_ms=record.first_token_ms,
            adopted_ms=record.adopted_ms,
            confirmed_ms=record.confirmed_ms,
            delivered_ms=record.delivered_ms,
            spoken_ms=self._spoken_ms.get(record.id),
            outcome=record.outcome.value,
            error=record.error,
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cache_read_tokens=usage.cache_read_tokens if usage else None,
            cache_write_tokens=usage.cache_write_tokens if usage else None,
            cost_usd=usage.cost_usd if usage else None,
        )
        self._oracles[record.id] = row
        self._writer.put(row)

    def oracle_spoken(self, oracle_id: str, at_ms: int) -> None:
        """An oracle's first word sounded at `at_ms`."""
        self._spoken_ms[oracle_id] = at_ms
        if oracle_id in self._oracles:
            row = self._oracles[oracle_id] = replace(self._oracles[oracle_id], spoken_ms=at_ms)
            self._writer.put(row)

    def event(self, kind: str, at_ms: int, **data: Any) -> None:
        """Something that happened at `at_ms`; `data` is what JSON can hold."""
        self._writer.put(
            EventRow(call_id=self._row.id, index=next(self._index), at_ms=at_ms, kind=kind, data=data)
        )

    def ended(self, status: str, reason: str, duration_ms: int, latency: Latency | None = None) -> None:
        """The call is over. `status` is a CallStatus; ValueError for any other word."""
        gaps = latency or Latency()
        answered_at = self._row.answered_at or self._row.started_at
        self._row = replace(
            self._row,
            status=CallStatus(status),
            end_reason=reason,
            ended_at=answered_at + timedelta(milliseconds=duration_ms),
            duration_ms=duration_ms,
            response_gap_ms=gaps.response_gap_ms,
            informed_gap_ms=gaps.informed_gap_ms,
        )
        self._writer.put(self._row)
        if self._recording:
            self._writer.finish_recording(self._row.id, duration_ms * SAMPLE_RATE // 1000)

    def _flow_row(self) -> FlowRow:
        return FlowRow(
            version=self._row.flow_version,
            line=self._flow.line,
            customer=self._flow.customer,
            content=self._flow.model_dump(mode="json"),
            first_used_at=self._row.started_at,
        )
