"""A question put to a flow by text, with how well everything it knows fits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kame_voice.flows.schema import Flow
from kame_voice.oracle.matching import Index

__all__ = ["Trial", "try_out"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the line would say without a language model.

    `facts`: ids of what answers, none where the line says that it does not know. `scores`: every
    topic with how well it fits, 0..1, best first.
    """

    answer: str
    facts: tuple[str, ...]
    scores: tuple[tuple[str, float], ...]


def try_out(index: Index, flow: Flow, question: str, now: datetime) -> Trial:
    """Ask `flow`, whose `index` this is, at the business's local time `now`. Some 20 ms."""
    matches = index.match(question)
    answers = [match.topic.answer(match.question, now) for match in matches]
    return Trial(
        answer=" ".join(answers) or flow.unknown,
        facts=tuple(match.topic.id for match in matches),
        scores=tuple((topic_id, score) for score, topic_id in index.scores(question)),
    )
