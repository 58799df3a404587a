"""English words by what they do to a question: nothing, little, or turn it over. Pure lists."""

from __future__ import annotations

import re
from typing import Final

from kame_voice.oracle.spoken_time import DAY_NAMES
from kame_voice.oracle.words import stem

__all__ = [
    "CIRCUMSTANCES",
    "CRITICAL",
    "DAYS",
    "FUNCTION_STEMS",
    "NEGATIONS",
    "OCCASIONS",
    "PLAIN_STEMS",
    "QUESTION_WORDS",
    "SOFT",
    "WHEN",
]

_WORDS: Final = re.compile(r"[a-z]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(text))


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in _WORDS.findall(text))


FUNCTION_STEMS: Final = _stems(
    "a an the i me my you your we our us it its is are am was be been do does did have has had can could "
    "would will shall should may might to of in on at for with from by and or but if so that this there "
    "not no yes what when where which who how why please just also then well um uh okay ok hi hello hey "
    "tell know like want need wonder ask question get got any some much many about as them they he she "
    "his her thank good great really actually maybe up out into than right say said guys "
    "exactly being here sometime someday anytime anyway already myself ourselves"
)
"""Words that do not tell one question from another."""
PLAIN_STEMS: Final = _stems(
    "come coming came bring use put make accept carry back off run set give take let see look something "
    "somewhere anything anywhere anyone anybody someone somebody everyone price cost charge wife husband "
    "mother father mom dad friend grandmother grandfather grandma grandpa partner town place shop store "
    "office practice kind bit thing stuff offer okay please work way time moment all ahead"
)
"""Words about nothing in particular: with one more of them a question is the same question."""
OCCASIONS: Final = _stems(
    "year month week day night morning afternoon evening weekend holiday vacation birthday wedding party "
    "trip visit stay lunch season summer winter spring autumn"
)
CIRCUMSTANCES: Final = (
    PLAIN_STEMS
    | OCCASIONS
    | _stems(
        "live mile away near close far around car drive walk bus train move moved moving new last next ago "
        "since while job home house neighbor turn old awful awfully terrible bad pretty hurt hear heard read "
        "found think thought hope call try been having go going went buy bought wonder busy long"
    )
)
"""What people tell of themselves before they ask. In the question itself these words may matter."""

DAYS: Final = frozenset(name.lower() for name in DAY_NAMES.values())
NEGATIONS: Final = _words("not no never without none nothing except neither nor")
WHEN: Final = DAYS | _words(
    "january february march april june july august september october november december today tonight "
    "tomorrow yesterday now weekend weekday morning afternoon evening night noon midnight christmas "
    "easter thanksgiving holiday early late before after until"
)
QUESTION_WORDS: Final = _words("what when where who whom whose why how which")
_DEGREE: Final = _words(
    "much many long far often old soon more less under over between cheaper cheapest another other "
    "instead both either or only also else again still yet than better best worse worst most least same "
    "compared difference"
)
SOFT: Final = _words("today tonight now soon early late still yet also only at")
"""Words that turn a question about opening hours over, and seldom another."""
CRITICAL: Final = NEGATIONS | WHEN | QUESTION_WORDS | _DEGREE
"""One of them more or less, and it may be another question."""
