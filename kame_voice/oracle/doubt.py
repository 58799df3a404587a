"""Whether what a recogniser wrote was said at all. Pure; knows no model.

Whisper writes something for every window: "you" for silence, thanks for watching for a fan. The
limits lie between what tiny.en gave for silence, noise, hum and tones (mean log probability −4.6
to −0.8, no-speech probability 0.70–1.0) and for telephone speech (−0.6 to −0.05; 0.01–0.25).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

from kame_voice.oracle.words import spoken_words

__all__ = ["Decoded", "believed"]

_SHORTEST_VOICE_MS: Final = 90
_WORDS_A_SECOND: Final = 9.0
"""More than anyone speaks: auctioneers reach 6."""
_WHOLE_SENTENCE: Final = 4
"""Words of a sentence that nobody says twice for its own sake, as they do "hello? hello?"."""
_SURELY_VOICE: Final = 0.35
"""No-speech probability below which a bad text is bad reading of a voice, not a reading of noise."""
_NEVER_SAID: Final = re.compile(
    r"^(thanks? (you )?for watching|please subscribe|subtitles by|bye bye|you|thank you( very much)?"
    r"|i'm going to (go ahead and )?(do|be).*|the end)$"
)
"""What whisper's training on subtitles makes of silence. Believed only when it is sure."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One window as the recogniser wrote it.

    `logprob`: mean log probability of its tokens. `no_speech`: the model's own opinion that nobody
    speaks, 0..1.
    """

    text: str
    logprob: float
    no_speech: float


def believed(decoded: Decoded, voiced_ms: int) -> str:
    """The text, cleaned of loops and sound descriptions; empty when it was not said."""
    text = _without_second_start(_without_loops(_without_sounds(decoded.text)))
    words = spoken_words(text)
    if not words or voiced_ms < _SHORTEST_VOICE_MS:
        return ""
    if decoded.logprob < _worst_logprob(decoded.no_speech):
        return ""
    if len(words) > 4 and len(words) * 1000 / voiced_ms > _WORDS_A_SECOND:
        return ""
    if _compression(text) > 2.4:
        return ""
    unsure = decoded.no_speech > 0.35 or decoded.logprob < -0.9
    if unsure and _NEVER_SAID.match(" ".join(words)):
        return ""
    return text


def _worst_logprob(no_speech: float) -> float:
    """The surer the model is that nobody speaks, the surer it has to be of its words."""
    if no_speech > 0.6:
        return -0.7
    return -2.0 if no_speech < _SURELY_VOICE else -1.5


def _without_sounds(text: str) -> str:
    """Drop "[music]", "(coughs)", "♪": descriptions, not words."""
    return re.sub(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫]+", " ", text).strip()


def _without_loops(text: str) -> str:
    """Cut a text that repeats a stretch of 1 to 8 words three times or more after its first time."""
    words = text.split()
    keys = [" ".join(spoken_words(word)) for word in words]
    for length in range(1, 9):
        for start in range(len(words) - 4 * length + 1):
            stretch = keys[start : start + length]
            times = 1
            while keys[start + times * length : start + (times + 1) * length] == stretch:
                times += 1
            if times >= 4 and not all(key.isdigit() for key in stretch):
                return " ".join(words[: start + length])
    return " ".join(words)


def _without_second_start(text: str) -> str:
    """Cut what begins the text over again behind a whole sentence: a model that was not told to stop."""
    words = text.split()
    keys = [" ".join(spoken_words(word)) for word in words]
    for at in range(_WHOLE_SENTENCE, len(words) - 1):
        if words[at - 1].endswith((".", "?", "!")) and keys[at:] == keys[: len(words) - at]:
            return " ".join(words[:at])
    return text


def _compression(text: str) -> float:
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if len(raw) > 60 else 1.0
