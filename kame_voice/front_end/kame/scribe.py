"""Exact words made into forced tokens: synthesised, encoded by Mimi, text laid beside them (torch).

Works beside the stepping thread on a copy of Mimi that shares its weights and has no streaming state.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from kame_voice.core.nouns import Pcm
from kame_voice.front_end.kame.call_state import Vocabulary
from kame_voice.front_end.kame.engine import FRAME
from kame_voice.front_end.kame.moshi_switches import set_moshi_switches
from kame_voice.front_end.kame.scribe_seam import Synthesizer
from kame_voice.front_end.kame.script import ForcedScript, PlacedWord, text_track

__all__ = ["Scribe"]

_LEAD_FRAMES: Final = 1
_TRAIL_FRAMES: Final = 2
"""Silence around the words, so that the model finds a pause on either side."""
_KEPT: Final = 256


class Scribe:
    """Writes scripts, one after another; texts said before are remembered.

    Make it before `mimi` starts to stream.
    """

    def __init__(self, mimi: Any, synthesize: Synthesizer, vocabulary: Vocabulary) -> None:
        shared = {id(part): part for part in (*mimi.parameters(), *mimi.buffers())}
        set_moshi_switches()
        self._mimi = copy.deepcopy(mimi, shared)
        self._device = next(mimi.parameters()).device
        self._synthesize = synthesize
        self._vocabulary = vocabulary
        self._kept: OrderedDict[str, tuple[NDArray[np.int64], NDArray[np.int64], tuple[PlacedWord, ...]]]
        self._kept = OrderedDict()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kame scribe")

    def write(self, text: str, *, interruptible: bool) -> Future[ForcedScript]:
        """The script of `text`; the future holds whatever the synthesiser raised. Never blocks."""
        return self._worker.submit(self._script, text, interruptible)

    def close(self) -> None:
        """Finish nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _script(self, text: str, interruptible: bool) -> ForcedScript:
        if text not in self._kept:
            speech = self._synthesize(text).result(timeout=30)
            self._kept[text] = self._compose(speech.pcm, speech.words)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(text)
        codes, track, words = self._kept[text]
        return ForcedScript(codes, track, words, interruptible)

    def _compose(
        self, pcm: Pcm, words: Sequence[tuple[str, int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[PlacedWord, ...]]:
        voiced = -(-len(pcm) // FRAME)
        frames = _LEAD_FRAMES + voiced + _TRAIL_FRAMES
        sound = np.zeros(frames * FRAME, dtype=np.float32)
        sound[_LEAD_FRAMES * FRAME : _LEAD_FRAMES * FRAME + len(pcm)] = pcm
        placed, tokens, start = [], [], 0
        for word, end in words:
            first = _LEAD_FRAMES + min(start // FRAME, max(0, voiced - 1))
            last = _LEAD_FRAMES + min(max(0, end - 1) // FRAME, max(0, voiced - 1))
            placed.append(PlacedWord(word, first, max(first, last)))
            tokens.append((first, self._vocabulary.pieces.encode(word)))
            start = end
        track = text_track(
            tokens, frames, padding=self._vocabulary.padding, end_padding=self._vocabulary.end_padding
        )
        return self._encode(sound), track, tuple(placed)

    def _encode(self, sound: Pcm) -> NDArray[np.int64]:
        with torch.no_grad():
            samples = torch.from_numpy(sound).to(self._device)[None, None]
            codes: NDArray[np.int64] = self._mimi.encode(samples)[0].T.contiguous().cpu().numpy()
        return codes
