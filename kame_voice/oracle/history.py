"""What a question is told of the conversation before it. Pure."""

from __future__ import annotations

from kame_voice.core.nouns import Speaker
from kame_voice.oracle.base import Said
from kame_voice.oracle.scheduler import Ask
from kame_voice.oracle.words import spoken_words

__all__ = ["without_present_turn"]


def without_present_turn(history: tuple[Said, ...], ask: Ask) -> tuple[Said, ...]:
    """A finished turn may already stand in the history; what it says is not to be said twice."""
    for at in range(len(history) - 1, -1, -1):
        if history[at].speaker is Speaker.CALLER:
            present = ask.is_final and spoken_words(history[at].text) == spoken_words(ask.words)
            return history[:at] + history[at + 1 :] if present else history
    return history
