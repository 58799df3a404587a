"""A checkpoint's files made into models on a device (torch, moshi)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sentencepiece
import torch
from moshi.models import loaders
from moshi.models.lm import LMModel
from moshi.models.lm_utils import ScaledEmbedding
from safetensors import SafetensorError, safe_open

from kame_voice.front_end.kame.checkpoint import Checkpoint, TensorHeader, read_header
from kame_voice.front_end.kame.configs import ModelShape, mimi_config
from kame_voice.front_end.kame.errors import CheckpointError, NotEnoughRoom
from kame_voice.front_end.kame.lm import TextWithOracle

__all__ = ["Models", "SentencePieces", "load_lm", "load_models", "random_models"]

_NOT_FOR_THE_MODEL: Final = frozenset(
    {
        *("moshi_name", "mimi_name", "mimi_config_name", "tokenizer_name", "lora_name", "model_type"),
        *("lm_gen_config", "tts_config", "stt_config", "model_id", "depformer_causal", "lora"),
        *("lora_rank", "lora_scaling", "quantize", "conditioners", "fuser"),
    }
)
_BYTES: Final = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "BF16": 2, "F16": 2}
_ORACLE: Final = "oracle_emb."


class SentencePieces:
    """A SentencePiece vocabulary file as `TextTokens`."""

    def __init__(self, path: Path) -> None:
        try:
            self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise CheckpointError("is not a SentencePiece model", where=str(path)) from error

    @property
    def size(self) -> int:
        """How many pieces there are."""
        return int(self._pieces.get_piece_size())

    def encode(self, text: str) -> list[int]:
        return list(self._pieces.encode(text))

    def decode(self, tokens: Any) -> str:
        return str(self._pieces.decode([int(token) for token in tokens]))

    def starts_word(self, token: int) -> bool:
        return bool(self._pieces.id_to_piece(token).startswith("\u2581"))


@dataclass(slots=True)
class Models:
    """What one engine runs. `text` is None for random weights of a known size."""

    lm: Any
    mimi: Any
    text: SentencePieces | None


def load_models(checkpoint: Checkpoint, *, device: str, dtype: Any, oracle: bool, context: int = 0) -> Models:
    """Load and check everything. `context` > 0 overrides the ring's length. Raises CheckpointError,
    NotEnoughRoom."""
    read_header(checkpoint.mimi)
    text = SentencePieces(checkpoint.text)
    if text.size > checkpoint.config.get("text_card", text.size):
        raise CheckpointError(f"has {text.size} pieces, more than the model", where=str(checkpoint.text))
    lm = load_lm(checkpoint.lm, checkpoint.config, device=device, dtype=dtype, oracle=oracle, context=context)
    try:
        mimi = loaders.get_mimi(str(checkpoint.mimi), checkpoint.mimi_config, device=device, num_codebooks=8)
    except (RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"does not fit Mimi: {str(error)[:300]}", where=str(checkpoint.mimi)) from error
    return Models(lm, mimi, text)


def load_lm(
    path: Path, config: dict[str, Any], *, device: str, dtype: Any, oracle: bool, context: int = 0
) -> Any:
    """The four-stream model in `path`. A plain Moshi checkpoint gets a copy of its text table as the
    oracle's; `oracle` false leaves the fourth stream out."""
    header = read_header(path)
    kwargs = {key: value for key, value in config.items() if key not in _NOT_FOR_THE_MODEL}
    if context:
        kwargs["context"] = context
    try:
        model = LMModel(device=torch.device("meta"), dtype=dtype, **kwargs)
    except (TypeError, AssertionError, ValueError) as error:
        raise CheckpointError(
            f"its configuration fits no LMModel: {error}", where=str(path.parent)
        ) from error
    _check_room(header, device, dtype, where=str(path))
    tensors: dict[str, Any] = {}
    try:
        opened: Any = safe_open  # its stubs name no types
        with opened(str(path), framework="pt", device=device) as file:
            for name in header:
                tensor = file.get_tensor(name)
                tensors[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"cannot be read: {error}", where=str(path), do="fetch the file again"
        ) from error
    table = tensors.pop(f"{_ORACLE}weight", None)
    expected = tuple(model.text_emb.weight.shape)
    if table is not None and tuple(table.shape) != expected:
        raise CheckpointError(f"oracle_emb.weight is {tuple(table.shape)}, not {expected}", where=str(path))
    try:
        missing, unknown = model.load_state_dict(tensors, strict=False, assign=True)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"does not fit its config.json: {str(error)[:300]}", where=str(path)) from error
    if missing or unknown:
        raise CheckpointError(
            f"lacks {len(missing)} tensors ({', '.join(missing[:3])}) and holds {len(unknown)} that the "
            f"model has not ({', '.join(unknown[:3])})",
            where=str(path),
            do="use a checkpoint that goes with its config.json",
        )
    if table is None:
        table = model.text_emb.weight.detach().clone()
    return _with_oracle(model.eval().requires_grad_(False), table if oracle else None)


def _with_oracle(model: Any, table: Any | None) -> Any:
    oracle = None
    if table is not None:
        oracle = ScaledEmbedding(table.shape[0], table.shape[1], device="meta", dtype=table.dtype)
        oracle.weight = torch.nn.Parameter(table, requires_grad=False)
    model.text_emb = TextWithOracle(model.text_emb, oracle)
    return model


def random_models(shape: ModelShape, *, device: str, dtype: Any, seed: int = 0, context: int = 0) -> Models:
    """Random weights of a shape: they cost what the true ones cost, and say nothing."""
    torch.manual_seed(seed)
    kwargs = {key: value for key, value in shape.lm_config().items() if key not in _NOT_FOR_THE_MODEL}
    if context:
        kwargs["context"] = context
    model = LMModel(device=device, dtype=dtype, **kwargs).eval().requires_grad_(False)
    table = torch.randn_like(model.text_emb.weight) * shape.dim**-0.5
    mimi = loaders.get_mimi(None, mimi_config(shape.mimi_width, shape.card), device=device, num_codebooks=8)
    return Models(_with_oracle(model, table), mimi.requires_grad_(False), None)


def _check_room(header: dict[str, TensorHeader], device: str, dtype: Any, *, where: str) -> None:
    width = torch.empty(0, dtype=dtype).element_size()
    need = 0
    for tensor in header.values():
        count = 1
        for size in tensor.shape:
            count *= size
        need += count * (width if tensor.dtype in {"F32", "F16", "BF16"} else _BYTES.get(tensor.dtype, 1))
    if device.startswith("cuda"):
        free = torch.cuda.mem_get_info(torch.device(device))[0]
    else:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if need > free:
        raise NotEnoughRoom(
            f"the weights take {need / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free on {device}",
            where=where,
            do="free memory, or use a card that `kame-voice engine plan` finds large enough",
        )
