"""Says one script at a time, frame by frame, never waiting. Does not know why it says what it says."""

from __future__ import annotations

from typing import Final

import numpy as np
import structlog

from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.front_end.base import SpokenFrame, SpokenWord
from kame_voice.front_end.spoken.ducking import Ducking
from kame_voice.front_end.spoken.script import Script, Sentence
from kame_voice.front_end.spoken.speech import Speech

__all__ = ["Mouth"]

log = structlog.get_logger()

_BREATH: Final = SAMPLE_RATE // 5
"""Samples of silence between two sentences: 200 ms, so long as a person breathes."""
_HALF_BREATH: Final = SAMPLE_RATE // 12
"""83 ms: the pause at a comma, with what the speech engine leaves at both edges."""
_FADE: Final = SAMPLE_RATE // 100


class Mouth:
    """Frames of `frame_samples`, silence where there is nothing to say or nothing ready.

    `utterance` numbers the stretches of speech, −1 before the first. `played`: samples of the script
    handed out. `idle_frames`: frames since the last that spoke. `failed`: a sentence of the script
    could not be made into speech.
    """

    def __init__(self, frame_samples: int) -> None:
        self.script: Script | None = None
        self.utterance = -1
        self.played = 0
        self.idle_frames = 1 << 40
        self.failed = False
        self._frame_samples = frame_samples
        self._ducking = Ducking()
        self._sentence: Sentence | None = None
        self._speech: Speech | None = None
        self._at = 0
        self._breath = 0
        self._fading: Pcm | None = None
        self._silence = SpokenFrame(np.zeros(frame_samples, np.float32))
        self._silence.pcm.setflags(write=False)
        self._pause = SpokenFrame(self._silence.pcm, speaking=True)

    @property
    def sounding(self) -> bool:
        """The script has begun to sound."""
        return self.script is not None and self.played > 0

    @property
    def oracle_id(self) -> str | None:
        """The oracle of the sentence that is being said."""
        return self._sentence.oracle_id if self._sentence else None

    @property
    def past_half(self) -> bool:
        """More than half of the sentence under way has been handed out."""
        return self._speech is not None and self._at * 2 > len(self._speech.pcm)

    def begin(self, script: Script) -> None:
        """Say `script` from the next frame on. Whatever was being said must have been stopped."""
        self.script = script
        self.played = 0
        self.failed = False
        self._breath = 0
        self._ducking.reset()

    def stop(self, *, fade: bool = False) -> None:
        """Say no more of the script; with `fade` its sound ends in 10 ms instead of at once."""
        if fade and self._speech is not None and self.sounding:
            self._fading = self._speech.pcm[self._at : self._at + _FADE]
        self.script = None
        self._leave_sentence()

    def next_frame(self, *, ducked: bool) -> SpokenFrame:
        """The next frame. When the script ends with it, `script` is None afterwards."""
        frame = self._frame(ducked)
        self.idle_frames = 0 if frame.speaking else self.idle_frames + 1
        return frame

    def _frame(self, ducked: bool) -> SpokenFrame:
        if self._fading is not None:
            return self._faded()
        if self.script is None:
            return self._silence
        if self._breath > 0:
            self._breath -= self._frame_samples
            return self._pause
        speech = self._at_hand(self.script)
        if speech is None:
            if self._sentence is None and self.script.over:
                self.script = None
            return self._silence
        return self._spoken(speech, ducked)

    def _at_hand(self, script: Script) -> Speech | None:
        """The speech of the sentence under way, or of the next one; None while there is none."""
        while self._speech is None:
            if self._sentence is None:
                self._sentence = script.next_sentence()
            if self._sentence is None or not self._sentence.speech.done():
                return None
            self._speech = _speech_of(self._sentence)
            if self._speech is None:
                self.failed = True
                self._leave_sentence()
        return self._speech

    def _spoken(self, speech: Speech, ducked: bool) -> SpokenFrame:
        assert self._sentence is not None
        if self.played == 0:
            self.utterance += 1
        start, end = self._at, self._at + self._frame_samples
        pcm = speech.pcm[start:end]
        words = tuple(
            SpokenWord(text, self.utterance, self._sentence.oracle_id, self._sentence.verbatim)
            for text, said_at in speech.words
            if start < said_at <= end
        )
        self.played += len(pcm)
        self._at = end
        if len(pcm) < self._frame_samples:
            pcm = np.concatenate((pcm, np.zeros(self._frame_samples - len(pcm), np.float32)))
        if end >= len(speech.pcm):
            self._breath = _HALF_BREATH if self._sentence.text.endswith((",", ";", ":", "—")) else _BREATH
            self._leave_sentence()
            if self.script is not None and self.script.over:
                self.script = None
        return SpokenFrame(self._ducking.apply(pcm, ducked=ducked), words, speaking=True)

    def _faded(self) -> SpokenFrame:
        assert self._fading is not None
        pcm = np.zeros(self._frame_samples, np.float32)
        tail = self._fading[: self._frame_samples]
        pcm[: len(tail)] = tail * np.linspace(1, 0, len(tail), dtype=np.float32)
        self._fading = None
        return SpokenFrame(self._ducking.apply(pcm, ducked=False), speaking=True)

    def _leave_sentence(self) -> None:
        self._sentence = None
        self._speech = None
        self._at = 0


def _speech_of(sentence: Sentence) -> Speech | None:
    """Finished speech that sounds; None: the voice failed, or there is nothing to be heard in it."""
    if sentence.speech.cancelled():
        return None
    if (error := sentence.speech.exception()) is not None:
        log.error("sentence-unsaid", characters=len(sentence.text), error=str(error))
        return None
    speech = sentence.speech.result()
    return speech if len(speech.pcm) else None
