"""Builds the `kame` front end from the settings; torch and moshi are imported when its engine is."""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from kame_voice.core.clock import monotonic
from kame_voice.core.nouns import OracleMode
from kame_voice.core.settings import Settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.front_end.kame.call_state import Rules, Vocabulary
from kame_voice.front_end.kame.checkpoint import find_checkpoint
from kame_voice.front_end.kame.errors import CheckpointError, EngineMissing
from kame_voice.front_end.kame.front_end import KameFrontEnd
from kame_voice.front_end.kame.scribe_seam import Synthesizer

__all__ = ["LoadedEngine", "build_kame_front_end", "load_engine", "priming_rules"]

_BUCKET_STEPS: Final = (375, 750, 1500)


@dataclass(slots=True)
class LoadedEngine:
    """An engine with its scribe and vocabulary; see `front_end.Built`."""

    engine: Any
    scribe: Any
    vocabulary: Vocabulary
    rules: Rules
    release_memory: Callable[[], None]

    def warm_up(self) -> None:
        """Run every shape once."""
        self.engine.warm_up()

    def close(self) -> None:
        """Give the device's memory back."""
        self.scribe.close()
        self.engine = self.scribe = None
        self.release_memory()


def build_kame_front_end(settings: Settings, telemetry: Telemetry, synthesize: Synthesizer) -> KameFrontEnd:
    """The front end of `settings`; its weights are loaded by its `run`.

    Raises EngineMissing where the extra is not installed, CheckpointError for weights that are not
    there or not whole.
    """
    missing = [name for name in ("torch", "moshi", "sentencepiece") if importlib.util.find_spec(name) is None]
    if missing:
        raise EngineMissing(
            f"{', '.join(missing)} not installed",
            where="KAME_FRONT_END=kame",
            do="pip install 'kame-voice[gpu]'",
        )
    return KameFrontEnd(
        lambda: load_engine(settings, synthesize),
        settings.capacity,
        synthesize,
        telemetry,
        clock=monotonic,
    )


def priming_rules(context: int) -> Rules:
    """Re-prime at the first quiet moment once three quarters of the ring are full, and before it wraps."""
    return Rules(soft=context * 3 // 4, hard=context - max(2, context // 60))


def load_engine(settings: Settings, synthesize: Synthesizer) -> LoadedEngine:
    """Find, check and load the weights and make the engine. Slow."""
    import torch

    from kame_voice.front_end.kame.engine import Engine, EngineOptions
    from kame_voice.front_end.kame.scribe import Scribe
    from kame_voice.front_end.kame.weights import load_models

    device = settings.engine_device
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise EngineMissing(
            "there is no CUDA device",
            where="engine_device",
            do="mend the driver, or set KAME_ENGINE_DEVICE=cpu",
        )
    on_gpu = device.startswith("cuda")
    names = {"auto": torch.bfloat16 if on_gpu else torch.float32}
    names |= {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if settings.engine_dtype not in names:
        raise CheckpointError(
            f"{settings.engine_dtype!r} is no dtype", where="engine_dtype", do="auto, bfloat16 or float32"
        )
    checkpoint = find_checkpoint(
        settings.engine_weights, revision=settings.engine_revision, offline=settings.engine_offline
    )
    models = load_models(
        checkpoint,
        device=device,
        dtype=names[settings.engine_dtype],
        oracle=settings.oracle is not OracleMode.OFF,
        context=settings.engine_context,
    )
    assert models.text is not None, "a checkpoint has a vocabulary"
    vocabulary = Vocabulary(
        models.text,
        padding=models.lm.text_padding_token_id,
        end_padding=models.lm.end_of_text_padding_id,
        opening=models.lm.text_initial_token_id,
        card=min(models.lm.text_card, models.text.size),
    )
    scribe = Scribe(models.mimi, synthesize, vocabulary)
    buckets = tuple(size for size in (8, 16, 32, 48, 64, 96, 128) if size < settings.capacity)
    options = EngineOptions(
        settings.capacity,
        reach_buckets=_BUCKET_STEPS if on_gpu else (),
        batch_buckets=buckets if on_gpu else (),
    )
    engine = Engine(models, options)

    def release_memory() -> None:
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()

    return LoadedEngine(engine, scribe, vocabulary, priming_rules(engine.context), release_memory)
