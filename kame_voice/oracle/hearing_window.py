"""Which stretch of the caller's audio is to be transcribed, and when. Pure; knows no model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.hearing.base import (
    TurnEnded,
    TurnEvent,
    TurnStarted,
    VoiceLapsed,
    VoiceOnset,
    VoicePaused,
    VoiceResumed,
)

__all__ = ["STT_RATE", "Hearing", "HearingWindow", "Reason", "TurnGoesOn", "TurnOver", "Wanted"]

STT_RATE: Final = 16_000
"""Hz of the audio that whisper reads."""

_MS: Final = STT_RATE // 1000
_PREROLL_MS: Final = 300
"""Audio kept from before the first voiced moment: soft first sounds ("h", "f") lie there."""
_KEPT_MS: Final = 3_000
"""Audio kept while nobody talks: the longest wait from a voice's onset to its turn, and the preroll."""
_STEP_MS: Final = 500
"""New audio after which another partial is worth its price."""
_FIRST_MS: Final = 600
"""Voice before the first partial: less holds no word that can be told from another."""
_LONG_MS: Final = 18_000
"""A window this long is closed at the next pause of `_CUT_PAUSE_MS`, so that its decode stays short."""
_CUT_PAUSE_MS: Final = 160
"""Longer than a closure within a word."""
_LONGEST_MS: Final = 27_000
"""A window this long is closed without a pause: whisper reads 30 s at most."""
_CUT_SEARCH_MS: Final = 3_000
"""How far back from `_LONGEST_MS` the quietest moment is looked for, to cut between two words."""
_CUT_GRAIN_MS: Final = 40
_ONE_WINDOW_MS: Final = 12_000
"""A turn that goes on is read anew from its beginning while that lies no further back: a whole sentence is
understood better than its halves, and no word is cut where they meet."""
_ONE_PAUSE_MS: Final = 2_500
"""After a longer pause what was said before stands as it was read."""


