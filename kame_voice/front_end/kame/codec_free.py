"""The smallest Mimi there is, for replays that bring codes of their own (torch, moshi)."""

from __future__ import annotations

from typing import Any

from moshi.models import loaders

from kame_voice.front_end.kame.configs import mimi_config

__all__ = ["codec_free"]


def codec_free(device: str) -> Any:
    """A random Mimi of the least width; never asked for sound."""
    return loaders.get_mimi(None, mimi_config(0.03125, 32), device=device, num_codebooks=8)
