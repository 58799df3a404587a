"""Voice activity by silero v6: how likely speech sounds in each 32 ms. Does not know turns or echo."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from kame_voice.core.errors import KameError

__all__ = ["VAD_CHUNK", "VAD_RATE", "VadMissing", "VadStream", "VoiceActivity", "VoiceDetector"]

VAD_RATE: Final = 16_000
"""Hz of the audio that the model reads."""

VAD_CHUNK: Final = 512
"""Samples of one chunk, 32 ms: the only length the model was trained on at 16 kHz."""

_CONTEXT: Final = 64
"""Samples of the previous chunk that the model reads ahead of each chunk."""

_NO_VOICE: Final = 0.35
"""Silero's own threshold below which there is no voice."""

_FORGETS_AFTER: Final = 2_000 * VAD_RATE // 1000 // VAD_CHUNK
"""Chunks without voice, 2 s, after which the model begins anew. Its memory drifts where nobody speaks: after
8 s of silence it finds half of a voice, after a minute none of it (15 synthetic and 3 recorded sentences,
with and without noise on the line); after up to 4 s it hears as well as at first."""


class VadMissing(KameError):
    """The voice activity model cannot be found or read."""

    code = "vad-missing"


class VadStream(Protocol):
    """One call's place in the detector: it remembers what came before."""

    def probability(self, chunk: NDArray[np.float32]) -> float:
        """How likely speech sounds in `chunk`, [512] at 16 kHz; 0..1."""
        ...


class VoiceDetector(Protocol):
    """Whoever opens `VadStream`s; one a process."""

    def stream(self) -> VadStream: ...


def _bundled_model() -> Path:
    """The model that faster-whisper ships, found without importing that (heavy) package."""
    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise VadMissing(
            "the silero model comes with faster-whisper, which is not installed",
            where="hearing",
            do="pip install faster-whisper",
        )
    return Path(spec.origin).parent / "assets" / "silero_vad_v6.onnx"


class VoiceActivity:
    """The model, loaded once a process and shared by all calls; safe to use from any thread.

    Raises `VadMissing` when `model` (default: the one faster-whisper ships) is absent or unreadable.
    """

    def __init__(self, model: Path | None = None) -> None:
        path = model or _bundled_model()
        if not path.is_file():
            raise VadMissing("there is no such model", where=str(path), do="reinstall faster-whisper 1.2")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no base class but Exception
            raise VadMissing(
                f"the model cannot be read ({error})", where=str(path), do="reinstall faster-whisper 1.2"
            ) from error
        self._session = session

    def stream(self) -> VadStream:
        """A fresh stream that has heard nothing."""
        return _SileroStream(self._session)


class _SileroStream:
    """The recurrent state of one call."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._input = np.zeros((1, _CONTEXT + VAD_CHUNK), np.float32)
        self._forget()

    def _forget(self) -> None:
        self._state = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._without_voice = 0

    def probability(self, chunk: NDArray[np.float32]) -> float:
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = chunk
        speech, self._state, self._cell = self._session.run(
            None, {"input": self._input, "h": self._state, "c": self._cell}
        )
        probability = float(speech[0])
        self._without_voice = self._without_voice + 1 if probability < _NO_VOICE else 0
        if self._without_voice >= _FORGETS_AFTER:
            self._forget()
        return probability
