"""`kame-voice flows`, as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kame_voice.cli.flows import NoSuchLine, app
from kame_voice.flows.errors import FlowError
from tests.flows.writing import least, write

FLOWS = Path(__file__).parents[2] / "flows"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def test_check_prints_a_line_a_flow() -> None:
    result = run("check", str(FLOWS))
    assert result.exit_code == 0
    first, second, *_ = result.output.splitlines()
    assert first.startswith(f"{FLOWS}/harbor-dental.yaml: line harbor-dental, customer harbor-dental, +1202")
    assert "any other number, 15 facts, version " in first
    assert "line hilltop-cycles" in second


def test_check_tells_every_mistake_of_every_file(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", least("a", "unknown:"))
    write(tmp_path, "b.yaml", "- b")
    result = run("check", str(tmp_path))
    assert isinstance(result.exception, FlowError)
    assert str(result.exception).count(str(tmp_path)) == 2


def test_check_takes_files_and_holds_them_against_each_other(tmp_path: Path) -> None:
    one = write(tmp_path, "a.yaml", least("same"))
    other = write(tmp_path, "b.yaml", least("same"))
    assert run("check", str(one)).exit_code == 0
    assert run("check", str(one), str(one)).exit_code == 0
    assert isinstance(run("check", str(one), str(other)).exception, FlowError)


def test_check_without_a_path_reads_the_settings_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.yaml", least("a"))
    monkeypatch.setenv("KAME_FLOWS_DIR", str(tmp_path))
    assert f"{tmp_path}/a.yaml: line a, customer corner, no number, 0 facts" in run("check").output


def test_schema_prints_what_the_folder_keeps() -> None:
    assert run("schema").output == (FLOWS / "flow.schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "question", "fact", "words"),
    [
        ("harbor-dental", "what do you charge for a cleaning", "cleaning-price", "one hundred and twenty"),
        ("hilltop-cycles", "could I try the bike first", "test-ride", "half an hour"),
    ],
)
def test_ask_answers_from_the_flow(line: str, question: str, fact: str, words: str) -> None:
    result = run("ask", line, question, "--flows-dir", str(FLOWS))
    answer, facts, scores = result.output.splitlines()
    assert words in answer
    assert facts == f"facts: {fact}"
    assert scores.startswith(f"scores: {fact} ")


def test_ask_says_when_the_line_does_not_know() -> None:
    result = run("ask", "harbor-dental", "who won the world cup", "--flows-dir", str(FLOWS))
    assert result.output.startswith("I'm sorry, I don't know that.")
    assert "facts: none; the line said that it does not know" in result.output


def test_ask_names_the_lines_there_are() -> None:
    result = run("ask", "harbour", "hello", "--flows-dir", str(FLOWS))
    assert isinstance(result.exception, NoSuchLine)
    assert (
        str(result.exception) == "no flow has the line 'harbour' — ask one of harbor-dental, hilltop-cycles, "
        "hilltop-rentals, larkspur-inn"
    )


def test_ask_wants_a_question() -> None:
    assert run("ask", "harbor-dental", " ", "--flows-dir", str(FLOWS)).exit_code == 2
