"""What hearings of one turn add up to: its text, and how much of it stands. Pure; knows no audio."""

from __future__ import annotations

from kame_voice.oracle.words import same_word

__all__ = ["TurnText", "agreed"]


def agreed(before: str, now: str) -> str:
    """The longest run of leading words of `now` that `before` has as well (LocalAgreement-2).

    Case and punctuation do not count: whisper changes them while a sentence grows.
    """
    words = now.split()
    shared = 0
    for old, new in zip(before.split(), words, strict=False):
        if not same_word(old, new):
            break
        shared += 1
    return " ".join(words[:shared])


class TurnText:
    """The text of one turn, put together from its windows as they are heard."""

    def __init__(self) -> None:
        self._closed: dict[int, str] = {}
        self._open_segment = 0
        self._text = ""
        self._stable = ""

    def heard(self, segment: int, text: str) -> None:
        """A hearing of window `segment`. One of a window that is closed by now changes nothing."""
        if segment < self._open_segment or segment in self._closed:
            return
        if segment > self._open_segment:
            self._open_segment, self._text, self._stable = segment, "", ""
        self._stable = agreed(self._text, text)
        self._text = text

    def closed(self, segment: int, text: str) -> None:
        """The last hearing of window `segment`: its text stands."""
        self._closed[segment] = text
        if segment >= self._open_segment:
            self._open_segment, self._text, self._stable = segment + 1, "", ""

    def settle(self) -> None:
        """The caller paused: all that was heard counts as stable."""
        self._stable = self._text

    def complete(self, segment: int) -> bool:
        """Every window before `segment` has been heard to its end."""
        return all(number in self._closed for number in range(segment))

    @property
    def text(self) -> str:
        """Everything understood so far."""
        return self._with_closed(self._text)

    @property
    def stable(self) -> str:
        """The leading part of `text` that two hearings agreed on."""
        return self._with_closed(self._stable)

    def _with_closed(self, tail: str) -> str:
        parts = [self._closed[number] for number in sorted(self._closed)]
        return " ".join(part for part in (*parts, tail) if part)
