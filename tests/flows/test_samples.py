"""The flows that a new user starts from, and their schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from kame_voice.core.telemetry import Telemetry
from kame_voice.flows import schema
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.loader import load_flow
from kame_voice.flows.schema import Flow

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "flows").glob("*.yaml"))

every_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)


def test_the_samples_live_in_one_folder_together() -> None:
    flows = FlowDirectory(ROOT / "flows", Telemetry())
    dental, cycles = flows.line_for("+15550100"), flows.line_for("+15550101")
    assert dental is not None
    assert cycles is not None
    assert (dental.line, cycles.line) == ("harbor-dental", "hilltop-cycles")


@every_sample
def test_a_sample_knows_enough_to_talk_about(path: Path) -> None:
    flow = load_flow(path)
    assert len(flow.facts) >= 12
    assert flow.disclosure is not None
    assert "automated" in flow.disclosure
    assert flow.business.hours
    for fact in flow.facts:
        assert 3 <= len(fact.questions) <= 5, fact.id


@every_sample
def test_a_sample_answers_briefly_and_in_words(path: Path) -> None:
    for fact in load_flow(path).facts:
        assert len(fact.answer.split()) <= 30, fact.id
        assert re.fullmatch(r"[A-Za-z ,.'?!-]+", fact.answer), fact.id


@every_sample
def test_a_sample_never_says_what_it_must_not(path: Path) -> None:
    flow = load_flow(path)
    spoken = " ".join([flow.greeting, flow.unknown, flow.goodbye, *(fact.answer for fact in flow.facts)])
    assert not [words for words in flow.never_say if words.lower() in spoken.lower()]


@every_sample
def test_an_editor_finds_the_schema_from_a_sample(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=flow.schema.json"


def test_the_schema_in_the_folder_is_the_code_s() -> None:
    kept = json.loads((ROOT / "flows/flow.schema.json").read_text(encoding="utf-8"))
    assert kept == Flow.model_json_schema(), "run: kame-voice flows schema > flows/flow.schema.json"


def parts_of_a_flow() -> list[type[BaseModel]]:
    values = [getattr(schema, name) for name in schema.__all__]
    return [value for value in values if isinstance(value, type) and issubclass(value, BaseModel)]


def test_every_field_of_a_flow_is_documented() -> None:
    text = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
    fields = {field for part in parts_of_a_flow() for field in part.model_fields}
    assert len(fields) > 30
    assert not [field for field in sorted(fields) if f"`{field}`" not in text]


def test_every_field_of_a_flow_has_a_help_line_for_editors() -> None:
    for part in parts_of_a_flow():
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name}"
