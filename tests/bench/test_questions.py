from __future__ import annotations

from pathlib import Path

from kame_voice.bench.human import read_words
from kame_voice.bench.questions import load_questions
from kame_voice.oracle.words import spoken_words

ROOT = Path(__file__).parents[2]


def test_every_question_names_facts_that_its_flow_has() -> None:
    sets = load_questions(ROOT / "flows")
    assert sum(len(one.questions) for one in sets) >= 24
    assert all(question.facts or question.words for one in sets for question in one.questions)
    assert all(one.to in one.flow.numbers for one in sets)


def test_no_question_is_one_of_the_flows_own() -> None:
    for one in load_questions(ROOT / "flows"):
        known = {tuple(spoken_words(text)) for fact in one.flow.facts for text in fact.questions}
        assert not known & {tuple(spoken_words(question.ask)) for question in one.questions}


def test_every_recording_of_a_person_has_its_words() -> None:
    words = read_words(ROOT / "tests" / "data" / "speech")
    assert len(words) == 6
    assert all(len(text.split()) >= 8 for text in words.values())
