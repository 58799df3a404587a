"""Whether a sentence tells anything new to a caller who has heard others. Pure.

For a better answer that comes while a guess is being said. By words and figures, not by a model: it is asked
between two frames of audio.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kame_voice.oracle.asking import content_of
from kame_voice.oracle.guard import strange_words
from kame_voice.oracle.plain_words import NEGATIONS, PLAIN_STEMS, WHEN
from kame_voice.oracle.sources import figures_in
from kame_voice.oracle.words import spoken_words, stem

__all__ = ["says_nothing_new"]

_NEW_SHARE: Final = 0.25
"""A paraphrase brings a word or two of its own: one in four of those that mean something."""
_COUNTED: Final = frozenset(("hundred", "thousand", "dollar", "cent", "percent"))
"""They are in the figures already."""
_AGREEING: Final = frozenset(("yes", "yeah", "yep", "sure", "certainly", "absolutely", "course", "of"))
_DENYING: Final = NEGATIONS | {"unfortunately", "closed", "cannot"}
_WORD: Final = re.compile(r"[a-z]+")


def says_nothing_new(sentence: str, said: Sequence[str]) -> bool:
    """Whether `said` has told all that `sentence` tells, if in other words. Every doubt is a no."""
    if not said:
        return False
    words, told = set(spoken_words(sentence)), set(spoken_words(" ".join(said)))
    if words <= _AGREEING:
        return bool(told & _AGREEING)
    content = {word for word in content_of(sentence) if _means(word)}
    if not content:
        return words <= told
    if not figures_in(sentence) <= figures_in(" ".join(said)) or words & WHEN - told:
        return False
    stems = {stem(word) for word in told}
    if len(strange_words(content, frozenset(stems))) > _NEW_SHARE * len(content):
        return False
    near = [one for one in said if 2 * len(content & set(content_of(one))) >= len(content)]
    denied = bool(_DENYING & set(spoken_words(" ".join(near or said))))
    return denied == bool(_DENYING & words)


def _means(word: str) -> bool:
    return word not in PLAIN_STEMS and word not in _COUNTED and _WORD.fullmatch(word) is not None
