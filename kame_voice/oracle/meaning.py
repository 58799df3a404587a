"""Whether two versions of what a caller said ask the same thing. Pure; likeness and topics come in.

Wrong either way costs: taken for the same, a caller gets the answer to half a question; taken for
another, they wait for an answer that was there. So every doubt counts as a doubt.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from kame_voice.oracle.guard import Reading, strange_words
from kame_voice.oracle.plain_words import SOFT

__all__ = ["Meaning", "compared"]

_ALIKE: Final = 0.6
"""Cosine from which words that share a topic can be one question. Over prefixes of the sample questions it
seldom decides; the rules below do."""


class Meaning(Enum):
    """What a later version of the caller's words makes of an answer to an earlier one."""

    KEPT = auto()
    """They ask the same: the answer stands."""
    OPEN = auto()
    """They ask for the same thing, if not quite the same: the answer may be begun, a better one follows."""
    UNSURE = auto()
    """Neither is anything that the line knows: the answer stands until a better one comes."""
    OVERTAKEN = auto()
    """They ask something else: the answer must not be heard."""


def compared(before: Reading, now: Reading, likeness: float, vocabulary: frozenset[str]) -> Meaning:
    """What `now`, later words of the same turn, make of an answer to `before`.

    `likeness`: the cosine of their sentence vectors. `vocabulary`: the stems of `now`'s topics. A word that
    came or went and that they do not know could be the one that matters.
    """
    same_critical = before.critical == now.critical
    if before.key == now.key or (same_critical and before.content == now.content):
        return Meaning.KEPT
    if not before.content:
        # "Hi, I'd like to know" asks nothing yet; whatever was answered was a shot in the dark.
        return Meaning.OVERTAKEN
    if before.topics != now.topics:
        return Meaning.OVERTAKEN
    if not same_critical:
        soft = before.critical ^ now.critical <= SOFT and "business-hours" not in now.topics
        return Meaning.OPEN if soft and now.topics else Meaning.OVERTAKEN
    if not now.topics:
        return Meaning.UNSURE
    strange = strange_words(now.content ^ before.content, vocabulary)
    return Meaning.KEPT if not strange and likeness >= _ALIKE else Meaning.OPEN
