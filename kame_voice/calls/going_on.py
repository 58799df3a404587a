"""Whether a caller who speaks again goes on with what they said before. Pure; knows no audio.

People pause for a second and more within a sentence, and hear us begin before they are through. As long
as they have not been answered, what they say is one turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kame_voice.core.nouns import Speaker

if TYPE_CHECKING:
    from kame_voice.calls.transcript import Turn

__all__ = ["turn_gone_on"]

_WITHIN_MS: Final = 8_000
"""Silence after which somebody begins anew, even where no answer has come."""
_HARDLY_HEARD_MS: Final = 1_000
"""An answer that is interrupted no later than this has not been listened to."""
_STILL_SOUNDING_MS: Final = 400
"""An agent's turn ends, as far as is known, where its last word began: so much later it may still sound."""


def turn_gone_on(turns: Sequence[Turn], at_ms: int, holding: Sequence[str]) -> Turn | None:
    """The caller's turn that goes on with the voice that begins at `at_ms`; None: a new one begins.

    It goes on where the caller has heard no answer since, or has interrupted one within its first second.
    A `holding` phrase is no answer. `turns` in the order in which they began.
    """
    mine = [turn for turn in turns if turn.speaker is Speaker.CALLER and turn.start_ms < at_ms]
    last = mine[-1] if mine else None
    if last is None or last.is_open or last.text == "" or at_ms - last.end_ms > _WITHIN_MS:
        return None
    answers = [
        turn
        for turn in turns
        if turn.speaker is Speaker.AGENT
        and turn.start_ms < at_ms
        and turn.end_ms > last.end_ms
        and not _holds(turn.text or "", holding)
    ]
    if not answers:
        return last
    hardly_heard = at_ms - max(answers[0].start_ms, last.end_ms) <= _HARDLY_HEARD_MS
    interrupted = answers[-1].end_ms >= at_ms - _STILL_SOUNDING_MS
    return last if hardly_heard and interrupted else None


def _holds(text: str, holding: Sequence[str]) -> bool:
    """Whether `text` is a holding phrase, or the beginning of one that was broken off."""
    return any(phrase.startswith(text) for phrase in holding)
