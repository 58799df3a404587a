"""A tiny random model, made once a test process. Where torch or moshi are missing, its tests are skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[2] / "data" / "kame-tiny"


@pytest.fixture(scope="session")
def torch() -> Any:
    torch = pytest.importorskip("torch", reason="the gpu extra is not installed")
    pytest.importorskip("moshi", reason="the gpu extra is not installed")
    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="session")
def checkpoint(torch: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kame_voice.front_end.kame.configs import CONFIGS
    from kame_voice.front_end.kame.tiny import make_checkpoint

    return make_checkpoint(tmp_path_factory.mktemp("kame") / "least", CONFIGS["least"], seed=7)


@pytest.fixture
def golden(torch: Any) -> Path:
    return GOLDEN
