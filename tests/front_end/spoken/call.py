"""One call on a spoken slot, driven frame by frame; and a voice that needs no model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import Future

import numpy as np

from kame_voice.core.nouns import OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleClose, OracleOpen
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.spoken.answer import Repeats, only_the_same_words
from kame_voice.front_end.spoken.slot import SpokenSlot
from kame_voice.front_end.spoken.speech import Speech, timed_words
from kame_voice.front_end.spoken.voice import Need
from kame_voice.hearing.base import HeardFrame, TurnEnded, TurnEvent

__all__ = ["FRAME", "FRAME_MS", "WORD_MS", "FakeVoice", "TestCall", "flow"]

FRAME = 480
FRAME_MS = 20
WORD_MS = 200
LEVEL = 0.5


def flow(**turns: int) -> Flow:
    return Flow.model_validate(
        {
            "version": 1,
            "customer": "harbor",
            "line": "harbor-dental",
            "greeting": "Hello there.",
            "business": {"name": "Harbor Dental", "time_zone": "America/New_York"},
            "holding": ["One moment.", "Let me look."],
            "turns": turns,
        }
    )


class FakeVoice:
    """200 ms a word at a level of 0.5, at once; with `slow` each sentence waits for `finish`."""

    def __init__(self) -> None:
        self.slow = False
        self.prepared: list[tuple[str, Need]] = []
        self._pending: dict[str, list[Future[Speech]]] = {}

    def prepare(self, sentence: str, need: Need, *, keep: bool = False) -> Future[Speech]:
        self.prepared.append((sentence, need))
        future: Future[Speech] = Future()
        self._pending.setdefault(sentence, []).append(future)
        if not self.slow:
            self.finish(sentence)
        return future

    def finish(self, sentence: str) -> None:
        samples = len(sentence.split()) * WORD_MS * 24
        words = tuple(
            (word, (n + 1) * WORD_MS * 24) for n, (word, _) in enumerate(timed_words(sentence, samples))
        )
        for future in self._pending.pop(sentence):
            if future.set_running_or_notify_cancel():
                future.set_result(Speech(np.full(samples, LEVEL, np.float32), words))


class TestCall:
    """`frames`, `words` and `cuts` are what has come out of the slot so far."""

    __test__ = False

    def __init__(
        self,
        voice: FakeVoice | None = None,
        the_flow: Flow | None = None,
        repeats: Repeats = only_the_same_words,
    ) -> None:
        self.voice = voice or FakeVoice()
        self.slot = SpokenSlot(the_flow or flow(), self.voice, FRAME, lambda: None, repeats)
        self.frames: list[SpokenFrame] = []
        self._source: AsyncIterator[SpokenFrame] = self.slot.frames()

    @property
    def words(self) -> str:
        return " ".join(word.text for frame in self.frames for word in frame.words)

    @property
    def cuts(self) -> list[int]:
        return [number for number, frame in enumerate(self.frames) if frame.cut]

    @property
    def now_ms(self) -> int:
        return len(self.frames) * FRAME_MS

    def level(self, number: int = -1) -> float:
        """The level at the end of a frame: 0.5 is full."""
        return float(self.frames[number].pcm[-1])

    async def pull(self, ms: int) -> None:
        """Let the line play for so long."""
        for _ in range(ms // FRAME_MS):
            self.frames.append(await anext(self._source))

    def hear(self, *events: TurnEvent) -> None:
        """A frame of caller audio in which the ear made out `events`."""
        self.slot.hear(HeardFrame(np.zeros(FRAME, np.float32), self.now_ms, bool(events), events))

    def caller_asked(self, start_ms: int = 1000, end_ms: int = 3000, known_after_ms: int = 360) -> None:
        """A turn of the caller's ended; its last voiced moment was `known_after_ms` ago."""
        frame = HeardFrame(
            np.zeros(FRAME, np.float32),
            end_ms + known_after_ms - FRAME_MS,
            False,
            (TurnEnded(start_ms, end_ms),),
        )
        self.slot.hear(frame)

    def oracle(
        self,
        name: str,
        text: str = "",
        *,
        covers_ms: int = 3000,
        close: bool = True,
        source: OracleSource = OracleSource.LLM,
    ) -> None:
        """An oracle opens, writes `text` and, unless told otherwise, closes."""
        self.slot.guide(OracleOpen(name, source, covers_ms, is_final=covers_ms >= 3000))
        if text:
            self.slot.guide(OracleAppend(name, text))
        if close:
            self.slot.guide(OracleClose(name))
