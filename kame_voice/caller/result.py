"""What came of a call as the caller's side saw and heard it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kame_voice.audio.wav import write_wav
from kame_voice.caller.playback import MarkReturn
from kame_voice.caller.twilio_side import RATE, CallIdentity
from kame_voice.caller.wire_stats import WireStats

__all__ = ["CallResult", "EndedBy", "Exchange", "Moment", "Outcome"]


class Outcome(StrEnum):
    """`answered`: a media stream ran. `refused`: the carrier spoke or dialled instead. `failed`: an error."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"


class EndedBy(StrEnum):
    """Who ended the media stream."""

    CALLER = "caller"
    AGENT = "agent"
    SERVER_CLOSED = "server-closed"
    DROPPED = "dropped"
    FAULT = "fault"
    NEVER_BEGAN = "never-began"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, `at_ms` on the caller's media clock."""

    at_ms: int
    what: str
    text: str = ""


@dataclass(slots=True)
class Exchange:
    """Something the caller said and what came back. Times in ms on the caller's media clock.

    `gap_ms`: from the caller's last voiced sample to the agent's first, as the caller hears it;
    negative when the agent began (and went on) while the caller still spoke; None without an
    answer. `answer` holds [start, end) samples of the answer in `CallResult.heard`.
    """

    said: str
    start_ms: float
    last_voiced_ms: float
    gap_ms: float | None = None
    answer: tuple[int, int] | None = None
    answer_text: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the JSON report has it."""
        return {
            "said": self.said,
            "start_ms": round(self.start_ms, 1),
            "last_voiced_ms": round(self.last_voiced_ms, 1),
            "gap_ms": None if self.gap_ms is None else round(self.gap_ms, 1),
            "answer_start_ms": None if self.answer is None else round(self.answer[0] * 1000 / RATE, 1),
            "answer_end_ms": None if self.answer is None else round(self.answer[1] * 1000 / RATE, 1),
            "answer_text": self.answer_text,
        }


def _silence() -> NDArray[np.float32]:
    return np.zeros(0, np.float32)


@dataclass(slots=True)
class CallResult:
    """One call. `said` and `heard` are [n] at 8 kHz, aligned to the sample.

    `greeting_ms`: from the stream's start message to the first sample of audio that came;
    `greeting_voice_ms`: to the first voiced one. `afterwards`: what the carrier did once the
    stream was over (the TwiML's next verbs), in words. `detail`: why it was refused or failed.
    """

    call: CallIdentity
    outcome: Outcome
    detail: str = ""
    ended_by: EndedBy = EndedBy.NEVER_BEGAN
    afterwards: str = ""
    duration_ms: int = 0
    greeting_ms: float | None = None
    greeting_voice_ms: float | None = None
    greeting_text: str | None = None
    greeting: tuple[int, int] | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    marks: list[MarkReturn] = field(default_factory=list)
    clears_ms: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    wire: WireStats = field(default_factory=WireStats)
    said: NDArray[np.float32] = field(default_factory=_silence)
    heard: NDArray[np.float32] = field(default_factory=_silence)

    @property
    def gaps_ms(self) -> list[float]:
        """The response gaps of the exchanges that were answered."""
        return [exchange.gap_ms for exchange in self.exchanges if exchange.gap_ms is not None]

    def write_wav(self, path: Path) -> None:
        """Two channels at 8 kHz: left what the caller said, right what the caller heard."""
        write_wav(path, np.stack([self.said, self.heard], axis=1), rate=RATE)

    def to_json(self) -> dict[str, Any]:
        """Everything but the audio."""
        return {
            "outcome": self.outcome.value,
            "detail": self.detail,
            "ended_by": self.ended_by.value,
            "afterwards": self.afterwards,
            "from": self.call.from_number,
            "to": self.call.to_number,
            "call_sid": self.call.call_sid,
            "stream_sid": self.call.stream_sid,
            "duration_ms": self.duration_ms,
            "greeting_ms": self.greeting_ms,
            "greeting_voice_ms": self.greeting_voice_ms,
            "greeting_text": self.greeting_text,
            "exchanges": [exchange.to_json() for exchange in self.exchanges],
            "timeline": [{"at_ms": m.at_ms, "what": m.what, "text": m.text} for m in self.timeline],
            "marks": [
                {"name": m.name, "returned_ms": round(m.at_s * 1000), "heard": m.heard} for m in self.marks
            ],
            "clears_ms": self.clears_ms,
            "faults": self.faults,
            "wire": self.wire.to_json(),
        }
