"""Choosing tokens for many calls at once, each with its own temperature, top-k and seed (torch).

Noise is a function of (seed, step, stream, rank), not of a shared generator: a call draws the same
tokens alone or in any batch, and again when it is replayed.
"""

from __future__ import annotations

from typing import Any, Final

import torch

__all__ = ["choose", "uniform_noise"]

_LOW32: Final = 0xFFFFFFFF


def _mix(value: Any) -> Any:
    """The 32-bit finaliser of MurmurHash3, on int64 tensors that hold 32-bit values."""
    value = value ^ (value >> 16)
    value = (value * 0x85EBCA6B) & _LOW32
    value = value ^ (value >> 13)
    value = (value * 0xC2B2AE35) & _LOW32
    return value ^ (value >> 16)


def uniform_noise(seeds: Any, steps: Any, stream: int, width: int) -> Any:
    """Noise in (0, 1), [B, width] float32, from int64 `seeds` and `steps` [B] and the stream's number."""
    ranks = torch.arange(width, device=seeds.device, dtype=torch.long)
    key = _mix((seeds ^ (seeds >> 32)) & _LOW32)
    key = _mix((key + steps * 0x9E3779B1 + stream * 0x7FEB352D) & _LOW32)
    bits = _mix((key[:, None] ^ _mix((ranks * 0x27D4EB2F + 0x165667B1) & _LOW32)) & _LOW32)
    return ((bits >> 8).float() + 0.5) * (1.0 / (1 << 24))


def choose(
    logits: Any, temperature: Any, top_k: Any, seeds: Any, steps: Any, stream: int, max_top_k: int
) -> Any:
    """One token a row, int64 [B], from float32 `logits` [B, card].

    `temperature` [B] float32: 0 takes the likeliest token. `top_k` [B] int64 is held to
    1 … `max_top_k`. Exponential races (Gumbel-max) stand in for a multinomial draw, so nothing
    synchronises with the host.
    """
    greedy = logits.argmax(dim=-1)
    if max_top_k == 0:
        return greedy
    width = min(max_top_k, logits.shape[-1])
    best, tokens = torch.topk(logits, width, dim=-1)
    warm = temperature.clamp(min=1e-4)[:, None]
    ranks = torch.arange(width, device=logits.device)
    best = best.masked_fill(ranks[None, :] >= top_k.clamp(min=1)[:, None], float("-inf"))
    race = torch.softmax(best / warm, dim=-1) / -torch.log(uniform_noise(seeds, steps, stream, width))
    drawn = tokens.gather(-1, race.argmax(dim=-1, keepdim=True))[:, 0]
    return torch.where(temperature > 0, drawn, greedy)
