import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the gpu extra is not installed")
pytest.importorskip("moshi", reason="the gpu extra is not installed")

import torch
from safetensors.torch import load_file, save_file

from kame_voice.front_end.kame.checkpoint import find_checkpoint
from kame_voice.front_end.kame.errors import CheckpointError
from kame_voice.front_end.kame.weights import load_lm, load_models, random_models


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def load(folder: Path, *, oracle: bool = True) -> object:
    found = find_checkpoint(str(folder))
    return load_lm(found.lm, found.config, device="cpu", dtype=torch.float32, oracle=oracle)


def test_a_plain_moshi_checkpoint_gets_its_text_table_as_the_oracles(copy: Path) -> None:
    tensors = load_file(str(copy / "model.safetensors"))
    del tensors["oracle_emb.weight"]
    save_file(tensors, str(copy / "model.safetensors"))
    model = load(copy)
    assert torch.equal(model.text_emb.oracle.weight, model.text_emb.text.weight)  # type: ignore[attr-defined]


def test_without_an_oracle_the_fourth_stream_is_left_out(copy: Path) -> None:
    assert load(copy, oracle=False).text_emb.oracle is None  # type: ignore[attr-defined]


def test_a_missing_tensor_is_named(copy: Path) -> None:
    tensors = load_file(str(copy / "model.safetensors"))
    del tensors["text_linear.weight"]
    save_file(tensors, str(copy / "model.safetensors"))
    with pytest.raises(CheckpointError, match=r"lacks 1 tensors \(text_linear\.weight\)"):
        load(copy)


def test_a_tensor_of_another_size_is_refused(copy: Path) -> None:
    tensors = load_file(str(copy / "model.safetensors"))
    tensors["oracle_emb.weight"] = tensors["oracle_emb.weight"][:5].contiguous()
    save_file(tensors, str(copy / "model.safetensors"))
    with pytest.raises(CheckpointError, match=r"oracle_emb\.weight is \(5, 32\)"):
        load(copy)


def test_weights_that_do_not_go_with_their_config_are_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["num_layers"] = 3
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="lacks"):
        load(copy)


def test_a_cut_codec_is_found_before_anything_is_loaded(copy: Path) -> None:
    path = copy / "mimi.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"mimi\.safetensors: holds"):
        load_models(find_checkpoint(str(copy)), device="cpu", dtype=torch.float32, oracle=True)


def test_the_forecasts_parameter_count_is_the_models() -> None:
    from kame_voice.front_end.kame.configs import CONFIGS
    from kame_voice.front_end.kame.plan import parameters

    for name in ("tiny", "small"):
        model = random_models(CONFIGS[name], device="cpu", dtype=torch.float32).lm
        true = sum(parameter.numel() for parameter in model.parameters())
        assert parameters(CONFIGS[name]) == pytest.approx(true, rel=0.02)
