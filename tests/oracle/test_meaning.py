"""Pairs of what a caller had said and then said, and whether an answer to the first answers the second."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_voice.flows.loader import load_flow
from kame_voice.oracle.knowledge import Knowledge
from kame_voice.oracle.meaning import Meaning

pytestmark = pytest.mark.anyio

KEPT = (
    ("harbor-dental", "how much is a cleaning", "How much is a cleaning?"),
    ("harbor-dental", "how much is a cleaning", "Um, how much is a cleaning, please?"),
    ("harbor-dental", "How much is it for a cleaning", "How much is it for a cleaning then, thanks."),
    (
        "harbor-dental",
        "I am driving over, is there anywhere to put",
        "I am driving over, is there anywhere to put the car?",
    ),
    ("harbor-dental", "I'm with Cigna, is that", "I'm with Cigna, is that okay with you?"),
    ("harbor-dental", "What's the price if I want whiter", "What's the price if I want whiter teeth?"),
    ("harbor-dental", "are you open on saturdays", "Are you open on Saturday?"),
    ("hilltop-cycles", "could somebody come and fetch", "Could somebody come and fetch the bike?"),
    (
        "hilltop-cycles",
        "should I call ahead before I bring it to",
        "Should I call ahead before I bring it to the workshop?",
    ),
)  # fmt: skip

NOT_KEPT = (
    ("harbor-dental", "are you open", "are you open on Sunday"),
    ("harbor-dental", "are you open on Saturday", "are you open on Saturday or Sunday"),
    ("harbor-dental", "are you open today", "are you open tomorrow"),
    ("harbor-dental", "are you open", "are you not open"),
    ("harbor-dental", "do you take Cigna", "do you take Cigna or do I pay first"),
    ("harbor-dental", "how much is a cleaning", "how much is a cleaning for my dog"),
    ("harbor-dental", "how much is a cleaning", "how much is a cleaning and do you do whitening"),
    ("harbor-dental", "how much is a cleaning", "how long is a cleaning"),
    ("harbor-dental", "where can I park", "when can I park"),
    ("harbor-dental", "I need to cancel my appointment", "I need to cancel my appointment in 24 hours"),
    ("harbor-dental", "I need to cancel my appointment", "I don't need to cancel my appointment"),
    ("harbor-dental", "do you see children", "do you see children without a parent"),
    ("harbor-dental", "can I come in at nine", "can I come in at five"),
    ("harbor-dental", "Can I pay by card", "Can I pay by card at the end of the month"),
    ("harbor-dental", "is Maria", "is Maria at the front desk today"),
    ("harbor-dental", "I'd like to talk to doctor Jones", "I'd like to talk to doctor Smith"),
    ("hilltop-cycles", "do you rent bikes", "do you rent bikes on Monday"),
    ("hilltop-cycles", "do you rent bikes", "do you rent bikes to kids"),
    ("hilltop-cycles", "do you sell", "do you sell skis"),
    ("hilltop-cycles", "Hi I'd like to know", "Hi I'd like to know how much a tune-up is"),
    ("hilltop-cycles", "how much is a tune-up", "how much is a tune-up for an electric bike"),
    ("hilltop-cycles", "can I try a bike", "can I try a bike after six"),
    ("hilltop-cycles", "my bike is broken", "my bike is broken again"),
)  # fmt: skip

OVERTAKEN = (
    ("harbor-dental", "are you open", "are you open on Sunday"),
    ("harbor-dental", "how much is a cleaning", "how much is a cleaning and do you do whitening"),
    ("harbor-dental", "could you have a look at my", "Could you have a look at my five year old son?"),
    ("hilltop-cycles", "do you rent bikes", "do you rent bikes on Monday"),
    ("hilltop-cycles", "Hi I'd like to know", "Hi I'd like to know how much a tune-up is"),
)


async def meaning(knowledge: Knowledge, line: str, before: str, now: str) -> Meaning:
    (found,) = await knowledge.meanings(load_flow(Path("flows") / f"{line}.yaml"), [before], now)
    return found


@pytest.mark.parametrize(("line", "before", "now"), KEPT)
async def test_the_answer_to_these_stands(knowledge: Knowledge, line: str, before: str, now: str) -> None:
    assert await meaning(knowledge, line, before, now) is Meaning.KEPT


@pytest.mark.parametrize(("line", "before", "now"), NOT_KEPT)
async def test_the_answer_to_these_is_not_taken_for_granted(
    knowledge: Knowledge, line: str, before: str, now: str
) -> None:
    assert await meaning(knowledge, line, before, now) is not Meaning.KEPT
    assert await meaning(knowledge, line, now, before) is not Meaning.KEPT


@pytest.mark.parametrize(("line", "before", "now"), OVERTAKEN)
async def test_the_answer_to_these_must_not_be_heard(
    knowledge: Knowledge, line: str, before: str, now: str
) -> None:
    assert await meaning(knowledge, line, before, now) is Meaning.OVERTAKEN
