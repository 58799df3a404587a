"""How many calls a card holds: arithmetic on sizes, no device needed. Pure.

What it leaves out is measured by `kame-voice engine bench`: launch gaps, kernels short of the card's
bandwidth, host copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kame_voice.front_end.kame.configs import ModelShape

__all__ = ["Card", "Forecast", "forecast", "parameters"]

_MIMI_WEIGHTS: Final = 0.36 * 2**30
"""Mimi's 96 million parameters in float32."""
_MIMI_A_CALL: Final = 20 * 2**20
"""Keys and values of Mimi's two transformers (16 layers · 250 places · 512 · 2 · float32 = 16.4 MB) and its
convolutions' tails."""
_RESERVE: Final = 4 * 2**30
"""CUDA context, graphs, work space and the allocator's slack: an allowance, not a measurement."""
_BUDGET_S: Final = 0.08


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU: memory in bytes, bandwidth in bytes a second, dense bf16 rate in FLOP a second."""

    memory: float
    bandwidth: float = 4.3e12
    flops: float = 7.9e14


@dataclass(frozen=True, slots=True)
class Forecast:
    """`by_memory` and `by_time` calls fit; `calls` is the lesser. `step_s` is the floor of a step with
    that many calls whose rings are full."""

    calls: int
    by_memory: int
    by_time: int
    weights: float
    ring_a_call: float
    step_s: float


def parameters(shape: ModelShape) -> float:
    """Parameters of the language model, oracle table included."""
    dim, depth = shape.dim, shape.depth_dim
    layer = 4 * dim * dim + 3 * dim * _gate(dim)
    depth_layer = 8 * (4 * depth * depth + 3 * depth * _gate(depth))
    tables = 16 * (shape.card + 1) * dim + 3 * shape.text_card * dim
    depth_tables = 7 * (shape.card + 1) * depth + shape.text_card * depth
    heads = 8 * dim * depth + 8 * depth * shape.card
    return shape.layers * layer + shape.depth_layers * depth_layer + tables + depth_tables + heads


def _gate(dim: int) -> int:
    return 2 * int(4.125 * dim) // 3


def forecast(shape: ModelShape, card: Card, *, context: int, width: int = 2) -> Forecast:
    """What `card` holds when each call remembers `context` steps, weights and ring of `width` bytes."""
    count = parameters(shape)
    weights = count * width
    ring = 2.0 * shape.layers * shape.dim * context * width
    free = card.memory - weights - _MIMI_WEIGHTS - _RESERVE
    by_memory = max(0, int(free // (ring + _MIMI_A_CALL)))
    moved = weights + _MIMI_WEIGHTS
    a_call_s = max(ring / card.bandwidth, 0.0) + 2 * count / card.flops
    by_time = max(0, int((_BUDGET_S - moved / card.bandwidth) // a_call_s))
    calls = min(by_memory, by_time)
    return Forecast(calls, by_memory, by_time, weights, ring, moved / card.bandwidth + calls * a_call_s)
