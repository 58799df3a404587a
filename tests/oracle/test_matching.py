from __future__ import annotations

from typing import Any

from kame_voice.oracle.embedder import Embedder
from kame_voice.oracle.matching import Index
from kame_voice.oracle.topics import topics_of
from tests.oracle.examples import DENTIST


def test_a_question_is_read_once_however_often_it_is_asked_about() -> None:
    embedder, read = Embedder(), list[str]()

    def embed(sentences: list[str]) -> Any:
        read.extend(sentences)
        return embedder.embed(sentences)

    index = Index(topics_of(DENTIST), embed)
    read.clear()
    (match,) = index.match("Is there parking?")
    index.scores("Is there parking?")
    index.match("Is there parking?")
    assert match.topic.id == "parking"
    assert read == ["Is there parking?"]
