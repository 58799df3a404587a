"""What the ear tells the front end and the transcriber. One ear a call, so there is one opinion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kame_voice.core.nouns import Pcm

__all__ = [
    "BargedIn",
    "HeardFrame",
    "Listener",
    "TurnEnded",
    "TurnEvent",
    "TurnStarted",
    "VoiceLapsed",
    "VoiceOnset",
    "VoicePaused",
    "VoiceResumed",
]


@dataclass(frozen=True, slots=True)
class VoiceOnset:
    """The caller's voice began at `at_ms`, outside a turn; it may turn out to be a cough."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class VoiceLapsed:
    """The voice of the last `VoiceOnset` ended too soon to be a turn (cough, "mm-hm")."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The caller takes a turn; `at_ms` is its first voiced moment.

    `goes_on`: with the turn before, which nobody has answered. An ear cannot know that; the session does.
    """

    at_ms: int
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The turn that just started talks over the agent: the agent should stop."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class VoicePaused:
    """The caller fell silent within a turn, if only between two sounds of a word.

    `at_ms` is the end of the last voiced moment.
    """

    at_ms: int


@dataclass(frozen=True, slots=True)
class VoiceResumed:
    """The caller went on after a `VoicePaused`, in the same turn."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller's turn is over: silent for as long as the line's thresholds and the words so far say.

    `start_ms` and `end_ms` are its first and last voiced moments.
    """

    start_ms: int
    end_ms: int


TurnEvent = VoiceOnset | VoiceLapsed | TurnStarted | BargedIn | VoicePaused | VoiceResumed | TurnEnded


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """One frame of caller audio with what the ear made of it.

    `at_ms` is where the frame starts. `voiced`: the caller's voice (not our echo) sounds in it.
    `events` in the order in which they came about.
    """

    pcm: Pcm
    at_ms: int
    voiced: bool
    events: tuple[TurnEvent, ...] = ()


class Listener(Protocol):
    """What a session needs of an ear."""

    def listen(self, pcm: Pcm, at_ms: int) -> HeardFrame:
        """Hear the next frame, which starts at `at_ms` of the media clock."""
        ...

    def agent_played(self, pcm: Pcm, at_ms: int) -> None:
        """What the agent says, and where on the media clock it sounds."""
        ...

    def expect_end(self, silence_ms: int, heard_to_ms: int) -> None:
        """Let the pause under way end the turn after `silence_ms`, for the words heard up to `heard_to_ms`.

        Nothing happens where the caller has gone on since; once they go on, it no longer holds.
        """
        ...
