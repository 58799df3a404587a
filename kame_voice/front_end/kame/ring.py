"""The keys and values of past steps, read only as far as any call has written them (torch).

The stock ring hands attention all of its 3000 places at every step. Attention is bound by reading
them, and a call that is 30 s old has filled one eighth. This ring hands out the first `reach`
places, which the engine raises as calls grow older; once a call has filled the ring it is whole.
"""

from __future__ import annotations

from typing import Any

import torch
from moshi.modules.transformer import KVCacheResult, StreamingMultiheadAttention

__all__ = ["ValidRing", "fit_valid_rings"]


class ValidRing:
    """Stands in for moshi's `RingKVCache`, of which it takes over the memory.

    `cache` [2, B, heads, capacity, dim], `end_offset` [B]: steps written so far. `reach` is a host
    number: no row may have `min(steps + 1, capacity)` greater.
    """

    def __init__(self, cache: Any, end_offset: Any) -> None:
        self.cache = cache
        self.end_offset = end_offset
        self.capacity: int = cache.shape[3]
        self.reach = self.capacity

    def narrow(self, batch: int) -> ValidRing:
        """The first `batch` rows of the same memory."""
        ring = ValidRing(self.cache[:, :batch], self.end_offset[:batch])
        ring.reach = self.reach
        return ring

    def reset(self, reset_mask: Any) -> None:
        """Forget the rows of `reset_mask` [B]: what they wrote is out of sight, not zeroed."""
        self.end_offset.masked_fill_(reset_mask, 0)

    def complete(self, k: Any, v: Any, exec_mask: Any) -> Any:
        """Write this step's `k`, `v` [B, heads, 1, dim] and return what attention may see.

        A row that does not step overwrites a place that it will write again when it does.
        """
        batch, heads, steps, dim = k.shape
        assert steps == 1, "this ring takes one step at a time"
        last = self.end_offset[:, None]
        end = last % self.capacity
        place = end.view(batch, 1, 1, 1).expand(batch, heads, 1, dim)
        self.cache[0].scatter_(2, place, k.to(self.cache.dtype))
        self.cache[1].scatter_(2, place, v.to(self.cache.dtype))
        seen = torch.arange(self.reach, device=k.device)
        positions = last + seen - end
        positions = torch.where(seen > end, positions - self.capacity, positions)
        positions = positions.clamp(min=-1)
        self.end_offset.add_(exec_mask.to(self.end_offset.dtype))
        reach = self.cache[:, :, :, : self.reach].to(k.dtype)
        return KVCacheResult(reach[0], reach[1], positions)


def fit_valid_rings(model: Any) -> list[ValidRing]:
    """Swap the stock rings of a streaming main transformer for `ValidRing`s; returns them."""
    rings = []
    for module in model.modules():
        if isinstance(module, StreamingMultiheadAttention) and not module.weights_per_step:
            state = module._streaming_state
            if state is not None and state.kv_cache is not None:
                state.kv_cache = ValidRing(state.kv_cache.cache, state.kv_cache.end_offset)
                rings.append(state.kv_cache)
    return rings
