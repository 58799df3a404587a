"""One batch of calls on one device: host arrays in, host arrays out, a whole tick at a time (torch).

The only owner of device memory. Knows rows; knows no calls, words or clock. One thread may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from kame_voice.core.nouns import Pcm
from kame_voice.front_end.kame.batch_state import BatchState
from kame_voice.front_end.kame.codec import Codec
from kame_voice.front_end.kame.errors import EngineFaulted
from kame_voice.front_end.kame.lm import UNREADY, FourStreamLM, StepInput, TextWithOracle
from kame_voice.front_end.kame.moshi_switches import set_moshi_switches
from kame_voice.front_end.kame.ring import fit_valid_rings
from kame_voice.front_end.kame.script import FREE
from kame_voice.front_end.kame.weights import Models

__all__ = ["FRAME", "Engine", "EngineOptions", "TickInput", "TickOutput"]

FRAME: Final = 1920
"""Samples of a frame: 80 ms at 24 kHz."""
_STREAMS: Final = 9


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine runs. `max_top_k` 0: greedy only.

    `reach_buckets`: lengths of ring that attention reads, ascending; the ring's own is added. Empty:
    always the whole ring. `batch_buckets`: batch sizes to run; the capacity is added. `graphs`: one
    CUDA graph for each pair of the two, captured at warm-up (CUDA only). `compile`: let moshi compile
    its small kernels.
    """

    capacity: int
    max_top_k: int = 250
    max_text_top_k: int = 25
    reach_buckets: tuple[int, ...] = ()
    batch_buckets: tuple[int, ...] = ()
    graphs: bool = True
    compile: bool = False


class TickInput:
    """The host's side of a tick, one row a slot; written by the runner between ticks.

    pcm [B, 1920] · oracle [B] · forced [B, 9] · active [B] · temperature, text_temperature [B] ·
    top_k, text_top_k, seed [B].
    """

    def __init__(self, capacity: int, *, pinned: bool) -> None:
        def host(*shape: int, dtype: Any, value: float = 0) -> Any:
            return torch.full(shape, value, dtype=dtype, pin_memory=pinned)

        self.tensors = {
            "pcm": host(capacity, FRAME, dtype=torch.float32),
            "oracle": host(capacity, dtype=torch.long, value=3),
            "forced": host(capacity, _STREAMS, dtype=torch.long, value=FREE),
            "active": host(capacity, dtype=torch.bool),
            "temperature": host(capacity, dtype=torch.float32),
            "text_temperature": host(capacity, dtype=torch.float32),
            "top_k": host(capacity, dtype=torch.long, value=1),
            "text_top_k": host(capacity, dtype=torch.long, value=1),
            "seed": host(capacity, dtype=torch.long),
        }
        views = {name: tensor.numpy() for name, tensor in self.tensors.items()}
        self.pcm: Pcm = views["pcm"]
        self.oracle: NDArray[np.int64] = views["oracle"]
        self.forced: NDArray[np.int64] = views["forced"]
        self.active: NDArray[np.bool_] = views["active"]
        self.temperature: NDArray[np.float32] = views["temperature"]
        self.text_temperature: NDArray[np.float32] = views["text_temperature"]
        self.top_k: NDArray[np.int64] = views["top_k"]
        self.text_top_k: NDArray[np.int64] = views["text_top_k"]
        self.seed: NDArray[np.int64] = views["seed"]


@dataclass(frozen=True, slots=True)
class TickOutput:
    """tokens [B, 9] int64 (`UNREADY` rows: nothing yet) and pcm [B, 1920]; rows that were not active
    hold nothing of meaning."""

    tokens: NDArray[np.int64]
    pcm: Pcm