class Reason(Enum):
    """Why a stretch is to be transcribed."""

    PARTIAL = auto()
    """The caller talks on; a newer one may take its place."""
    PAUSE = auto()
    """The caller fell silent: if the turn ends here, this hearing is its final."""
    SEGMENT = auto()
    """The window is full: this text stands, and the turn goes on in a new window."""
    FINAL = auto()
    """The turn ended without a pause that was heard."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """A stretch to transcribe: `audio` [n] at 16 kHz, the `segment`-th window of turn `turn`.

    `voiced_ms`: how much of it held the caller's voice. `covers_ms`: where it ends on the media clock.
    `names`: what may well be in it.
    """

    turn: int
    segment: int
    reason: Reason
    turn_start_ms: int
    covers_ms: int
    voiced_ms: int
    audio: NDArray[np.float32]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnOver:
    """Turn `turn` ended; its text is complete once segment `segment` was heard up to its end."""

    turn: int
    segment: int
    turn_start_ms: int
    covers_ms: int


@dataclass(frozen=True, slots=True)
class TurnGoesOn:
    """Turn `turn` was not over: what comes next belongs to it."""

    turn: int


Wanted = Hearing | TurnOver | TurnGoesOn


@dataclass(slots=True)
class _Kept:
    """Audio of a turn that ended, should the caller go on with it. `voiced`: by frame."""

    audio: list[NDArray[np.float32]]
    voiced: list[bool]
    start_ms: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + sum(len(pcm) for pcm in self.audio) // _MS

    def drop_from(self, at_ms: int) -> None:
        while self.audio and self.end_ms > at_ms:
            self.audio.pop()
            self.voiced.pop()


class HearingWindow:
    """Follows one call's turns, frame by frame, and keeps the audio of the one under way.

    `names` go with every hearing.
    """

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._names = names
        self._audio: list[NDArray[np.float32]] = []
        self._voiced: list[bool] = []
        self._start_ms = 0
        self._length = 0
        self._turn = 0
        self._segment = 0
        self._turn_start_ms = 0
        self._in_turn = False
        self._onset = False
        self._paused_ms: int | None = None
        self._asked_ms = 0
        self._last_turn_end_ms = 0
        self._last: _Kept | None = None

    def hear(
        self, pcm: NDArray[np.float32], at_ms: int, voiced: bool, events: tuple[TurnEvent, ...]
    ) -> list[Wanted]:
        """Take the next frame, [n] at 16 kHz, with the ear's events; what is to be done now."""
        if not (self._in_turn or self._onset):
            self._start_ms = at_ms - self._length // _MS
        self._audio.append(pcm)
        self._voiced.append(voiced)
        self._length += len(pcm)
        wanted: list[Wanted] = []
        for event in events:
            wanted += self._follow(event)
        if not self._in_turn:
            if not self._onset:
                self._keep_from(self._end_ms - _KEPT_MS)
        else:
            wanted += self._ask_if_due() if self._paused_ms is None else self._cut_if_long(self._paused_ms)
        return wanted

    def finish(self) -> list[Wanted]:
        """No more frames come: a turn under way ends with the last one."""
        return self._end_turn(self._end_ms)

    def is_paused_since(self, hearing: Hearing) -> bool:
        """Whether the caller has been silent ever since `hearing`: its words may be their last."""
        paused_ms = self._paused_ms
        return hearing.turn == self._turn and paused_ms is not None and hearing.covers_ms >= paused_ms

    @property
    def _end_ms(self) -> int:
        return self._start_ms + self._length // _MS

    def _follow(self, event: TurnEvent) -> list[Wanted]:
        match event:
            case VoiceOnset(at_ms):
                self._onset = True
                self._keep_voice_from(at_ms)
            case VoiceLapsed():
                self._onset = False
            case TurnStarted(at_ms, goes_on):
                return self._start_turn(at_ms, goes_on)
            case VoicePaused(at_ms):
                self._paused_ms = at_ms
                return [self._take(Reason.PAUSE)]
            case VoiceResumed():
                self._paused_ms = None
            case TurnEnded(_, end_ms):
                return self._end_turn(end_ms)
            case _:
                pass
        return []

    @property
    def _window_ms(self) -> int:
        return self._end_ms - self._start_ms

    def _start_turn(self, at_ms: int, goes_on: bool) -> list[Wanted]:
        if not self._onset:
            self._keep_voice_from(at_ms)
        self._asked_ms = at_ms + _FIRST_MS - _STEP_MS
        self._in_turn, self._onset, self._paused_ms = True, False, None
        if goes_on and self._last is not None:
            return [TurnGoesOn(self._turn), *self._put_before(self._last)]
        self._turn += 1
        self._segment = 0
        self._turn_start_ms = at_ms
        return []

    def _put_before(self, last: _Kept) -> list[Wanted]:
        """Let the window begin with what was said before the pause, or close it there and begin another."""
        last.drop_from(self._start_ms)
        if not last.audio:
            return []
        pause_ms = self._start_ms - last.end_ms
        if self._start_ms - last.start_ms > _ONE_WINDOW_MS or pause_ms > _ONE_PAUSE_MS:
            voiced_ms = _voiced_ms(last.audio, last.voiced)
            closed = self._hearing(Reason.SEGMENT, np.concatenate(last.audio), voiced_ms, last.end_ms)
            self._segment += 1
            return [closed]
        # Silent: what sounded in it may have been our own voice.
        pause = np.zeros(self._length_of(last.start_ms) - sum(map(len, last.audio)), np.float32)
        self._audio = [*last.audio, pause, *self._audio]
        self._voiced = [*last.voiced, False, *self._voiced]
        self._start_ms, self._length = last.start_ms, sum(map(len, self._audio))
        return []

    def _length_of(self, start_ms: int) -> int:
        """Samples from `start_ms` to where the window begins."""
        return (self._start_ms - start_ms) * _MS

    def _end_turn(self, end_ms: int) -> list[Wanted]:
        if not self._in_turn:
            return []
        over = TurnOver(self._turn, self._segment, self._turn_start_ms, end_ms)
        unheard = [self._take(Reason.FINAL)] if self._paused_ms is None else []
        self._in_turn, self._paused_ms = False, None
        self._last_turn_end_ms = end_ms
        self._last = _Kept(self._audio.copy(), self._voiced.copy(), self._start_ms)
        return [*unheard, over]

    def _ask_if_due(self) -> list[Wanted]:
        if self._window_ms >= _LONGEST_MS:
            return [self._close_window(Reason.SEGMENT, self._quietest_ms())]
        if self._end_ms - self._asked_ms >= _STEP_MS:
            return [self._take(Reason.PARTIAL)]
        return []

    def _cut_if_long(self, paused_ms: int) -> list[Wanted]:
        if self._window_ms >= _LONG_MS and self._end_ms - paused_ms >= _CUT_PAUSE_MS:
            return [self._close_window(Reason.SEGMENT, self._end_ms)]
        return []

    def _take(self, reason: Reason) -> Hearing:
        self._asked_ms = self._end_ms
        return self._hearing(reason, np.concatenate(self._audio), _voiced_ms(self._audio, self._voiced))

    def _close_window(self, reason: Reason, cut_ms: int) -> Hearing:
        """Take the window up to `cut_ms`; the rest begins the next segment of the same turn."""
        whole = np.concatenate(self._audio)
        cut = (cut_ms - self._start_ms) * _MS
        hearing = self._hearing(reason, whole[:cut], _voiced_ms(self._audio, self._voiced), cut_ms)
        self._segment += 1
        self._audio, self._voiced = [whole[cut:]], [self._voiced[-1]]
        self._start_ms, self._length = cut_ms, len(whole) - cut
        self._asked_ms = self._end_ms
        return hearing

    def _hearing(
        self, reason: Reason, audio: NDArray[np.float32], voiced_ms: int, covers_ms: int | None = None
    ) -> Hearing:
        return Hearing(
            turn=self._turn,
            segment=self._segment,
            reason=reason,
            turn_start_ms=self._turn_start_ms,
            covers_ms=self._end_ms if covers_ms is None else covers_ms,
            voiced_ms=voiced_ms,
            audio=audio,
            names=self._names,
        )

    def _quietest_ms(self) -> int:
        """The quietest moment of the window's last seconds."""
        tail = np.concatenate(self._audio)[-_CUT_SEARCH_MS * _MS :]
        grain = _CUT_GRAIN_MS * _MS
        energy = np.square(tail[: len(tail) // grain * grain].reshape(-1, grain)).sum(axis=1)
        quietest = int(energy.argmin())
        return self._end_ms - len(tail) // _MS + quietest * _CUT_GRAIN_MS + _CUT_GRAIN_MS // 2

    def _keep_voice_from(self, at_ms: int) -> None:
        self._keep_from(max(at_ms - _PREROLL_MS, self._last_turn_end_ms))

    def _keep_from(self, from_ms: int) -> None:
        """Forget what lies before `from_ms`, in whole frames."""
        dropped = 0
        while dropped < len(self._audio) - 1:
            frame_ms = len(self._audio[dropped]) // _MS
            if self._start_ms + frame_ms > from_ms:
                break
            self._start_ms += frame_ms
            self._length -= len(self._audio[dropped])
            dropped += 1
        del self._audio[:dropped], self._voiced[:dropped]


def _voiced_ms(audio: list[NDArray[np.float32]], voiced: list[bool]) -> int:
    return sum(len(pcm) for pcm, holds_voice in zip(audio, voiced, strict=True) if holds_voice) // _MS
