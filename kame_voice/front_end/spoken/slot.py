"""One call's place in the spoken front end: who speaks when. Does not know audio transport or models."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from kame_voice.core.nouns import OracleSource, samples_to_ms
from kame_voice.core.oracle_stream import (
    OracleAppend,
    OracleClose,
    OracleConfirm,
    OracleOpen,
    OracleWithdraw,
    OracleWrite,
)
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.spoken.answer import Answer, Repeats, only_the_same_words
from kame_voice.front_end.spoken.mouth import Mouth
from kame_voice.front_end.spoken.oracle_text import OracleText
from kame_voice.front_end.spoken.owed import Owed
from kame_voice.front_end.spoken.script import Phrase, Sentence, Verbatim
from kame_voice.front_end.spoken.sentences import sentences_of
from kame_voice.front_end.spoken.voice import Need, SpeechMaker
from kame_voice.hearing.base import BargedIn, HeardFrame, TurnEnded, TurnStarted, VoiceLapsed, VoiceOnset

__all__ = ["SpokenSlot"]

_BARELY_MS: Final = 400
"""An answer of which no more than this was handed out may still be exchanged for a better one."""
_NO_HOLD_MS: Final = 1 << 40
_UNHEARD_FRAMES: Final = 10
"""Frames (200 ms) in which speech that was handed out may still lie unplayed at the leg."""


class _Caller(Enum):
    SILENT = auto()
    MAYBE = auto()
    SPEAKING = auto()


class SpokenSlot:
    """Hears, is guided and speaks, all at once. All methods belong to the event loop's thread."""

    def __init__(
        self,
        flow: Flow,
        voice: SpeechMaker,
        frame_samples: int,
        released: Callable[[], None],
        repeats: Repeats = only_the_same_words,
    ) -> None:
        self._voice = voice
        self._repeats = repeats
        self._turns = flow.turns
        self._holding = deque(flow.holding)
        self._mouth = Mouth(frame_samples)
        self._frame_ms = samples_to_ms(frame_samples)
        self._tell_released = released
        self._released = False
        self._caller = _Caller.SILENT
        self._says: deque[Verbatim] = deque()
        self._oracle: OracleText | None = None
        self._owed: Owed | None = None
        self._cut = False
        self._last_interruptible = True

    # Hearing.

    def hear(self, frame: HeardFrame) -> None:
        """See `Slot.hear`. Only the ear's events matter here."""
        for event in frame.events:
            match event:
                case VoiceOnset():
                    self._caller = _Caller.MAYBE
                case VoiceLapsed():
                    self._caller = _Caller.SILENT
                case TurnStarted():
                    self._caller = _Caller.SPEAKING
                    self._owed = None
                    # The ear cannot know yet of speech that was only just handed out.
                    if not isinstance(self._mouth.script, Verbatim):
                        self._interrupt()
                case BargedIn():
                    self._interrupt()
                case TurnEnded(start_ms, end_ms):
                    self._caller = _Caller.SILENT
                    now_ms = frame.at_ms + samples_to_ms(len(frame.pcm))
                    hold_ms = self._turns.hold_after_ms
                    self._owe(Owed(start_ms, end_ms, now_ms, hold_ms, self._repeats))
                case _:
                    pass

    def _owe(self, owed: Owed) -> None:
        self._owed = owed
        owed.follow(self._oracle)

    def _interrupt(self) -> None:
        """The caller takes the turn: throw away what we were saying and what is not heard of it."""
        script = self._mouth.script
        if script is None:
            self._cut |= self._last_interruptible and self._mouth.idle_frames < _UNHEARD_FRAMES
        elif script.interruptible:
            self._cut |= self._mouth.sounding or self._mouth.idle_frames < _UNHEARD_FRAMES
            self._stop()

    # Being guided.

    def guide(self, write: OracleWrite) -> None:
        """See `Slot.guide`."""
        if isinstance(write, OracleOpen):
            self._open(write)
            return
        oracle = self._oracle
        if oracle is None or oracle.id != write.id:
            if isinstance(write, OracleWithdraw):
                self._withdraw_spoken(write.id)
            return
        match write:
            case OracleAppend(_, text):
                oracle.append(text)
            case OracleClose():
                oracle.close()
            case OracleConfirm(_, covers_ms, _):
                oracle.covers_ms = max(oracle.covers_ms, covers_ms)
                self._follow(oracle)
            case OracleWithdraw():
                oracle.withdrawn = True
                oracle.forget_speech()
                self._follow(None)
                self._withdraw_spoken(write.id)

    def _open(self, opening: OracleOpen) -> None:
        if self._released:
            return
        if self._oracle is not None and self._oracle.id != self._mouth.oracle_id:
            self._oracle.forget_speech()
        self._follow(OracleText(opening, self._voice))
        if opening.source is OracleSource.SUPERVISOR and self._owed is None:
            # Nobody asked; a person wants it said all the same, and nothing is held up by it.
            self._owe(Owed(-1, 0, 0, _NO_HOLD_MS, self._repeats))

    def _follow(self, oracle: OracleText | None) -> None:
        self._oracle = oracle
        if self._owed is not None:
            self._owed.follow(oracle)

    def _withdraw_spoken(self, oracle_id: str) -> None:
        """What is being said is void: end it, unless most of the sentence is out already."""
        script = self._mouth.script
        if isinstance(script, Answer):
            script.withdraw(oracle_id)
            if self._mouth.oracle_id == oracle_id and not self._mouth.past_half:
                self._cut |= self._mouth.sounding
                script.take_back()
                self._stop()

    # Speaking.

    async def say(self, text: str, *, interruptible: bool = True) -> bool:
        """See `Slot.say`."""
        if self._released:
            return False
        sentences = [
            Sentence(sentence, self._voice.prepare(sentence, Need.NOW), verbatim=True)
            for sentence in sentences_of(text)
        ]
        if not sentences:
            return True
        said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        verbatim = Verbatim(sentences, said, interruptible=interruptible)
        if self._mouth.script is not None and not isinstance(self._mouth.script, Verbatim):
            self._mouth.stop(fade=True)
            self._owed = None
        self._says.append(verbatim)
        try:
            return await said
        finally:
            if verbatim in self._says:
                self._says.remove(verbatim)
            elif self._mouth.script is verbatim:
                self._mouth.stop(fade=True)

    async def frames(self) -> AsyncIterator[SpokenFrame]:
        """See `Slot.frames`: the next frame is always there at once; whoever iterates paces."""
        while not self._released:
            yield self._next_frame()

    def _next_frame(self) -> SpokenFrame:
        if self._owed is not None:
            self._owed.tick(self._frame_ms)
        self._choose_script()
        script = self._mouth.script
        if script is not None:
            self._last_interruptible = script.interruptible
        ducked = self._caller is _Caller.MAYBE and self._last_interruptible
        frame = self._mouth.next_frame(ducked=ducked)
        if isinstance(script, Verbatim) and self._mouth.script is None:
            script.finish(all_of_it=not self._mouth.failed)
        if self._cut:
            self._cut = False
            return replace(frame, cut=True)
        return frame

    def _choose_script(self) -> None:
        self._reconsider()
        if self._mouth.script is not None:
            return
        if self._says:
            self._mouth.begin(self._says.popleft())
        elif self._owed is not None and self._caller is _Caller.SILENT:
            if self._owed.may_speak():
                self._owed.answer.resume()
                self._mouth.begin(self._owed.answer)
            elif self._owed.hold_is_due():
                self._mouth.begin(self._holding_phrase())

    def _reconsider(self) -> None:
        """Exchange what has hardly begun for what is better."""
        script = self._mouth.script
        if isinstance(script, Answer):
            if samples_to_ms(self._mouth.played) < _BARELY_MS and script.differs_at_once():
                self._cut |= self._mouth.sounding
                script.take_back()
                self._mouth.stop()
        elif self._is_unheard_hold() and self._owed is not None and self._owed.may_speak():
            self._stop()

    def _is_unheard_hold(self) -> bool:
        script = self._mouth.script
        return isinstance(script, Phrase) and not isinstance(script, Verbatim) and not self._mouth.sounding

    def _holding_phrase(self) -> Phrase:
        text = self._holding[0]
        self._holding.rotate(-1)
        return Phrase(
            Sentence(sentence, self._voice.prepare(sentence, Need.NOW, keep=True))
            for sentence in sentences_of(text)
        )

    def _stop(self) -> None:
        script = self._mouth.script
        self._mouth.stop()
        if isinstance(script, Verbatim):
            script.finish(all_of_it=False)
        elif isinstance(script, Phrase):
            script.drop()

    async def release(self) -> None:
        """See `Slot.release`."""
        if self._released:
            return
        self._released = True
        self._stop()
        while self._says:
            self._says.popleft().finish(all_of_it=False)
        if self._oracle is not None:
            self._oracle.forget_speech()
        self._oracle = None
        self._owed = None
        self._tell_released()
