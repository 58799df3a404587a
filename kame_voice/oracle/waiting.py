"""How long a finished turn waits for the language model's words before the flow's facts answer. Pure."""

from __future__ import annotations

import re
from typing import Final

from kame_voice.core.first_clause import first_clause_end

__all__ = ["CLAUSE_S", "STALL_S", "is_speakable", "wait_s"]

CLAUSE_S: Final = 0.45
"""So much longer than for a first token a finished turn waits for a clause that can be said."""
STALL_S: Final = 0.2
"""An answer that says nothing yet and has not grown for so long has stalled: ten tokens' time."""
_AT_LEAST_S: Final = 0.25
"""Where the end of the turn was long in coming, and the question has only just gone out."""
_SENTENCE: Final = re.compile(r"[.!?…][\"'”’)]*\s|\n")


def wait_s(first_token_s: float, silent_s: float) -> float:
    """Seconds to wait from now: the caller, silent for `silent_s`, is to wait `first_token_s` in all."""
    return max(_AT_LEAST_S, first_token_s - silent_s)


def is_speakable(text: str) -> bool:
    """Whether an answer that is still being written can be begun aloud, with more than a mere "yes,"."""
    return bool(_SENTENCE.search(text)) or first_clause_end(text, opener=False) is not None
