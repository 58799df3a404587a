"""When each word of a turn was said: measured where the record knows, else spread over the turn. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kame_voice.store.calls import CallTurn

__all__ = ["TimedWord", "timed_words"]


@dataclass(frozen=True, slots=True)
class TimedWord:
    """`at_ms` is where it begins; None where it was never spoken. `is_heard`: the caller's side played it.

    `is_measured`: the time is the record's, not an estimate.
    """

    text: str
    at_ms: int | None
    is_heard: bool
    is_measured: bool


def timed_words(turn: CallTurn) -> list[TimedWord]:
    """The words of `turn` in order.

    Estimated times follow the letters: a turn's length is shared out by the length of its words, an
    agent's by those that were heard.
    """
    words = turn.text.split()
    heard = len(words) if turn.heard_text is None else min(len(words), len(turn.heard_text.split()))
    known = turn.word_ms or []
    estimates = _spread(words[: max(heard, 1)], turn.start_ms, turn.end_ms) if not known else []
    return [
        TimedWord(
            word,
            known[number] if number < len(known) else estimates[number] if number < len(estimates) else None,
            is_heard=number < heard,
            is_measured=number < len(known),
        )
        for number, word in enumerate(words)
    ]


def _spread(words: Sequence[str], start_ms: int, end_ms: int) -> list[int]:
    """Begin of each word; a word's share is its letters and one for the gap after it."""
    total = sum(len(word) + 1 for word in words) or 1
    times, before = [], 0
    for word in words:
        times.append(start_ms + (end_ms - start_ms) * before // total)
        before += len(word) + 1
    return times
