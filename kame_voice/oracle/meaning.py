"""Whether two versions of what a caller said ask the same thing. Pure; likeness and topics come in.

Wrong either way costs: taken for the same, a caller gets the answer to half a question; taken for
another, they wait for an answer that was there. So every doubt counts as a doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kame_voice.oracle.matching import FUNCTION_STEMS, PLAIN_STEMS, strip_opening
from kame_voice.oracle.spoken_time import DAY_NAMES
from kame_voice.oracle.words import spoken_words, stem

__all__ = ["Meaning", "Reading", "compared", "reading"]

_ALIKE: Final = 0.6
"""Cosine from which words that share a topic can be one question. Over prefixes of the sample questions it
seldom decides; the rules below do."""

_WORDS: Final = re.compile(r"[a-z]+")
_NEGATIONS: Final = frozenset(_WORDS.findall("not no never without none nothing except neither nor"))
_WHEN: Final = frozenset(name.lower() for name in DAY_NAMES.values()) | frozenset(
    _WORDS.findall(
        "january february march april june july august september october november december today tonight "
        "tomorrow yesterday now weekend weekday morning afternoon evening night noon midnight christmas "
        "easter thanksgiving holiday early late before after until"
    )
)
_ASKING: Final = frozenset(_WORDS.findall("what when where who whom whose why how which"))
_DEGREE: Final = frozenset(
    _WORDS.findall(
        "much many long far often old soon more less under over between cheaper cheapest another other "
        "instead both either or only also else again still yet"
    )
)
_SOFT: Final = frozenset(_WORDS.findall("today tonight now soon early late still yet also only at"))
"""Words that turn a question about opening hours over, and seldom another."""
_CRITICAL: Final = _NEGATIONS | _WHEN | _ASKING | _DEGREE
_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+(?:'s)?\b")
"""A capital in mid-sentence: whisper writes names so."""


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


@dataclass(frozen=True, slots=True)
class Reading:
    """What counts of a caller's words. `topics`: ids of what the line knows that they ask for."""

    key: tuple[str, ...]
    critical: frozenset[str]
    content: frozenset[str]
    topics: tuple[str, ...]


def reading(text: str, topics: tuple[str, ...] = ()) -> Reading:
    """Read `text`: its plain words, those that turn a question over, and those that say what it is about."""
    words = spoken_words(strip_opening(text))
    plain = [word.removesuffix("s") if word.removesuffix("s") in _WHEN else word for word in words]
    names = {name.lower().removesuffix("'s") for name in _NAME.findall(text)}
    critical = {word for word in plain if word in _CRITICAL or word[0].isdigit()} | names
    stems = {stem(word) for word in plain if word not in _CRITICAL}
    return Reading(tuple(words), frozenset(critical), frozenset(stems - FUNCTION_STEMS), topics)


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
        soft = before.critical ^ now.critical <= _SOFT and "business-hours" not in now.topics
        return Meaning.OPEN if soft and now.topics else Meaning.OVERTAKEN
    if not now.topics:
        return Meaning.UNSURE
    strange = (now.content ^ before.content) - vocabulary - PLAIN_STEMS
    return Meaning.KEPT if not strange and likeness >= _ALIKE else Meaning.OPEN
