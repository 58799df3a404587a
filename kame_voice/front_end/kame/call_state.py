"""One call as the engine sees it: what its row is given each step, and what comes of the result. Pure.

Belongs to the stepping thread; knows neither torch nor asyncio.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.core.nouns import Pcm
from kame_voice.core.oracle_stream import (
    OracleAppend,
    OracleClose,
    OracleConfirm,
    OracleOpen,
    OracleWithdraw,
    OracleWrite,
)
from kame_voice.front_end.base import SpokenFrame, SpokenWord
from kame_voice.front_end.kame.cursor import OracleCursor
from kame_voice.front_end.kame.errors import EngineFaulted
from kame_voice.front_end.kame.script import FREE, ForcedScript
from kame_voice.front_end.kame.words import TextTokens, WholeWords, WordJoiner
from kame_voice.hearing.base import BargedIn, HeardFrame, TurnStarted

__all__ = ["CallState", "Rules", "Vocabulary"]

_AUDIBLE: Final = 0.003
"""RMS above which a frame counts as speech: −50 dBFS. Mimi's silence lies 10 to 20 dB under it."""
_PAUSE_FRAMES: Final = 6
"""480 ms of silence end an utterance."""
_QUIET_FRAMES: Final = 6
_FORGIVEN: Final = 3
"""Steps without a caller frame until silence is fed in its place: 240 ms."""
_BACKLOG: Final = 12
"""Caller frames kept waiting; beyond about a second the oldest are dropped, and counted."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The text tokens of a model."""

    pieces: TextTokens
    padding: int
    end_padding: int
    opening: int
    card: int


@dataclass(frozen=True, slots=True)
class Rules:
    """When a long call is re-primed, in steps since it was last primed.

    From `soft` on at the first quiet moment; at `hard` in any case, before the ring of keys wraps.
    """

    soft: int
    hard: int


