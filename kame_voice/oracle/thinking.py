"""What thinks for all calls of the process: its sources, its gate, and the limits of settings and flow."""

from __future__ import annotations

from kame_voice.core.nouns import CallInfo, OracleMode
from kame_voice.core.settings import Settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Flow
from kame_voice.oracle.back_end import BackEnd
from kame_voice.oracle.base import AnswerSource
from kame_voice.oracle.breaker import Breaker
from kame_voice.oracle.budget import Budget, CallLimits, ProcessLimits
from kame_voice.oracle.gate import Gate
from kame_voice.oracle.knowledge import Knowledge
from kame_voice.oracle.scheduler import GuessRule

__all__ = ["Thinking", "call_limits", "guess_rule"]


class Thinking:
    """`model`: who is asked before the flow's own `knowledge`; None: nobody."""

    def __init__(
        self,
        settings: Settings,
        mode: OracleMode,
        knowledge: Knowledge | None,
        model: AnswerSource | None,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._mode = mode
        self._knowledge = knowledge
        self._model = model
        self._telemetry = telemetry
        limits = ProcessLimits(
            in_flight=settings.oracle_in_flight,
            requests_a_second=settings.oracle_requests_per_s,
            tokens_a_minute=settings.oracle_tokens_per_min,
            usd_a_day=settings.oracle_usd_per_day,
        )
        breaker = Breaker(settings.breaker_failures, settings.breaker_cool_s)
        self._gate = Gate(Budget(limits), breaker, telemetry)

    def back_end(self, call: CallInfo, flow: Flow) -> BackEnd:
        """The back end of one call."""
        knowledge, asks_model = self._knowledge, self._model is not None
        first_token_ms = flow.thinking.first_token_ms
        return BackEnd(
            call,
            flow,
            self._mode,
            self._model if asks_model else knowledge,
            knowledge if asks_model else None,
            gate=self._gate if asks_model else None,
            judge=knowledge.meanings if knowledge is not None else None,
            sure=knowledge.is_sure if knowledge is not None and self._facts_first(flow) else None,
            rule=guess_rule(self._settings, flow),
            limits=call_limits(self._settings, flow),
            telemetry=self._telemetry,
            first_token_s=(
                self._settings.claude_first_token_s if first_token_ms is None else first_token_ms / 1000
            ),
        )

    def _facts_first(self, flow: Flow) -> bool:
        """Whether plain questions are answered from the flow's facts, the model unasked."""
        own = flow.thinking.facts_first
        wanted = self._settings.oracle_facts_first if own is None else own
        return wanted and self._model is not None


def guess_rule(settings: Settings, flow: Flow) -> GuessRule:
    """When a partial is asked on: what the flow says goes over the settings."""
    own = flow.thinking
    return GuessRule(
        new_words=settings.oracle_guess_words if own.guess_words is None else own.guess_words,
        min_gap_ms=settings.oracle_guess_gap_ms if own.guess_gap_ms is None else own.guess_gap_ms,
        a_turn=settings.oracle_guesses if own.guesses is None else own.guesses,
    )


def call_limits(settings: Settings, flow: Flow) -> CallLimits:
    """What one call may take: what the flow says goes over the settings."""
    own = flow.thinking
    return CallLimits(
        in_flight=settings.oracle_call_in_flight if own.in_flight is None else own.in_flight,
        tokens=settings.oracle_call_tokens if own.tokens is None else own.tokens,
        usd=settings.oracle_call_usd if own.usd is None else own.usd,
    )
