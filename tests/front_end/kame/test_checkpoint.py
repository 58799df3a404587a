import json
from pathlib import Path
from typing import Any

import pytest

from kame_voice.front_end.kame.checkpoint import find_checkpoint, read_header
from kame_voice.front_end.kame.configs import CONFIGS
from kame_voice.front_end.kame.errors import CheckpointError


def safetensors(path: Path, tensors: dict[str, list[int]]) -> Path:
    """A well-formed file of float32 zeros."""
    header: dict[str, Any] = {}
    end = 0
    for name, shape in tensors.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    return path


def test_a_whole_files_tensors_are_named_with_their_shapes(tmp_path: Path) -> None:
    header = read_header(safetensors(tmp_path / "a.safetensors", {"x": [2, 3]}))
    assert header["x"].shape == (2, 3)


def test_a_cut_file_is_told_from_a_whole_one_without_reading_it(tmp_path: Path) -> None:
    path = safetensors(tmp_path / "a.safetensors", {"x": [2, 3]})
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    with pytest.raises(CheckpointError, match=f"holds {len(whole) - 4} bytes where {len(whole)} belong"):
        read_header(path)


@pytest.mark.parametrize("content", [b"", b"1234567", b"\x08\0\0\0\0\0\0\0notjson!", bytes(64)])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="safetensors"):
        read_header(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: there is no such file"):
        read_header(tmp_path / "gone.safetensors")


def test_a_folder_without_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        find_checkpoint(str(tmp_path))


def test_a_path_that_is_no_folder_is_not_taken_for_a_repository(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        find_checkpoint(str(tmp_path / "gone"))
    with pytest.raises(CheckpointError, match="no weights"):
        find_checkpoint("")


def test_a_model_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"n_q": 32, "dep_q": 8, "delays": [0]}))
    with pytest.raises(CheckpointError, match="n_q 16"):
        find_checkpoint(str(tmp_path))


def test_files_go_by_the_names_in_the_config(tmp_path: Path) -> None:
    config = CONFIGS["tiny"].lm_config() | {"mimi_name": "m.safetensors"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = find_checkpoint(str(tmp_path))
    assert found.mimi == tmp_path / "m.safetensors"
    assert found.lm == tmp_path / "model.safetensors"
