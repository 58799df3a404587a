"""A checkpoint folder with random weights: for tests and for trying the engine out on a CPU (torch)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Final

import sentencepiece
import torch
from safetensors.torch import save_file

from kame_voice.front_end.kame.configs import CONFIGS, ModelShape, mimi_config
from kame_voice.front_end.kame.weights import random_models

__all__ = ["make_checkpoint"]

_CORPUS: Final = (
    "hello thank you for calling how can i help you today",
    "we are open from nine in the morning until five in the afternoon every day but sunday",
    "the address is twelve main street next to the station and there is parking behind the house",
    "one moment please let me check that for you",
    "is there anything else goodbye and have a nice day",
    "a table for four at half past seven on friday would that be all right",
)


def make_checkpoint(
    folder: Path, shape: ModelShape = CONFIGS["tiny"], *, seed: int = 0, oracle: bool = True
) -> Path:
    """Write config.json, model.safetensors, Mimi and a text vocabulary of `shape` into `folder`.

    It babbles. `oracle` false leaves the fourth stream's table out, as a plain Moshi checkpoint does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = random_models(shape, device="cpu", dtype=torch.float32, seed=seed)
    tensors: dict[str, Any] = {}
    for name, tensor in models.lm.state_dict().items():
        renamed = name.replace("text_emb.text.", "text_emb.") if name.startswith("text_emb.") else name
        renamed = (
            renamed.replace("text_emb.oracle.", "oracle_emb.") if name.startswith("text_emb.") else renamed
        )
        if oracle or not renamed.startswith("oracle_emb."):
            tensors[renamed] = tensor.contiguous()
    save_file(tensors, str(folder / "model.safetensors"))
    codec = {name: tensor.contiguous().clone() for name, tensor in models.mimi.state_dict().items()}
    save_file(codec, str(folder / "mimi.safetensors"))
    config = shape.lm_config() | {"mimi_name": "mimi.safetensors", "tokenizer_name": "text.model"}
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    (folder / "mimi_config.json").write_text(
        json.dumps(mimi_config(shape.mimi_width, shape.card)), encoding="utf-8"
    )
    (folder / "text.model").write_bytes(_vocabulary(shape.text_card))
    return folder


def _vocabulary(card: int) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_CORPUS * 4),
        model_writer=model,
        model_type="unigram",
        vocab_size=min(card, 200),
        hard_vocab_limit=False,
        character_coverage=1.0,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        pad_piece="<pad>",
        minloglevel=2,
        num_threads=1,
    )
    return model.getvalue()
