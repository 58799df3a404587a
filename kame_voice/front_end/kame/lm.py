"""The four-stream step: caller audio, own text, own audio and the oracle, for a batch of calls (torch).

Drives the stock `moshi` `LMModel`. Where its `LMGen` takes one sampling rule and one state for all,
this takes per-row activity, oracle tokens, forced tokens, temperature, top-k and seed. Nothing here
synchronises with the host, so a whole step can be captured in one CUDA graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kame_voice.front_end.kame.batch_state import BatchState
from kame_voice.front_end.kame.sampling import choose
from kame_voice.front_end.kame.script import FREE

__all__ = ["UNREADY", "FourStreamLM", "StepInput", "TextWithOracle"]

UNREADY = -2
"""In a step's output: nothing to return yet (acoustic delay), or the row did not step."""


class TextWithOracle(nn.Module):  # type: ignore[misc]
    """The fourth stream's table, added to the text embedding: text_emb(t) + oracle_emb(o).

    The oracle tokens of the step lie in `tokens` [B, 1]; −1 adds nothing (no oracle stream).
    """

    def __init__(self, text: Any, oracle: Any | None) -> None:
        super().__init__()
        self.text = text
        self.oracle = oracle
        self.tokens: Any = None

    def forward(self, text_tokens: Any) -> Any:
        embedded = self.text(text_tokens)
        return embedded if self.oracle is None else embedded + self.oracle(self.tokens)


@dataclass(slots=True)
class StepInput:
    """One step of B rows, on the model's device. Rows of `active` false are left as they are.

    user [B, 8] int64 caller codes · oracle [B] int64 · forced [B, 9] int64 (`FREE`: sample) ·
    active [B] bool · temperature, text_temperature [B] float32 · top_k, text_top_k, seed [B] int64.
    """

    user: Any
    oracle: Any
    forced: Any
    active: Any
    temperature: Any
    text_temperature: Any
    top_k: Any
    text_top_k: Any
    seed: Any

    def narrow(self, batch: int) -> StepInput:
        """The first `batch` rows, without copying."""
        return StepInput(*(getattr(self, name)[:batch] for name in self.__slots__))


class FourStreamLM:
    """`model`: a stock LMModel whose `text_emb` is a `TextWithOracle`, already streaming."""

    def __init__(self, model: Any, batch: int, *, max_top_k: int, max_text_top_k: int) -> None:
        device = model.device
        self.model = model
        self.max_top_k = max_top_k
        self.max_text_top_k = max_text_top_k
        self.delays = torch.tensor(model.delays, device=device)[:, None]
        self.max_delay = max(model.delays)
        self.span = self.max_delay + 2
        self.start = model._get_initial_token()
        self.cache = torch.full((batch, model.num_codebooks, self.span), UNREADY, device=device)
        self.steps = torch.zeros(batch, device=device, dtype=torch.long)
        # One depth state for good, rewound every step: the stock engine allocates and clears one a step.
        model.depformer.streaming_forever(batch)
        self.depth_state = BatchState([model.depformer], batch)

    def wipe(self, rows: Any) -> None:
        """Forget the rows of the mask `rows` [B]; the transformer's own state is wiped by its owner."""
        self.steps.masked_fill_(rows, 0)
        self.cache.masked_fill_(rows[:, None, None], UNREADY)

    def step(self, given: StepInput) -> tuple[Any, Any]:
        """Advance the active rows among the first B. Returns tokens [B, 9] and finite [B].

        Tokens: text, then 8 audio codes of one frame; `UNREADY` in a row's first step and where it
        is not active. `finite` false: that row's logits hold NaN or infinity.
        """
        batch = given.active.shape[0]
        cache, steps = self.cache[:batch], self.steps[:batch]
        model, active = self.model, given.active[:, None, None]
        own = model.dep_q + 1
        self._write(cache[:, own:], steps[:, None, None] + self.delays[own:], given.user[:, :, None], active)
        fresh = (steps[:, None, None] <= self.delays) | ~active
        here = (steps % self.span)[:, None, None].expand(batch, model.num_codebooks, 1)
        tokens = torch.where(fresh, self.start, cache.gather(2, here))
        if isinstance(model.text_emb, TextWithOracle):
            model.text_emb.tokens = given.oracle[:, None]
        hidden, text_logits = model.forward_text(tokens)
        text_logits = text_logits[:, 0, 0].float()
        finite = torch.isfinite(text_logits).all(dim=-1)
        text = self._settle(
            choose(
                text_logits,
                given.text_temperature,
                given.text_top_k,
                given.seed,
                steps,
                0,
                self.max_text_top_k,
            ),
            given.forced[:, 0],
        )
        audio, audio_finite = self._depth(text, hidden, given, steps)
        steps.add_(given.active.to(steps.dtype))
        self._write(
            cache[:, :own], steps[:, None, None], torch.cat((text[:, None], audio), 1)[:, :, None], active
        )
        shown = cache[:, :own].gather(
            2, (steps[:, None, None] - self.max_delay + self.delays[:own]) % self.span
        )
        unready = (steps <= self.max_delay) | ~given.active
        return shown[:, :, 0].masked_fill(unready[:, None], UNREADY), finite & audio_finite

    def _depth(self, text: Any, hidden: Any, given: StepInput, steps: Any) -> tuple[Any, Any]:
        """The eight audio codes [B, 8] of this step, each given those before it."""
        model, previous, codes = self.model, text, []
        finite = torch.ones_like(given.active)
        self.depth_state.use(text.shape[0])
        self.depth_state.rewind()
        for stream in range(model.dep_q):
            logits = model.forward_depformer(stream, previous[:, None, None], hidden)[:, 0, 0].float()
            finite = finite & torch.isfinite(logits).all(dim=-1)
            chosen = choose(
                logits, given.temperature, given.top_k, given.seed, steps, 1 + stream, self.max_top_k
            )
            previous = self._settle(chosen, given.forced[:, 1 + stream])
            codes.append(previous)
        return torch.stack(codes, dim=1), finite

    @staticmethod
    def _settle(chosen: Any, forced: Any) -> Any:
        return torch.where(forced == FREE, chosen, forced)

    def _write(self, cache: Any, positions: Any, values: Any, active: Any) -> None:
        places = (positions % self.span).expand(values.shape)
        cache.scatter_(2, places, torch.where(active, values, cache.gather(2, places)))
