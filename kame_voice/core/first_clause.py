"""Where an answer that is still being written can be begun aloud: for who writes and who speaks. Pure."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["first_clause_end"]

_CLAUSE: Final = re.compile(r"[,;:—]\s+")
_OPENER: Final = re.compile(
    r"\s*(yes|yeah|no|sure|certainly|of course|absolutely|unfortunately|(i['’]m )?sorry|well),\s+"
    r"(?=\S+[^\S\n]+\S)",
    re.IGNORECASE,
)
_WORDS: Final = 4
"""Words of a clause that can stand for itself until the rest of the sentence is there."""


def first_clause_end(text: str, *, opener: bool = True) -> int | None:
    """Behind the opening clause of `text` and its white space, once something of what follows is there.

    "Yes, we do" → 5; None: there is no such clause so far. A mere "yes," needs two words behind it, so that
    nobody hears it of a writer who stops there; with `opener` false it is none.
    """
    if opener and (found := _OPENER.match(text)):
        return found.end()
    for match in _CLAUSE.finditer(text):
        if match.end() < len(text) and len(text[: match.start()].split()) >= _WORDS:
            return match.end()
    return None
