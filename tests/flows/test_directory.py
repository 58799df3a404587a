"""Number → flow; generations; what files claim from each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.errors import FlowError
from tests.flows.writing import least, write


def reloads(telemetry: Telemetry, result: str) -> float | None:
    return telemetry.registry.get_sample_value("kame_flow_reloads_total", {"result": result})


def opened(folder: Path, telemetry: Telemetry | None = None) -> FlowDirectory:
    return FlowDirectory(folder, telemetry or Telemetry(), clock=lambda: 12.5)


def mistakes_of(folder: Path) -> list[str]:
    with pytest.raises(FlowError) as caught:
        opened(folder)
    return [str(mistake).replace(f"{folder}/", "") for mistake in caught.value.mistakes]


def test_a_number_finds_its_line_and_a_name_too(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a", "numbers: [+12025550100, +12025550101]"))
    write(tmp_path, "b.yml", least("b", "numbers: [+12025550102]"))
    flows = opened(tmp_path)
    found = [flows.line_for(number) for number in ("+12025550101", "+12025550102")]
    assert [flow.line for flow in found if flow] == ["a", "b"]
    assert flows.line_for("+12025550199") is None
    assert flows.line("b") is flows.line_for("+12025550102")
    assert flows.line("c") is None


def test_the_default_flow_answers_every_other_number(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a", "numbers: [+12025550100]"))
    write(tmp_path, "b.yaml", least("b", "default: true"))
    flows = opened(tmp_path)
    assert flows.line_for("client:browser") is flows.line("b")
    assert flows.line_for("+12025550100") is flows.line("a")


def test_the_first_generation_knows_its_number_and_time(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a"))
    generation = opened(tmp_path).generation
    assert (generation.number, generation.loaded_at, generation.default) == (1, 12.5, None)


def test_nothing_starts_while_any_file_has_a_mistake_and_all_are_told(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a"))
    write(tmp_path, "b.yaml", least("b", "greetin: Hi."))
    write(tmp_path, "c.yaml", "- c")
    assert mistakes_of(tmp_path) == [
        "b.yaml:6:1: greetin: is not a key of a flow; did you mean greeting?",
        "c.yaml:1:1: a flow is keys with values, such as 'version: 1'",
    ]


def test_a_number_of_two_files_is_named_in_both(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a", "numbers: [+12025550100]"))
    write(tmp_path, "b.yaml", least("b", "numbers:", "  - +12025550101", "  - +12025550100"))
    assert mistakes_of(tmp_path) == [
        f"a.yaml:6:11: numbers[0]: the number +12025550100 is claimed by {tmp_path}/b.yaml:8 too".replace(
            f"{tmp_path}/", ""
        ),
        "b.yaml:8:5: numbers[1]: the number +12025550100 is claimed by a.yaml:6 too",
    ]


def test_a_line_of_three_files_is_named_in_all(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path, f"{name}.yaml", least("same"))
    assert mistakes_of(tmp_path) == [
        "a.yaml:3:7: line: the line same is claimed by b.yaml:3, c.yaml:3 too",
        "b.yaml:3:7: line: the line same is claimed by a.yaml:3, c.yaml:3 too",
        "c.yaml:3:7: line: the line same is claimed by a.yaml:3, b.yaml:3 too",
    ]


def test_there_is_one_default_flow_at_most(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a", "default: true"))
    write(tmp_path, "b.yaml", least("b", "", "default: true"))
    assert mistakes_of(tmp_path) == [
        "a.yaml:6:10: default: only one flow can be the default; so is b.yaml:7",
        "b.yaml:7:10: default: only one flow can be the default; so is a.yaml:6",
    ]


def test_a_folder_that_is_not_there_or_empty_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        FlowError, match=r"gone: the folder of flows cannot be read: no such file or directory"
    ):
        opened(tmp_path / "gone")
    with pytest.raises(FlowError, match=r"there is no flow \(\*\.yaml\) in this folder"):
        opened(tmp_path)


def test_files_that_are_no_flows_are_let_be(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a"))
    for name in (".a.yaml.swp", ".#b.yaml", "a.yaml~", "notes.txt", "flow.schema.json"):
        (tmp_path / name).write_text("not a flow")
    assert list(opened(tmp_path).generation.by_line) == ["a"]


def test_a_folder_named_like_a_flow_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    assert mistakes_of(tmp_path) == ["a.yaml: cannot be read: is a directory"]


def test_a_reload_makes_a_new_generation_and_leaves_the_old_one_alone(tmp_path: Path) -> None:
    telemetry = Telemetry()
    write(tmp_path, "a.yaml", least("a", "numbers: [+12025550100]"))
    flows = opened(tmp_path, telemetry)
    old = flows.generation
    held = flows.line("a")
    write(tmp_path, "a.yaml", least("a", "numbers: [+12025550101]", "unknown: Sorry."))
    new = flows.reload()
    assert new is flows.generation
    assert new.number == 2
    assert flows.line_for("+12025550100") is None
    assert old.by_number["+12025550100"] is held
    assert held is not None
    assert held.unknown != "Sorry."
    assert reloads(telemetry, "loaded") == 1


def test_a_broken_edit_keeps_the_old_generation_and_remembers_why(tmp_path: Path) -> None:
    telemetry = Telemetry()
    write(tmp_path, "a.yaml", least("a"))
    flows = opened(tmp_path, telemetry)
    old = flows.generation
    write(tmp_path, "a.yaml", least("a", "unknown:"))
    assert flows.reload() is old
    assert flows.trouble is not None
    assert [mistake.path for mistake in flows.trouble.mistakes] == ["unknown"]
    assert reloads(telemetry, "failed") == 1
    write(tmp_path, "a.yaml", least("a", "unknown: Sorry."))
    assert flows.reload().number == 2
    assert flows.trouble is None


def test_a_folder_that_vanishes_keeps_the_old_generation(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    write(folder, "a.yaml", least("a"))
    flows = opened(folder)
    folder.rename(tmp_path / "elsewhere")
    flows.reload()
    assert flows.line("a") is not None
    assert "cannot be read" in str(flows.trouble)


def test_a_reload_without_change_keeps_the_generation(tmp_path: Path) -> None:
    telemetry = Telemetry()
    write(tmp_path, "a.yaml", least("a"))
    flows = opened(tmp_path, telemetry)
    write(tmp_path, "a.yaml", least("a", "# a comment"))
    assert flows.reload().number == 1
    assert reloads(telemetry, "unchanged") == 1


def test_a_generation_cannot_be_changed(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a"))
    generation = opened(tmp_path).generation
    with pytest.raises(TypeError):
        generation.by_line["b"] = generation.by_line["a"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        generation.number = 2  # type: ignore[misc]
