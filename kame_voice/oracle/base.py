"""The seams of the back end: what it is asked, what it answers, what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from kame_voice.core.errors import KameError
from kame_voice.core.nouns import CallInfo, OracleOutcome, OracleSource, Speaker
from kame_voice.core.oracle_stream import OracleWrite
from kame_voice.flows.schema import Flow
from kame_voice.hearing.base import HeardFrame

__all__ = [
    "Adviser",
    "AnswerDelta",
    "AnswerFailed",
    "AnswerSource",
    "Note",
    "OracleRecord",
    "OracleRequest",
    "Said",
    "Transcriber",
    "Transcript",
    "Usage",
    "WhisperRefused",
]


class AnswerFailed(KameError):
    """An answer source has no answer to give. `code` says why, per instance; it is stable.

    Codes: `no-key`, `bad-key`, `refused-request`, `rate-limited`, `overloaded`, `server-error`,
    `unreachable`, `first-token-late`, `stalled`, `cut-off`, `refusal`, `empty-answer`, `forbidden-words`,
    `breaker-open`, `over-budget`.
    """

    code = "answer-failed"

    def __init__(self, code: str, what: str, *, where: str | None = None, do: str | None = None) -> None:
        super().__init__(what, where=where, do=do)
        self.code = code


class WhisperRefused(KameError):
    """A supervisor's words that cannot be said on this call."""

    code = "whisper-refused"


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the caller has said in the current turn, as far as it is understood.

    `stable` leads `text`: words that two hearings in a row agreed on. `covers_ms`: how far into
    the call's audio it reaches. `is_final`: the turn is over and this is its last version;
    `text` may be empty where a turn held no words. `paused`: the caller fell silent after these
    words; they are the final if the caller does not go on.
    """

    text: str
    stable: str
    turn_start_ms: int
    covers_ms: int
    is_final: bool
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier turn of the conversation; an agent's text only as far as it was heard (`cut`: not all)."""

    speaker: Speaker
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class OracleRequest:
    """A question to an answer source. `is_final` false: the caller is still talking.

    `now` is the business's local time (time-zone aware). `summary`: what was said before `history` begins.
    """

    call: CallInfo
    flow: Flow
    history: tuple[Said, ...]
    caller_words: str
    is_final: bool
    now: datetime
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one question took, in tokens: `input_tokens` are those that no cache had or took.

    `cost_usd` is None where the model's price is not known.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """A piece of an answer. `facts`: ids of the flow's facts that it uses, as far as known.

    `grounded`, where it is not None, says what `OracleRecord.grounded` is; `usage`, what the question took
    so far, in place of what earlier pieces said. `text` may be empty.
    """

    text: str
    facts: tuple[str, ...] = ()
    grounded: bool | None = None
    usage: Usage | None = None


class AnswerSource(Protocol):
    """Whoever knows the answer: an LLM or the flow's own knowledge. `model`: its name, where it has one."""

    source: OracleSource
    model: str | None

    def answer(self, question: OracleRequest) -> AsyncIterator[AnswerDelta]:
        """Stream the answer. Raises `AnswerFailed` (with a stable code) when there is none to be had."""
        ...


class Note(Protocol):
    """Takes down what happened on the call: its kind, and details that JSON can hold."""

    def __call__(self, kind: str, **data: Any) -> None: ...


class Adviser(Protocol):
    """What a session needs of the back end: one call's thinking, from words to oracles."""

    async def run(
        self,
        transcripts: AsyncIterator[Transcript],
        guide: Callable[[OracleWrite], None],
        record: Callable[[OracleRecord], None],
        history: Callable[[], tuple[Said, ...]],
        media_ms: Callable[[], int],
        note: Note,
    ) -> None:
        """Think until the transcripts end: write oracles by `guide`, leave each to `record`, and what
        else happened to `note`."""
        ...

    def spoken(self, oracle_id: str) -> None:
        """The first word of this oracle sounds."""
        ...

    def whisper(self, text: str, by: str) -> str:
        """A supervisor's words for the caller: in force above every answer until spoken or withdrawn.

        Returns the oracle's id. Raises `WhisperRefused` where they cannot be said.
        """
        ...

    def withdraw_whisper(self, oracle_id: str, by: str) -> bool:
        """Take a whisper back; false where it has been spoken, or never was."""
        ...


class Transcriber(Protocol):
    """Streaming speech to text for one call."""

    def feed(self, frame: HeardFrame) -> None:
        """Take the next frame of the caller's audio with the ear's events. Never blocks."""
        ...

    def transcripts(self) -> AsyncIterator[Transcript]:
        """Partials about every 500 ms while the caller talks; one final for every turn that ends.

        Ends after `finish`, once all that was said is told, or with `close`. In one place at a time.
        """
        ...

    def finish(self) -> None:
        """No more audio: a turn under way ends here, and what is still being read is told. Idempotent."""
        ...

    def close(self) -> None:
        """Nobody listens any more: pending work is dropped. Idempotent."""
        ...


@dataclass(slots=True)
class OracleRecord:
    """Everything kept of one oracle; times on the call's media clock, None while it has none.

    `confirmed_ms`: when a finished turn turned out to ask what it answers already. `grounded`: it names
    a fact as its source (True), asserts something without one (False), or has nothing to be sourced.
    """

    id: str
    source: OracleSource
    basis: str
    is_final: bool
    asked_ms: int
    text: str = ""
    facts: list[str] = field(default_factory=list)
    first_token_ms: int | None = None
    delivered_ms: int | None = None
    outcome: OracleOutcome = OracleOutcome.PENDING
    error: str | None = None
    model: str | None = None
    adopted_ms: int | None = None
    confirmed_ms: int | None = None
    grounded: bool | None = None
    usage: Usage | None = None
