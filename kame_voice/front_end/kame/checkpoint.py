"""Where a checkpoint's files are, and whether they are whole: local folder or Hugging Face repository.

Reads headers only; knows neither torch nor moshi.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kame_voice.front_end.kame.errors import CheckpointError, EngineMissing, NotEnoughRoom

__all__ = ["Checkpoint", "TensorHeader", "find_checkpoint", "read_header"]

_LM: Final = "model.safetensors"
_MIMI: Final = "tokenizer-e351c8d8-checkpoint125.safetensors"
_TEXT: Final = "tokenizer_spm_32k_3.model"
_LAYOUT: Final = [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The files of one model. `config` is its `config.json`; `mimi_config` None: Mimi as released."""

    folder: Path
    config: dict[str, Any]
    lm: Path
    mimi: Path
    text: Path
    mimi_config: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """One tensor of a safetensors file, as its header says."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, TensorHeader]:
    """The tensors of a safetensors file. Raises CheckpointError for a missing, cut or foreign file."""
    where = str(path)
    mend = "fetch the file again"
    if not path.is_file():
        raise CheckpointError("there is no such file", where=where, do="check KAME_ENGINE_WEIGHTS")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, 100_000_000):
            raise CheckpointError("is not a safetensors file, or is cut in its header", where=where, do=mend)
        try:
            header = json.loads(file.read(length))
            tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
            end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
            found = {
                name: TensorHeader(entry["dtype"], tuple(entry["shape"])) for name, entry in tensors.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError("its safetensors header cannot be read", where=where, do=mend) from error
    if 8 + length + end != size:
        raise CheckpointError(f"holds {size} bytes where {8 + length + end} belong", where=where, do=mend)
    return found


def find_checkpoint(weights: str, *, revision: str = "", offline: bool = False) -> Checkpoint:
    """The checkpoint at `weights`: a folder, or a repository (owner/name) at `revision`.

    A repository is fetched into the Hugging Face cache unless `offline`; free disk is checked first.
    Raises CheckpointError or NotEnoughRoom.
    """
    if not weights:
        raise CheckpointError(
            "no weights are named", where="engine_weights", do="name a folder or a Hugging Face repository"
        )
    folder = Path(weights).expanduser()
    if folder.is_dir():
        return _from_folder(folder)
    if weights.count("/") != 1 or weights.startswith((".", "/", "~")):
        raise CheckpointError("there is no such folder", where=weights, do="check KAME_ENGINE_WEIGHTS")
    return _from_folder(_fetch(weights, revision, offline))


def _from_folder(folder: Path) -> Checkpoint:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            "there is no config.json", where=str(folder), do="fetch the model again"
        ) from error
    except ValueError as error:
        raise CheckpointError(f"is not JSON: {error}", where=str(path), do="fetch the model again") from error
    if config.get("delays") != _LAYOUT or (config.get("n_q"), config.get("dep_q")) != (16, 8):
        raise CheckpointError(
            "is not a KAME or Moshi model: n_q 16, dep_q 8 and Moshi's delays are expected", where=str(path)
        )
    if any(config.get(key) for key in ("quantize", "lora", "conditioners", "fuser")):
        raise CheckpointError(
            "is quantised, adapted or conditioned", where=str(path), do="use a plain bf16 checkpoint"
        )
    mimi_config = None
    if (folder / "mimi_config.json").is_file():
        mimi_config = json.loads((folder / "mimi_config.json").read_text(encoding="utf-8"))
    return Checkpoint(
        folder,
        config,
        folder / config.get("moshi_name", _LM),
        folder / config.get("mimi_name", _MIMI),
        folder / config.get("tokenizer_name", _TEXT),
        mimi_config,
    )


def _fetch(repository: str, revision: str, offline: bool) -> Path:
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.constants import HF_HUB_CACHE
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise EngineMissing(
            "huggingface-hub is not installed", where=repository, do="pip install 'kame-voice[gpu]'"
        ) from error
    wanted = ["*.json", "*.safetensors", "*.model"]
    pinned = revision or None
    if not offline:
        cache = Path(HF_HUB_CACHE)
        try:
            info = HfApi().model_info(repository, revision=pinned, files_metadata=True)
        except (HfHubHTTPError, OSError) as error:
            raise CheckpointError(
                f"cannot be reached: {error}", where=repository, do="set KAME_ENGINE_OFFLINE if it is cached"
            ) from error
        need = sum(
            file.size or 0 for file in info.siblings or [] if Path(file.rfilename).match("*.safetensors")
        )
        parent = next(path for path in (cache, *cache.parents) if path.exists())
        free = shutil.disk_usage(parent).free
        have = sum(
            file.stat().st_size for file in cache.glob(f"models--{repository.replace('/', '--')}/blobs/*")
        )
        if need - have > free:
            raise NotEnoughRoom(
                f"{(need - have) / 2**30:.1f} GiB are to be fetched and {free / 2**30:.1f} GiB are free",
                where=str(cache),
                do="free disk space or set HF_HOME",
            )
    try:
        return Path(
            snapshot_download(repository, revision=pinned, allow_patterns=wanted, local_files_only=offline)
        )
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            "is not in the local cache", where=repository, do="fetch it once without KAME_ENGINE_OFFLINE"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise CheckpointError(f"could not be fetched: {error}", where=repository) from error
