"""What is kept of a call's oracles, and what is counted. Knows no source and no front end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kame_voice.core.nouns import OracleOutcome, OracleSource
from kame_voice.core.telemetry import Telemetry
from kame_voice.oracle.base import AnswerDelta, OracleRecord, Usage
from kame_voice.oracle.scheduler import Ask

__all__ = ["Ledger"]


class Ledger:
    """One call's `OracleRecord`s. Every change goes to `record` as a copy that stays as it is."""

    def __init__(
        self, record: Callable[[OracleRecord], None], media_ms: Callable[[], int], telemetry: Telemetry
    ) -> None:
        self._record = record
        self._media_ms = media_ms
        self._telemetry = telemetry
        self._open: dict[str, OracleRecord] = {}

    def asked(self, ask: Ask, source: OracleSource, model: str | None = None) -> None:
        """A question goes out."""
        self._open[ask.id] = OracleRecord(
            ask.id, source, ask.words, ask.is_final, self._media_ms(), model=model
        )
        self._tell(ask.id)

    def not_asked(self, code: str) -> None:
        """A finished turn's question could not go out."""
        self._telemetry.answer_failures.labels(code).inc()

    def first_token(self, id_: str, after_s: float) -> None:
        """Its answer begins, `after_s` seconds after it was asked."""
        self._telemetry.oracle_first_token.observe(after_s)
        if id_ in self._open:
            self._open[id_].first_token_ms = self._media_ms()

    def adopted(self, id_: str) -> None:
        """It is the answer in force. Counted once something replaces it or the call ends."""
        record = self._open[id_]
        record.outcome, record.adopted_ms = OracleOutcome.ADOPTED, self._media_ms()
        self._tell(id_)

    def grew(self, id_: str, delta: AnswerDelta) -> None:
        """More of its text. Told to `record` with the next change, not by the token."""
        record = self._open.get(id_)
        if record:
            record.text += delta.text
            record.facts += [fact for fact in delta.facts if fact not in record.facts]
            record.grounded = record.grounded if delta.grounded is None else delta.grounded
            self._count(record, delta.usage)
            if delta.grounded is False:
                self._telemetry.oracle_ungrounded.inc()

    def confirmed(self, id_: str) -> None:
        """It answers a finished turn after all."""
        record = self._open[id_]
        record.is_final, record.confirmed_ms = True, self._media_ms()
        self._telemetry.oracle_confirmed.inc()
        self._tell(id_)

    def delivered(self, id_: str) -> None:
        """Its text is complete."""
        if id_ in self._open:
            self._open[id_].delivered_ms = self._media_ms()
            self._tell(id_)

    def settled(self, id_: str, outcome: OracleOutcome, error: str | None = None) -> None:
        """Nothing more becomes of it."""
        record = self._open.get(id_)
        if record is None:
            return
        record.outcome, record.error = outcome, error
        if error:
            self._telemetry.answer_failures.labels(error).inc()
        self._telemetry.oracles.labels(record.source.value, outcome.value).inc()
        self._tell(id_)
        del self._open[id_]

    def close(self) -> None:
        """The call is over: what is in force stays adopted, what never came is cancelled."""
        for id_, record in list(self._open.items()):
            adopted = record.outcome is OracleOutcome.ADOPTED
            self.settled(id_, OracleOutcome.ADOPTED if adopted else OracleOutcome.CANCELLED)

    def _count(self, record: OracleRecord, usage: Usage | None) -> None:
        if usage is None:
            return
        before, record.usage = record.usage or Usage(), usage
        for kind in ("input", "output", "cache_read", "cache_write"):
            # What was estimated too high is not taken back from a counter.
            more = getattr(usage, f"{kind}_tokens") - getattr(before, f"{kind}_tokens")
            self._telemetry.oracle_tokens.labels(kind).inc(max(0, more))
        self._telemetry.oracle_usd.inc(max(0.0, (usage.cost_usd or 0.0) - (before.cost_usd or 0.0)))

    def _tell(self, id_: str) -> None:
        record = self._open[id_]
        self._record(replace(record, facts=list(record.facts)))
