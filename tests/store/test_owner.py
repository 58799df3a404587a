"""Who runs a call: a lock that a crash frees by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kame_voice.store.errors import StoreError
from kame_voice.store.owner import Owner


def test_a_living_owner_runs_its_calls_and_a_closed_one_does_not(tmp_path: Path) -> None:
    first, second = Owner(tmp_path), Owner(tmp_path)
    assert first.still_runs(first.name)
    assert first.still_runs(second.name)
    second.close()
    assert not first.still_runs(second.name)
    first.close()


def test_a_process_that_died_does_not_run_its_calls(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, pathlib; from kame_voice.store.owner import Owner;"
        "print(Owner(pathlib.Path(sys.argv[1])).name, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    dead = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    name = dead.stdout.strip()
    owner = Owner(tmp_path)
    assert not owner.still_runs(name)
    owner.forget_the_dead()
    assert [path.stem for path in tmp_path.glob("*.lock")] == [owner.name.partition("/")[2]]
    owner.close()


def test_another_nodes_calls_are_left_to_it(tmp_path: Path) -> None:
    here, there = Owner(tmp_path / "a"), Owner(tmp_path / "b")
    name = there.name
    there.close()
    assert here.still_runs(name)
    here.close()


def test_a_call_that_names_no_owner_is_nobodys(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    assert not owner.still_runs(None)
    owner.close()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="KAME_DATA_DIR"):
        Owner(tmp_path / "file" / "owners")
