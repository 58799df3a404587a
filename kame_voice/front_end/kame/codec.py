"""Mimi both ways for a batch of calls: caller audio to codes, the agent's codes to audio (torch, moshi)."""

from __future__ import annotations

from typing import Any

__all__ = ["Codec"]


class Codec:
    """`mimi`: a stock MimiModel with 8 codebooks, already streaming."""

    def __init__(self, mimi: Any) -> None:
        self.mimi = mimi
        self._first = mimi.downsample.conv._streaming_state.first

    def encode(self, pcm: Any) -> Any:
        """Codes [B, 8] int64 of one frame `pcm` [B, frame] float32; masked rows keep their state."""
        codes = self.mimi.encode(pcm[:, None])[:, :, 0]
        state = self.mimi.downsample.conv._streaming_state
        if state.first is not self._first:
            # The stock code rebinds this one tensor instead of writing into it: a captured graph, and
            # the wiping of one row, would go on with the old one.
            self._first[: state.first.shape[0]].copy_(state.first)
            state.first = self._first[: state.first.shape[0]]
        return codes

    def decode(self, codes: Any) -> Any:
        """One frame [B, frame] float32 of `codes` [B, 8]; codes out of range are held in range."""
        known = codes.clamp(0, self.mimi.cardinality - 1)
        return self.mimi.decode(known[:, :, None])[:, 0]
