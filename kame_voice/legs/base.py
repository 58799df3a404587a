"""The seam between a call and its transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kame_voice.core.nouns import Pcm

__all__ = [
    "CallerAudio",
    "Dtmf",
    "Leg",
    "LegClosed",
    "LegEvent",
    "LegNote",
    "MarkHeard",
    "WaitsForMissing",
]


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """What the caller's side sent: `pcm` at 24 kHz, any length.

    `at_sample` is the position of its first sample on the caller's media clock (0 = answer), so
    that a hole in the stream shows as a jump. Positions never go back.
    """

    pcm: Pcm
    at_sample: int


@dataclass(frozen=True, slots=True)
class WaitsForMissing:
    """From now on the leg hands a packet's audio, or what stands for it, on within `seconds` of its time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One key the caller pressed: 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class MarkHeard:
    """The caller's side confirmed that all audio up to this mark was played to the caller."""

    name: str


@dataclass(frozen=True, slots=True)
class LegClosed:
    """The transport is gone; always the last event.

    `hung_up`: the caller ended the call. `dropped`: the connection broke. `protocol_error`: the
    peer sent something malformed; `detail` says what. `ended_by_us`: after `hang_up()`.
    """

    reason: Literal["hung_up", "dropped", "protocol_error", "ended_by_us"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LegNote:
    """Something about the transport that belongs on the call's record; `data` is JSON."""

    kind: str
    data: Mapping[str, Any]


LegEvent = CallerAudio | WaitsForMissing | Dtmf | MarkHeard | LegNote | LegClosed


class Leg(Protocol):
    """The transport of one call: Twilio socket, WebRTC peer or WAV file."""

    def events(self) -> AsyncIterator[LegEvent]:
        """Everything that comes from the caller's side, in order; ends after `LegClosed`.

        To be iterated once, by one task. A network fault is a `LegClosed`, never an exception.
        """
        ...

    async def play(self, pcm: Pcm, marks: Sequence[str] = ()) -> int:
        """Queue `pcm` [n samples, 24 kHz, a multiple of 20 ms] for the caller, then `marks`.

        Returns when the queue is again shorter than the leg's lead (so the caller of `play` is
        paced by it), with the sample position on the caller's media clock at which this audio
        starts to sound. Mark names must be unique in a call. Does nothing on a closed leg.
        """
        ...

    async def clear(self) -> set[str]:
        """Throw away everything queued and not yet played; the marks that were not heard."""
        ...

    async def hang_up(self) -> None:
        """End the call at the carrier. Idempotent; a call that is already over is a success."""
        ...
