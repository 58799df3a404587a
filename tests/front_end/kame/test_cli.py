import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kame_voice.cli.engine import BadOption, app

RUN = CliRunner()


def test_plan_prints_how_many_calls_a_card_holds() -> None:
    result = RUN.invoke(app, ["plan", "--memory", "131", "--context", "3000"])
    assert result.exit_code == 0
    numbers = result.stdout.splitlines()[1].split()
    assert numbers[0] == "3000"
    assert 70 <= int(numbers[5]) <= 81


def test_a_config_or_a_count_that_is_unknown_is_named() -> None:
    assert isinstance(RUN.invoke(app, ["plan", "--config", "9b"]).exception, BadOption)
    wrong = RUN.invoke(app, ["bench", "--config", "tiny", "--slots", "one"]).exception
    assert "--slots" in str(wrong)


@pytest.fixture
def short_vectors(golden: Path, tmp_path: Path) -> Path:
    """The reference calls, cut to a second each."""
    from safetensors.numpy import load_file, save_file

    folder = Path(shutil.copytree(golden, tmp_path / "vectors"))
    calls = load_file(str(folder / "calls.safetensors"))
    save_file({name: tensor[:12].copy() for name, tensor in calls.items()}, str(folder / "calls.safetensors"))
    return folder


def test_verify_finds_no_mismatch_and_exits_0(short_vectors: Path) -> None:
    result = RUN.invoke(app, ["verify", str(short_vectors), "--slots", "1,3"])
    assert result.exit_code == 0, result.stdout
    assert "1 slots: 432 tokens compared, 0 mismatched" in result.stdout


def test_verify_exits_1_where_a_token_differs(short_vectors: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = short_vectors / "calls.safetensors"
    calls = {name: tensor.copy() for name, tensor in load_file(str(path)).items()}
    calls["call1.out"][7, 3] += 1
    save_file(calls, str(path))
    result = RUN.invoke(app, ["verify", str(short_vectors), "--slots", "2"])
    assert result.exit_code == 1
    assert "2 mismatched" in result.stdout, "each call is played twice"
    assert "call 1 step 7 stream 3" in result.stdout


def test_bench_measures_each_size_and_a_row_that_fails_fails_alone(
    torch: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kame_voice.front_end.kame.engine import Engine

    warm_up = Engine.warm_up

    def short_of_memory(self: Engine) -> None:
        if self.capacity == 3:
            raise RuntimeError("out of memory")
        warm_up(self)

    monkeypatch.setattr(Engine, "warm_up", short_of_memory)
    out = tmp_path / "bench.json"
    table = tmp_path / "bench.md"
    options = [
        "--config",
        "least",
        "--slots",
        "1,3,2",
        "--seconds",
        "0.4",
        "--device",
        "cpu",
        "--singles",
        "2",
    ]
    result = RUN.invoke(app, ["bench", *options, "--json", str(out), "--markdown", str(table)])
    assert result.exit_code == 0, result.stdout
    rows = json.loads(out.read_text())["rows"]
    assert [row["error"] for row in rows] == ["", "RuntimeError: out of memory", ""]
    assert [row["frames"] for row in rows] == [5, 0, 10]
    assert json.loads(out.read_text())["singles"]["ratio"] > 0
    assert "| 3 | 60 | full rings | RuntimeError: out of memory" in table.read_text()
