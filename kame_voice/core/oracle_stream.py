"""What the back end writes into a slot's oracle stream. Knows neither of the two sides."""

from __future__ import annotations

from dataclasses import dataclass

from kame_voice.core.nouns import OracleSource

__all__ = ["OracleAppend", "OracleClose", "OracleConfirm", "OracleOpen", "OracleWithdraw", "OracleWrite"]


@dataclass(frozen=True, slots=True)
class OracleOpen:
    """A new candidate answer begins; its first token has come, so it replaces older ones.

    `covers_ms`: how far into the caller's audio the words go that it answers. `is_final`: it
    answers a finished turn.
    """

    id: str
    source: OracleSource
    covers_ms: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class OracleAppend:
    """More text of an open oracle, as the source streamed it (may break inside a word)."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class OracleClose:
    """The oracle's text is complete."""

    id: str


@dataclass(frozen=True, slots=True)
class OracleConfirm:
    """The caller's turn, now known up to `covers_ms`, leaves this oracle's answer as it is."""

    id: str
    covers_ms: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class OracleWithdraw:
    """The oracle is wrong or void: whatever of it is unsaid is not to be said."""

    id: str


OracleWrite = OracleOpen | OracleAppend | OracleClose | OracleConfirm | OracleWithdraw
