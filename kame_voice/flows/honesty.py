"""Whether an answer admits that it does not know: one opinion for whoever judges or counts answers."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["admits_ignorance"]

_HONEST: Final = re.compile(
    r"\b(don't|do not|didn't|can't|cannot|couldn't) (have|know|tell|say|see|find|help)\b|\bnot sure\b|"
    r"\bno information\b|\bsorry\b",
    re.IGNORECASE,
)


def admits_ignorance(text: str) -> bool:
    """It says, in whichever words, that the answer is not known."""
    return bool(_HONEST.search(text.replace("’", "'")))
