"""One call's streaming speech to text: frames in, transcripts out. Knows no model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from kame_voice.audio.resample import Resampler
from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.hearing.base import HeardFrame
from kame_voice.oracle.base import Transcript
from kame_voice.oracle.doubt import Decoded, believed
from kame_voice.oracle.hearing_window import (
    STT_RATE,
    Hearing,
    HearingWindow,
    Reason,
    TurnGoesOn,
    TurnOver,
    Wanted,
)
from kame_voice.oracle.stt_pool import SttPool
from kame_voice.oracle.turn_text import TurnText

__all__ = ["CallTranscriber"]


@dataclass(slots=True)
class _Turn:
    """A turn whose final is not out yet. `awaited`: hearings without which it is not complete."""

    text: TurnText = field(default_factory=TurnText)
    awaited: list[Hearing] = field(default_factory=list)
    heard_ms: int = 0
    over: TurnOver | None = None


class CallTranscriber:
    """The `Transcriber` of one call. Made and fed on the event loop's thread.

    The hearing at a pause is the final when the turn ends there: nothing is decoded twice.
    `names`: the line's own, which callers may say.
    """

    def __init__(self, call_id: str, pool: SttPool, names: tuple[str, ...] = ()) -> None:
        self._call_id = call_id
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._resampler = Resampler(SAMPLE_RATE, STT_RATE)
        self._window = HearingWindow(names)
        self._turns: dict[int, _Turn] = {}
        self._finished = _Turn()
        self._out: asyncio.Queue[Transcript | None] = asyncio.Queue()
        self._finishing = False
        self._closed = False
        pool.join_call(call_id, self._heard_in_thread)

    def feed(self, frame: HeardFrame) -> None:
        """Take the next frame of the caller's audio with the ear's events. Never blocks."""
        if self._closed or self._finishing:
            return
        pcm = self._resampler.feed(frame.pcm)
        for wanted in self._window.hear(pcm, frame.at_ms, frame.voiced, frame.events):
            self._see_to(wanted)

    async def transcripts(self) -> AsyncIterator[Transcript]:
        """See `Transcriber.transcripts`: partials while the caller talks, then one final a turn."""
        while (transcript := await self._out.get()) is not None:
            yield transcript

    def finish(self) -> None:
        """See `Transcriber.finish`."""
        if not (self._closed or self._finishing):
            self._finishing = True
            for wanted in self._window.finish():
                self._see_to(wanted)
            self._end_if_all_is_told()

    def close(self) -> None:
        """See `Transcriber.close`."""
        if not self._closed:
            self._closed = True
            self._pool.leave_call(self._call_id)
            self._out.put_nowait(None)

    def _see_to(self, wanted: Wanted) -> None:
        match wanted:
            case Hearing():
                self._ask(wanted)
            case TurnOver(number):
                self._turns.setdefault(number, _Turn()).over = wanted
                self._finish_complete_turns()
            case TurnGoesOn(number):
                self._turns.setdefault(number, self._finished).over = None

    def _ask(self, hearing: Hearing) -> None:
        turn = self._turns.setdefault(hearing.turn, _Turn())
        turn.awaited = [kept for kept in turn.awaited if kept.reason is Reason.SEGMENT]
        if hearing.reason is not Reason.PARTIAL:
            turn.awaited.append(hearing)
        self._pool.put(self._call_id, hearing)

    def _heard_in_thread(self, hearing: Hearing, decoded: Decoded | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._heard, hearing, decoded)
        except RuntimeError:  # the loop closed while the window was being decoded: nobody listens
            if not self._loop.is_closed():
                raise

    def _heard(self, hearing: Hearing, decoded: Decoded | None) -> None:
        turn = self._turns.get(hearing.turn)
        if turn is None or self._closed:
            return
        text = believed(decoded, hearing.voiced_ms) if decoded else ""
        if hearing.reason is Reason.SEGMENT:
            turn.text.closed(hearing.segment, text or (turn.text.text if decoded is None else ""))
        elif hearing.covers_ms >= turn.heard_ms:
            turn.heard_ms = hearing.covers_ms
            if decoded is not None:
                turn.text.heard(hearing.segment, text)
            if self._is_last_word(hearing):
                turn.text.settle()
        turn.awaited = [kept for kept in turn.awaited if kept is not hearing]
        if turn.over is None:
            self._tell(turn.text, hearing)
        self._finish_complete_turns()
        self._end_if_all_is_told()

    def _end_if_all_is_told(self) -> None:
        if self._finishing and not self._turns:
            self._out.put_nowait(None)

    def _tell(self, text: TurnText, hearing: Hearing) -> None:
        if text.text:
            self._out.put_nowait(
                Transcript(
                    text=text.text,
                    stable=text.stable,
                    turn_start_ms=hearing.turn_start_ms,
                    covers_ms=hearing.covers_ms,
                    is_final=False,
                    paused=self._is_last_word(hearing),
                )
            )

    def _is_last_word(self, hearing: Hearing) -> bool:
        """The caller has said nothing since: it was a pause, not the closure of a consonant."""
        return hearing.reason is Reason.PAUSE and self._window.is_paused_since(hearing)

    def _finish_complete_turns(self) -> None:
        """Tell the finals of the turns that are complete, in the order in which they were spoken."""
        for number in sorted(self._turns):
            turn = self._turns[number]
            if turn.over is None or turn.awaited:
                return
            text = turn.text.text
            self._out.put_nowait(
                Transcript(text, text, turn.over.turn_start_ms, turn.over.covers_ms, is_final=True)
            )
            self._finished = self._turns.pop(number)
