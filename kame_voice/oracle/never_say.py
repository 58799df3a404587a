"""Whether an answer holds words that the line must never say. Pure."""

from __future__ import annotations

from kame_voice.oracle.words import spoken_words

__all__ = ["forbidden_in"]


def forbidden_in(text: str, never_say: tuple[str, ...]) -> str | None:
    """The first of `never_say` whose words stand in `text`, whatever their case and punctuation."""
    words = f" {' '.join(spoken_words(text))} "
    for phrase in never_say:
        wanted = " ".join(spoken_words(phrase))
        if wanted and f" {wanted} " in words:
            return phrase
    return None