@dataclass(slots=True)
class CallState:
    """`said` is called with (script, whole) when a script has been spoken or was cut short."""

    row: int
    vocabulary: Vocabulary
    rules: Rules
    said: Callable[[ForcedScript, bool], None]
    cursor: OracleCursor = field(init=False)
    frames: deque[HeardFrame] = field(default_factory=deque)
    scripts: deque[ForcedScript] = field(default_factory=deque)
    age: int = 0
    starved: int = 0
    begun: bool = False
    dropped: int = 0
    _joiner: WordJoiner = field(init=False)
    _texts: dict[str, WholeWords] = field(default_factory=dict)
    _showing: ForcedScript | None = None
    _utterance: int = -1
    _still: int = _PAUSE_FRAMES
    _voiced: int = 0
    _answering: str | None = None
    _cut: bool = False
    _owed: tuple[str, str | None] | None = None

    def __post_init__(self) -> None:
        words = self.vocabulary
        self.cursor = OracleCursor(padding=words.padding, opening=words.opening)
        self._joiner = self._new_joiner()

    # What the call's side hands in.

    def hear(self, frame: HeardFrame) -> None:
        """A caller frame; barge-in acts at once."""
        self.begun = True
        self.frames.append(frame)
        while len(self.frames) > _BACKLOG:
            self.frames.popleft()
            self.dropped += 1
        for event in frame.events:
            if isinstance(event, BargedIn):
                self._stop_interruptible()
            elif isinstance(event, TurnStarted):
                self._close_answered()

    def guide(self, write: OracleWrite) -> None:
        """An oracle write; text becomes tokens word by word."""
        match write:
            case OracleOpen(id=oracle_id):
                self._texts.setdefault(oracle_id, WholeWords(self.vocabulary.pieces))
                self.cursor.open(oracle_id)
            case OracleAppend(id=oracle_id, text=text):
                if (words := self._texts.get(oracle_id)) is not None:
                    self.cursor.append(oracle_id, words.feed(text))
            case OracleClose(id=oracle_id):
                if (words := self._texts.pop(oracle_id, None)) is not None:
                    self.cursor.append(oracle_id, words.flush())
            case OracleWithdraw(id=oracle_id):
                self._texts.pop(oracle_id, None)
                self.cursor.withdraw(oracle_id)
            case OracleConfirm():
                pass

    def say(self, script: ForcedScript) -> None:
        """Force a script after those before it; an answer under way is ended."""
        if not self.scripts and self._answering is not None:
            self.cursor.withdraw(self._answering)
            self._answering = None
        self.scripts.append(script)

    # The step.

    def wants_step(self) -> bool:
        """Whether the row steps this tick; a call without a frame waits, for a while."""
        if self.frames:
            self.starved = 0
            return True
        if not self.begun:
            return False
        self.starved += 1
        return self.starved > _FORGIVEN

    def next_frame(self, silence: Pcm) -> Pcm:
        """The caller audio of this step."""
        if not self.frames:
            return silence
        frame = self.frames.popleft()
        self._voiced = 0 if frame.voiced else self._voiced + 1
        return frame.pcm

    def next_oracle(self) -> int:
        """The oracle token of this step; padding while exact words are spoken, so that none is lost."""
        if self.scripts:
            return self.vocabulary.padding
        reading = self.cursor.read()
        if reading.oracle_id is not None:
            self._answering = reading.oracle_id
        return reading.token

    def next_forced(self) -> NDArray[np.int64]:
        """The forced tokens [9] of this step. A script that follows another starts in the step that
        finishes it, so that no frame is lost between them."""
        row: NDArray[np.int64] = np.full(9, FREE, dtype=np.int64)
        for script in self.scripts:
            if not script.forcing:
                continue
            closing = script.begun >= script.frames
            forced = script.row()
            row = np.where(forced == FREE, row, forced)
            if not closing:
                break
        return row

    def take(self, tokens: NDArray[np.int64], pcm: Pcm) -> SpokenFrame:
        """The result of this step as the agent's frame."""
        self.age += 1
        unready = tokens[0] < 0
        cut, self._cut = self._cut, False
        shown, words = self._script_shows()
        if shown:
            ended = self._joiner.flush()
        elif self._owed is not None:
            ended, self._owed = self._owed, None
        else:
            ended = None if unready else self._joiner.feed(int(tokens[0]), self.cursor.in_force)
        sound = np.zeros_like(pcm) if unready else pcm
        audible = shown or (not unready and float(np.sqrt(np.mean(sound * sound))) > _AUDIBLE)
        self._count_utterances(audible or ended is not None)
        spoken = [SpokenWord(ended[0], self._utterance, ended[1])] if ended else []
        spoken += [SpokenWord(word, self._utterance, verbatim=True) for word in words]
        self._finish_scripts()
        return SpokenFrame(sound, tuple(spoken), bool(spoken) or self._still < _PAUSE_FRAMES, cut)

    def _script_shows(self) -> tuple[bool, tuple[str, ...]]:
        for script in self.scripts:
            shown, words = script.shows()
            if shown:
                if script is not self._showing:
                    self._showing = script
                    self._still = _PAUSE_FRAMES
                return True, words
        return False, ()

    def _count_utterances(self, audible: bool) -> None:
        if not audible:
            self._still += 1
            return
        if self._still >= _PAUSE_FRAMES:
            self._utterance += 1
        self._still = 0

    def _finish_scripts(self) -> None:
        while self.scripts and self.scripts[0].over and not self.scripts[0].forcing:
            self._still = _PAUSE_FRAMES
            self.said(self.scripts.popleft(), True)

    def _stop_interruptible(self) -> None:
        kept: deque[ForcedScript] = deque()
        for script in self.scripts:
            if script.interruptible:
                self._cut = self._cut or script.begun > 0
                self._still = _PAUSE_FRAMES
                self.said(script, False)
            else:
                kept.append(script)
        self.scripts = kept

    def _close_answered(self) -> None:
        """A new turn: an oracle that was complete and wholly fed is no longer in force."""
        oracle_id = self.cursor.in_force
        if oracle_id is not None and oracle_id not in self._texts and not self.cursor.waiting:
            self.cursor.drop_running()

    # Long calls.

    def wants_priming(self) -> bool:
        """Whether the row's memory is to be wiped now, before it wraps. Never amid exact words, so
        that one is primed before those that would not fit."""
        if self.scripts:
            first = self.scripts[0]
            return first.begun == 0 and self.age > 0 and self.age + first.frames >= self.rules.hard
        busy = self._joiner.under_way or self.cursor.waiting
        quiet = self._still >= _PAUSE_FRAMES and self._voiced >= _QUIET_FRAMES and not busy
        return self.age >= self.rules.hard or (self.age >= self.rules.soft and quiet)

    def primed(self) -> None:
        """The memory was wiped. A word under way is complete: the next frame carries it."""
        self.age = 0
        self._owed = self._joiner.flush()

    def abandon(self) -> None:
        """The call or the engine is over: nothing more is said."""
        while self.scripts:
            self.said(self.scripts.popleft(), False)

    def _new_joiner(self) -> WordJoiner:
        words = self.vocabulary
        return WordJoiner(words.pieces, padding=words.padding, end_padding=words.end_padding, card=words.card)


def check_frame(frame: HeardFrame, samples: int) -> None:
    """Raise EngineFaulted for a frame of the wrong length: it would break the batch of all calls."""
    if frame.pcm.shape != (samples,):
        raise EngineFaulted(f"a caller frame has {len(frame.pcm)} samples, not {samples}")
