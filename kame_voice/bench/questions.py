"""The spoken questions of `questions.yaml`, with what each line is to answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from kame_voice.caller.clip import CallerVoice, Clip
from kame_voice.flows.loader import load_flow
from kame_voice.flows.schema import Flow

__all__ = ["Question", "QuestionSet", "load_questions"]

_FILE: Final = Path(__file__).with_name("questions.yaml")
_VOICES: Final = ((1.0, 1.0), (1.0, 0.85), (1.1, 1.12), (0.95, 0.92))
"""Pace and pitch of the callers, in turn."""


@dataclass(frozen=True, slots=True)
class Question:
    """`facts` are ids of the flow's facts; `words` must be heard where no fact says it."""

    ask: str
    facts: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one line."""

    to: str
    flow: Flow
    questions: tuple[Question, ...]

    @property
    def answers(self) -> dict[str, str]:
        """Every fact's answer by its id."""
        return {fact.id: fact.answer for fact in self.flow.facts}

    def clips(self, voice: CallerVoice) -> list[Clip]:
        """The questions spoken, in changing pace and pitch."""
        return [
            voice.speak(question.ask, speed=speed, pitch=pitch)
            for place, question in enumerate(self.questions)
            for speed, pitch in (_VOICES[place % len(_VOICES)],)
        ]


def load_questions(flows_dir: Path, file: Path = _FILE) -> list[QuestionSet]:
    """Every line's questions. Raises KeyError when one names a fact that its flow does not have."""
    sets = []
    for entry in YAML(typ="safe").load(file):
        flow = load_flow(flows_dir / f"{entry['flow']}.yaml")
        known = {fact.id for fact in flow.facts}
        questions = tuple(
            Question(item["ask"], tuple(item.get("facts", ())), tuple(item.get("words", ())))
            for item in entry["questions"]
        )
        for question in questions:
            if unknown := set(question.facts) - known:
                raise KeyError(f"{file.name}: {question.ask!r} names {unknown}, not in {flow.line}")
        sets.append(QuestionSet(entry["to"], flow, questions))
    return sets
