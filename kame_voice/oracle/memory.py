"""What a long call is remembered by: a running summary, and the latest turns word for word. Pure.

The front of a call is never cut off: as long as no model has summed it up, it is told in short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kame_voice.core.nouns import Speaker
from kame_voice.oracle.base import Said

__all__ = ["CallMemory", "Remembered", "told_in_short"]

_LONG: Final = 500
"""Words of conversation from which on it is summed up: six minutes of lively talk."""
_RECENT: Final = 8
"""Turns that are always told word for word."""
_DUE: Final = 6
"""Turns not yet summed up, before the ones told word for word, that make a new summary worth asking for."""
_WORDS_A_TURN: Final = 14
_SHORT: Final = 160
"""Longest tale told in short, in words."""
_FIRST_SENTENCE: Final = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Remembered:
    """`summary` of what lies before `recent`; empty where all is told word for word."""

    summary: str
    recent: tuple[Said, ...]


class CallMemory:
    """One call's. A summary that a model wrote covers the first turns of the call, up to a certain one."""

    def __init__(self) -> None:
        self._summary = ""
        self._covered = 0

    def view(self, history: tuple[Said, ...]) -> Remembered:
        """How the conversation is told now."""
        if not self._is_long(history):
            return Remembered("", history)
        keep = max(self._covered, len(history) - _RECENT)
        between = history[self._covered : keep]
        tale = " ".join(part for part in (self._summary, told_in_short(between)) if part)
        return Remembered(tale, history[keep:])

    def due(self, history: tuple[Said, ...]) -> tuple[Said, ...]:
        """The turns that a new summary is to take in; none while that is not worth it."""
        until = len(history) - _RECENT
        if not self._is_long(history) or until - self._covered < _DUE:
            return ()
        return history[self._covered : until]

    def learned(self, summary: str, turns: int) -> None:
        """A model has summed up the summary so far and `turns` more turns."""
        self._summary = " ".join(summary.split())
        self._covered += turns

    @property
    def summary(self) -> str:
        """What a model has written so far."""
        return self._summary

    def _is_long(self, history: tuple[Said, ...]) -> bool:
        return (
            len(history) > _RECENT
            and sum(len(said.text.split()) for said in history[self._covered :]) + (self._covered and _LONG)
            > _LONG
        )


def told_in_short(turns: tuple[Said, ...]) -> str:
    """The turns without a model's help: each by its first words, older ones giving way when they are many."""
    told = [
        f"{'The caller said' if said.speaker is Speaker.CALLER else 'You said'}: {_beginning(said.text)}"
        for said in turns
    ]
    words = 0
    kept: list[str] = []
    for number, part in enumerate(reversed(told)):
        words += len(part.split())
        if words > _SHORT and kept:
            callers = [
                _beginning(said.text, 6)
                for said in turns[: len(told) - number]
                if said.speaker is Speaker.CALLER
            ]
            if callers:
                kept.append("Earlier the caller spoke of: " + " / ".join(callers[-12:]))
            break
        kept.append(part)
    return " ".join(reversed(kept))


def _beginning(text: str, limit: int = _WORDS_A_TURN) -> str:
    first = _FIRST_SENTENCE.match(text)
    words = (first[0] if first else text).split()
    return " ".join(words[:limit]) + (" …" if len(words) > limit else "")
