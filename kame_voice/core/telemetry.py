"""Every metric of the process, in one place. What is late, dropped or failed is counted here."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Telemetry"]

_GAP_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.2, 1.6, 2.1, 3.0, 5.0)
_SHORT_BUCKETS: Final = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 1.0, 2.0, 5.0)

_STEP_BUCKETS: Final = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.075, 0.08, 0.1, 0.2)


class Telemetry:
    """One registry a process (and one a test), so that nothing is counted in module globals."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"kame_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"kame_{name}", text, buckets=buckets, registry=registry)

        self.calls = counter("calls_total", "Calls by how they ended.", "status")
        self.calls_refused = counter("calls_refused_total", "Calls not taken, by reason.", "reason")
        self.calls_running = Gauge("kame_calls_running", "Calls in progress.", registry=registry)
        self.slots_free = Gauge("kame_slots_free", "Free slots of the front end.", registry=registry)
        self.response_gap = histogram(
            "response_gap_seconds", "Caller's last voiced sample to our first.", _GAP_BUCKETS
        )
        self.barge_ins = counter("barge_ins_total", "Times a caller stopped the agent.")
        self.wire_unknown = counter("wire_unknown_total", "Wire messages of an unknown kind, ignored.")
        self.wire_malformed = counter("wire_malformed_total", "Wire messages that closed their call.")
        self.wire_refused = counter("wire_refused_total", "Sockets and webhooks refused.", "reason")
        self.caller_gaps = counter("caller_gap_samples_total", "Missing caller audio played as silence.")
        self.caller_late = counter("caller_late_samples_total", "Caller audio that came too late.")
        self.caller_concealed = counter(
            "caller_concealed_samples_total", "Lost caller audio replaced by what sounded before it."
        )
        self.agent_left_out = counter(
            "agent_left_out_samples_total", "The agent's sound left out to catch up after a stall."
        )
        self.frames_late = counter("outbound_late_total", "Outbound 20 ms frames sent over 20 ms late.")
        self.frames_sent = counter("outbound_frames_total", "Outbound 20 ms frames sent.")
        self.oracles = counter("oracles_total", "Oracles by source and outcome.", "source", "outcome")
        self.oracle_first_token = histogram(
            "oracle_first_token_seconds", "Asked to first token.", _SHORT_BUCKETS
        )
        self.answer_failures = counter("answer_failures_total", "Answers that failed, by code.", "code")
        self.oracle_shed = counter(
            "oracle_shed_total", "Questions held back, by the limit in the way.", "reason"
        )
        self.oracle_tokens = counter("oracle_tokens_total", "Tokens of the language model.", "kind")
        self.oracle_usd = counter("oracle_usd_total", "US dollars spent on answers, as far as priced.")
        self.oracle_in_flight = Gauge(
            "kame_oracle_in_flight", "Questions at the language model now.", registry=registry
        )
        self.oracle_confirmed = counter(
            "oracle_confirmed_total", "Finished turns whose answer had been asked for before they ended."
        )
        self.oracle_ungrounded = counter(
            "oracle_ungrounded_total", "Answers that assert something and name no source."
        )
        self.breaker_open = Gauge(
            "kame_breaker_open",
            "1 while the language model is not asked because it fails.",
            registry=registry,
        )
        self.breaker_changes = counter(
            "breaker_changes_total", "Times the breaker changed, by to what.", "to"
        )
        self.stt_seconds = histogram("stt_seconds", "One window transcribed.", _SHORT_BUCKETS)
        self.stt_skipped = counter("stt_skipped_total", "Partials overtaken before they ran.")
        self.record_dropped = counter("record_dropped_total", "Records and audio lost, by kind.", "kind")
        self.summaries_failed = counter(
            "summaries_failed_total", "Finished calls set aside because they cannot be summed up."
        )
        self.erased = counter("erased_total", "Calls and recordings deleted as too old, by kind.", "kind")
        self.flow_reloads = counter("flow_reloads_total", "Flow reloads by result.", "result")
        self.engine_step = histogram("engine_step_seconds", "One step of the speech engine.", _STEP_BUCKETS)
        self.engine_late = counter("engine_late_total", "Steps that ended after their 80 ms.")
        self.engine_frames = counter("engine_frames_total", "Frames the speech engine delivered.")
        self.engine_frozen = counter("engine_frozen_total", "Steps a call sat out for want of a frame.")
        self.engine_dropped = counter("engine_dropped_total", "Caller frames that came in excess.")
        self.engine_primed = counter("engine_primed_total", "Long calls given an empty memory.")
        self.engine_faults = counter("engine_faults_total", "Restarts of the speech engine, by code.", "code")

    def exposition(self) -> bytes:
        """The metrics in Prometheus's text format."""
        return generate_latest(self.registry)
