"""Hot reload. Time is the ticks that a test hands over; between two of them it edits files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.directory import FlowDirectory, Generation
from kame_voice.flows.watch import watch
from tests.flows.writing import least, write

pytestmark = pytest.mark.anyio

Step = Callable[[], object]


def nothing() -> None:
    """An edit that changes nothing: time passes."""


async def ticks_after(steps: tuple[Step, ...]) -> AsyncIterator[None]:
    for step in steps:
        step()
        yield


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def flows(tmp_path: Path, telemetry: Telemetry) -> FlowDirectory:
    write(tmp_path, "a.yaml", least("a"))
    return FlowDirectory(tmp_path, telemetry)


def readings(telemetry: Telemetry) -> float:
    """How often the folder was read again."""
    samples = [sample for metric in telemetry.flow_reloads.collect() for sample in metric.samples]
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


async def test_nothing_is_read_while_nothing_changes(flows: FlowDirectory, telemetry: Telemetry) -> None:
    await watch(flows, ticks_after((nothing,) * 5))
    assert readings(telemetry) == 0


async def test_a_saved_change_is_read_once_it_stands_still(
    flows: FlowDirectory, telemetry: Telemetry
) -> None:
    def edit() -> None:
        write(flows.folder, "a.yaml", least("a", "unknown: Sorry."))

    await watch(flows, ticks_after((nothing, edit)))
    assert flows.generation.number == 1
    await watch(flows, ticks_after((nothing, nothing, nothing)))
    assert flows.generation.number == 2
    assert readings(telemetry) == 1


async def test_a_change_before_the_watch_began_is_seen(flows: FlowDirectory) -> None:
    write(flows.folder, "b.yaml", least("b"))
    await watch(flows, ticks_after((nothing, nothing)))
    assert flows.line("b") is not None


async def test_a_file_still_being_written_is_not_read_yet(flows: FlowDirectory, telemetry: Telemetry) -> None:
    file = flows.folder / "a.yaml"
    half, rest = least("a")[:60], least("a", "unknown: Sorry.")[60:]

    def begin() -> None:
        file.write_text(half)

    def end() -> None:
        with file.open("a") as more:
            more.write(rest)

    await watch(flows, ticks_after((begin, end, nothing)))
    assert flows.generation.number == 2
    assert flows.trouble is None
    assert readings(telemetry) == 1


async def test_an_editor_that_moves_the_old_file_away_first_loses_no_line(
    flows: FlowDirectory, telemetry: Telemetry
) -> None:
    file = flows.folder / "a.yaml"

    def move_away() -> None:
        file.rename(flows.folder / "a.yaml~")

    def put_new() -> None:
        write(flows.folder, "a.yaml", least("a", "unknown: Sorry."))

    await watch(flows, ticks_after((move_away, put_new, nothing)))
    line = flows.line("a")
    assert line is not None
    assert line.unknown == "Sorry."
    assert readings(telemetry) == 1


async def test_a_broken_edit_is_told_once_and_mended_by_the_next(
    flows: FlowDirectory, telemetry: Telemetry
) -> None:
    def break_it() -> None:
        write(flows.folder, "a.yaml", least("a", "unknown:"))

    await watch(flows, ticks_after((break_it, nothing, nothing, nothing)))
    assert flows.generation.number == 1
    assert flows.trouble is not None
    assert readings(telemetry) == 1

    def mend_it() -> None:
        write(flows.folder, "a.yaml", least("a", "unknown: Sorry."))

    await watch(flows, ticks_after((mend_it, nothing)))
    assert flows.generation.number == 2
    assert flows.trouble is None


async def test_files_come_and_go(flows: FlowDirectory) -> None:
    def add() -> None:
        write(flows.folder, "b.yaml", least("b"))

    def remove() -> None:
        (flows.folder / "a.yaml").unlink()

    await watch(flows, ticks_after((add, nothing, remove, nothing)))
    assert list(flows.generation.by_line) == ["b"]
    assert flows.generation.number == 3


async def test_the_folder_vanishes_and_comes_back(flows: FlowDirectory) -> None:
    elsewhere = flows.folder.with_name("elsewhere")

    def vanish() -> None:
        flows.folder.rename(elsewhere)

    await watch(flows, ticks_after((vanish, nothing)))
    assert flows.line("a") is not None
    assert flows.trouble is not None

    def come_back() -> None:
        elsewhere.rename(flows.folder)

    await watch(flows, ticks_after((come_back, nothing)))
    assert flows.trouble is None


async def test_each_new_generation_is_made_ready(flows: FlowDirectory) -> None:
    prepared: list[Generation] = []

    async def prepare(generation: Generation) -> None:
        prepared.append(generation)

    def edit() -> None:
        write(flows.folder, "a.yaml", least("a", "unknown: Sorry."))

    def break_it() -> None:
        write(flows.folder, "a.yaml", "- no flow")

    await watch(flows, ticks_after((edit, nothing, break_it, nothing)), prepare)
    assert prepared == [flows.generation]
