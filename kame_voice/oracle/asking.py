"""How callers put a question: what they begin with, where one ends and the next begins. Pure."""

from __future__ import annotations

import re
from typing import Final

from kame_voice.oracle.plain_words import FUNCTION_STEMS
from kame_voice.oracle.words import spoken_words, stems

__all__ = ["content_of", "is_asking", "questions_in", "strip_opening"]

_OPENING: Final = re.compile(
    r"^\W*((um+|uh+|okay|ok|well|so|yes|yeah|yep|no|right|great|perfect|alright|all right|hi|hello|hey|"
    r"good (morning|afternoon|evening)|thanks?( you)?( very much| so much| a lot)?|excuse me|sorry|and|also|"
    r"then|there|please|oh|i see|one more (thing|question)|another question)\b[\s,.!?-]*)+",
    re.IGNORECASE,
)
_SEAMS: Final = re.compile(
    r"[.?!;]+\s+|,?\s+(?:and also|and|also|plus|as well as)\s+(?=\w)|,\s+", re.IGNORECASE
)
_ASKING: Final = re.compile(
    r"(do|does|did|is|are|am|can|could|would|will|may|should|have you|what|when|where|which|who|how|why|"
    r"i'd|i would|i want|i need|we'd|we need|tell|any|until|from what|what's|where's|how's)\b",
    re.IGNORECASE,
)


def strip_opening(text: str) -> str:
    """`text` without the "um, okay, hi" it begins with; as it is where nothing else is left."""
    rest = text[found.end() :] if (found := _OPENING.match(text)) else text
    return rest if spoken_words(rest) else text


def questions_in(text: str) -> list[str]:
    """The parts of `text` that could be a question of their own, two words or more each."""
    parts = [strip_opening(part) for part in _SEAMS.split(text)]
    return [part for part in parts if len(spoken_words(part)) >= 3 or content_of(part)]


def is_asking(part: str) -> bool:
    """Whether `part`, as `questions_in` gives them, is put as a question or a wish."""
    return _ASKING.match(part) is not None


def content_of(text: str) -> list[str]:
    """The stems of the words that tell one question from another, in order."""
    return [word for word in stems(text) if word not in FUNCTION_STEMS]
