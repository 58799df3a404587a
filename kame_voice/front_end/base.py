"""The seam between a call and the speech model that hears and speaks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from kame_voice.core.errors import KameError
from kame_voice.core.nouns import CallInfo, Pcm
from kame_voice.core.oracle_stream import OracleWrite
from kame_voice.flows.schema import Flow
from kame_voice.hearing.base import HeardFrame

__all__ = [
    "FrontEnd",
    "NoFreeSlot",
    "Slot",
    "SpokenFrame",
    "SpokenWord",
]


class NoFreeSlot(KameError):
    """Every slot of the front end is taken."""

    code = "no-free-slot"


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word the agent says.

    `utterance` numbers the stretches of speech of a call, 0, 1, 2 …: one greeting, one answer.
    `oracle_id`: the oracle in force when it was chosen. `verbatim`: from `say`, not composed.
    """

    text: str
    utterance: int
    oracle_id: str | None = None
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class SpokenFrame:
    """`pcm` is the next stretch of the agent's voice, [frame_samples].

    `words` are those that *end* within it. `speaking` is false in silence between utterances.
    `cut`: speech handed out before this frame and not yet heard is to be thrown away. `waiting`: how many
    frames, this one included, are late as nobody asked for them yet; 0 where frames are made when asked for.
    """

    pcm: Pcm
    words: tuple[SpokenWord, ...] = ()
    speaking: bool = False
    cut: bool = False
    waiting: int = 0


class Slot(Protocol):
    """One call's place in a front end."""

    def hear(self, frame: HeardFrame) -> None:
        """Take the next frame of the caller's audio, [frame_samples]. Never blocks."""
        ...

    def guide(self, write: OracleWrite) -> None:
        """Write into the oracle stream. Writes to unknown or withdrawn ids are ignored. Never blocks."""
        ...

    async def say(self, text: str, *, interruptible: bool = True) -> bool:
        """Speak exactly these words, after whatever is already being said verbatim.

        Returns once the last of it was handed out by `frames`: true when all of it was, false
        when the caller's barge-in ended it. A composed answer under way is ended first.
        """
        ...

    def frames(self) -> AsyncIterator[SpokenFrame]:
        """The agent's side, frame after frame without end until `release`. Iterated once.

        The iterating side paces: `spoken` makes a frame when asked, `kame` when its engine steps.
        """
        ...

    async def release(self) -> None:
        """Give the place back, wiped of everything this call left in it. Idempotent."""
        ...


class FrontEnd(Protocol):
    """The speech model of the process.

    `frame_samples` is the length of the frames its slots hear and speak (24 kHz).
    `ready` is false while it cannot take calls (loading, faulted).
    """

    frame_samples: int
    capacity: int

    @property
    def free(self) -> int:
        """Slots that are not taken."""
        ...

    @property
    def ready(self) -> bool: ...

    async def take_slot(self, call: CallInfo, flow: Flow) -> Slot:
        """Reserve a place. Raises `NoFreeSlot` at once when there is none; never queues."""
        ...

    async def warm(self, flows: Iterable[Flow]) -> None:
        """Make ready what is known ahead of these lines, such as their fixed words."""
        ...

    async def run(self) -> None:
        """Own the model's tasks and threads; runs in the app's task group until cancelled."""
        ...