class Engine:
    """`models` are taken over: they stream from now on, `options.capacity` rows wide."""

    def __init__(self, models: Models, options: EngineOptions) -> None:
        set_moshi_switches(compile_kernels=options.compile)
        self.options = options
        self.capacity = batch = options.capacity
        self.lm_model, self.mimi = models.lm, models.mimi
        self.device = torch.device(models.lm.device)
        self._cuda = self.device.type == "cuda"
        self.context: int = models.lm.context
        self.padding: int = models.lm.text_padding_token_id
        self.opening: int = models.lm.text_initial_token_id
        self.end_padding: int = models.lm.end_of_text_padding_id
        self.text_card: int = models.lm.text_card
        self.has_oracle = (
            isinstance(models.lm.text_emb, TextWithOracle) and models.lm.text_emb.oracle is not None
        )
        with torch.no_grad():
            self.lm_model.streaming_forever(batch)
            self.mimi.streaming_forever(batch)
            fit_valid_rings(self.lm_model.transformer)
            self._lm_state = BatchState([self.lm_model.transformer], batch)
            self._ear_state = BatchState(
                [self.mimi.encoder, self.mimi.encoder_transformer, self.mimi.downsample], batch
            )
            self._mouth_state = BatchState(
                [self.mimi.decoder, self.mimi.decoder_transformer, self.mimi.upsample], batch
            )
            self._lm = FourStreamLM(
                self.lm_model, batch, max_top_k=options.max_top_k, max_text_top_k=options.max_text_top_k
            )
            self._codec = Codec(self.mimi)
        self.input = TickInput(batch, pinned=self._cuda)
        self._given = {name: tensor.to(self.device) for name, tensor in self.input.tensors.items()}
        self._user = torch.zeros(batch, 8, dtype=torch.long, device=self.device)
        self._sounding = torch.zeros(batch, dtype=torch.bool, device=self.device)
        self._lm_state.share(self._given["active"])
        self._ear_state.share(self._given["active"])
        self._mouth_state.share(self._sounding)
        self._reaches = tuple(sorted({*(r for r in options.reach_buckets if r < self.context), self.context}))
        self._batches = tuple(sorted({*(b for b in options.batch_buckets if b < batch), batch}))
        self._out_tokens = torch.zeros(batch, _STREAMS + 1, dtype=torch.long, pin_memory=self._cuda)
        self._out_pcm = torch.zeros(batch, FRAME, pin_memory=self._cuda)
        self.age = np.zeros(batch, dtype=np.int64)
        self._graphs: dict[tuple[int, int], Any] = {}

    @property
    def batches(self) -> tuple[int, ...]:
        """The batch sizes that a tick may have, ascending."""
        return self._batches

    def warm_up(self) -> None:
        """Run every shape once, capture its graph, and wipe all rows: nothing is slow after this."""
        for batch in self._batches:
            for reach in self._reaches:
                self.age[:] = reach - 1
                for _ in range(2):
                    self._launch(batch, reach)
                if self._cuda and self.options.graphs:
                    self._capture(batch, reach)
        self.wipe(np.ones(self.capacity, dtype=np.bool_))

    def pretend_age(self, steps: int) -> None:
        """Make every row look `steps` old, what it remembers being noise: for measuring full rings."""
        with torch.no_grad():
            self._lm_state.set_position(steps)
            self._lm.steps.fill_(steps)
        self.age[:] = steps

    def close(self) -> None:
        """Let the models go, so that another engine may take them."""
        self._graphs.clear()
        for model in (self.lm_model, self.lm_model.depformer, self.mimi):
            model._stop_streaming()

    def wipe(self, rows: NDArray[np.bool_], *, codec: bool = True) -> None:
        """Forget everything of the rows of mask [B]; `codec` false: keep Mimi's state (a re-primed call)."""
        with torch.no_grad():
            mask = torch.from_numpy(rows).to(self.device)
            self._lm.wipe(mask)
            self._lm_state.wipe(mask)
            if codec:
                self._ear_state.wipe(mask)
                self._mouth_state.wipe(mask)
        self.age[rows] = 0

    def tick(self, batch: int | None = None) -> TickOutput:
        """Step the active rows of `input`; only the first `batch` rows may be active (None: all).

        Raises EngineFaulted where the device fails or a row computes NaN or infinity; the engine is
        then to be thrown away.
        """
        batch = batch or self.capacity
        active = self.input.active[:batch]
        oldest = int(self.age[:batch][active].max(initial=0))
        reach = next(length for length in self._reaches if length > min(oldest, self.context - 1))
        try:
            with torch.no_grad():
                for name, tensor in self._given.items():
                    tensor[:batch].copy_(self.input.tensors[name][:batch], non_blocking=True)
                graph = self._graphs.get((batch, reach))
                if graph is None:
                    tokens, pcm = self._run(batch, reach)
                else:
                    graph[0].replay()
                    tokens, pcm = graph[1], graph[2]
                self._out_tokens[:batch].copy_(tokens, non_blocking=True)
                self._out_pcm[:batch].copy_(pcm, non_blocking=True)
                if self._cuda:
                    torch.cuda.current_stream(self.device).synchronize()
        except RuntimeError as error:
            raise EngineFaulted(f"the device failed: {str(error)[:300]}", where=str(self.device)) from error
        self.age[:batch][active] += 1
        shown = self._out_tokens[:batch].numpy()
        broken = active & (shown[:, _STREAMS] == 0)
        if broken.any():
            raise EngineFaulted(
                f"rows {np.flatnonzero(broken).tolist()} computed NaN or infinity", where=str(self.device)
            )
        return TickOutput(shown[:, :_STREAMS].copy(), self._out_pcm[:batch].numpy().copy())

    def step_codes(self, user: NDArray[np.int64]) -> NDArray[np.int64]:
        """One step of the language model alone, on caller codes `user` [B, 8]: for replays."""
        with torch.no_grad():
            for name, tensor in self._given.items():
                tensor.copy_(self.input.tensors[name])
            self._lm_state.use(self.capacity)
            oldest = int(self.age[self.input.active].max(initial=0))
            self._lm_state.reach(next(r for r in self._reaches if r > min(oldest, self.context - 1)))
            tokens, finite = self._lm.step(self._step_input(torch.from_numpy(user).to(self.device)))
        if not bool((finite | ~self._given["active"]).all()):
            raise EngineFaulted("a row computed NaN or infinity", where=str(self.device))
        self.age[self.input.active] += 1
        result: NDArray[np.int64] = tokens.cpu().numpy()
        return result

    def _launch(self, batch: int, reach: int) -> None:
        with torch.no_grad():
            self._run(batch, reach)

    def _run(self, batch: int, reach: int) -> tuple[Any, Any]:
        """Mimi → LM → Mimi for the first rows, from and into device memory only."""
        for state in (self._lm_state, self._ear_state, self._mouth_state):
            state.use(batch)
        self._lm_state.reach(reach)
        user = self._codec.encode(self._given["pcm"][:batch])
        tokens, finite = self._lm.step(self._step_input(user).narrow(batch))
        self._sounding[:batch].copy_(tokens[:, 1] != UNREADY)
        pcm = self._codec.decode(tokens[:, 1:])
        return torch.cat((tokens, finite[:, None].to(tokens.dtype)), dim=1), pcm

    def _step_input(self, user: Any) -> StepInput:
        given = self._given
        return StepInput(
            user,
            given["oracle"],
            given["forced"],
            given["active"],
            given["temperature"],
            given["text_temperature"],
            given["top_k"],
            given["text_top_k"],
            given["seed"],
        )

    def _capture(self, batch: int, reach: int) -> None:
        torch.cuda.synchronize(self.device)
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._graphs.values()))[0].pool() if self._graphs else None
        with torch.no_grad(), torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            tokens, pcm = self._run(batch, reach)
        self._graphs[batch, reach] = (graph, tokens, pcm)
