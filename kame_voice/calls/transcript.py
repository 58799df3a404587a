"""What was said on a call, by whom, and how much of it was heard. Pure; knows no store and no leg.

All times in ms on the call's media clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kame_voice.calls.going_on import turn_gone_on
from kame_voice.core.nouns import SAMPLE_RATE, Pcm, Speaker
from kame_voice.front_end.base import SpokenFrame, SpokenWord
from kame_voice.oracle.base import Said, Transcript

__all__ = ["CallTranscript", "Latency", "Portion", "Turn"]

_VOICED: Final = 0.003
"""-50 dBFS: the loudest a pause of a synthetic voice gets, far under its speech."""
_ROUNDING_MS: Final = 2
"""Neighbouring frames may lie so far apart when their samples are told in whole milliseconds."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Words of an agent's turn in a row that one oracle gave, or (None) that it spoke without one."""

    oracle_id: str | None
    words: int = 0
    heard_words: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said, as far as it is known. `index` numbers the turns as they became known.

    `text` is None while nobody has transcribed it and empty where no word was in it. `heard_text`
    (agent): the words that the caller's side confirmed playing. `informed_ms`: where its first word
    spoken on an oracle begins. `word_ms` (agent): where each word that sounded begins, as the front
    end tells. `is_final`: a caller's words will not change any more.
    """

    index: int
    speaker: Speaker
    start_ms: int
    end_ms: int
    text: str | None = None
    heard_text: str | None = None
    verbatim: bool = False
    oracle_ids: tuple[str, ...] = ()
    portions: tuple[Portion, ...] = ()
    utterance: int | None = None
    informed_ms: int | None = None
    word_ms: tuple[int, ...] = ()
    is_open: bool = False
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Latency:
    """One entry an answered turn of the caller's, from its last voiced moment; negative: we began before.

    `response_gap_ms` to our first sound, a holding phrase included; `informed_gap_ms` to the first
    word spoken on an oracle, None where the answer had none.
    """

    response_gap_ms: tuple[int, ...] = ()
    informed_gap_ms: tuple[int | None, ...] = ()


class CallTranscript:
    """The turns of one call. Whatever changed since the last look comes out of `changed_turns`."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._changed: dict[int, None] = {}
        # On their way to the caller: a mark's words, each with the index of its turn.
        self._marks: dict[str, list[tuple[int, SpokenWord]]] = {}
        self._spoken_oracles: dict[str, int] = {}
        self._new_spoken: list[str] = []
        self._mark_count = 0
        self._none_pending = asyncio.Event()
        self._none_pending.set()
        self._agent_turn: dict[int, int] = {}
        self._unsounded: set[int] = set()
        self._sound_from: int | None = None
        self._sound_until = 0
        self._last_end = 0
        self._gap_told: set[int] = set()

    # The caller.

    def goes_on(self, at_ms: int, holding: Sequence[str] = ()) -> bool:
        """Whether the voice that begins at `at_ms` goes on with the caller's last turn; see `going_on`."""
        return turn_gone_on(self.turns, at_ms, holding) is not None

    def caller_started(self, start_ms: int, *, goes_on: bool = False) -> None:
        """The caller takes a turn; its first voiced moment. `goes_on`: their last one was not over."""
        if not goes_on:
            self._new(Speaker.CALLER, start_ms, start_ms, is_open=True)
            return
        turn = [turn for turn in self.turns if turn.speaker is Speaker.CALLER][-1]
        self._gap_told.discard(turn.index)
        self._set(turn, is_open=True, is_final=False)

    def caller_ended(self, end_ms: int) -> None:
        """The turn under way is over; its last voiced moment."""
        for turn in reversed(self._turns):
            if turn.speaker is Speaker.CALLER and turn.is_open:
                self._set(turn, end_ms=max(end_ms, turn.start_ms), is_open=False)
                return

    def caller_said(self, transcript: Transcript) -> None:
        """What the caller's words are, as far as understood: a partial or the final version."""
        turn = self._caller_turn(transcript.turn_start_ms)
        if turn is None:
            if not transcript.text:
                return
            start_ms = transcript.turn_start_ms
            turn = self._new(
                Speaker.CALLER, start_ms, start_ms, is_open=not transcript.is_final, text=transcript.text
            )
            if transcript.is_final:
                turn = self._set(turn, end_ms=max(start_ms, transcript.covers_ms))
        if turn.is_final:
            return
        text = transcript.text if transcript.text or transcript.is_final else turn.text
        end_ms = max(turn.end_ms, transcript.covers_ms) if turn.is_open else turn.end_ms
        # The final of a turn that the caller has gone on with meanwhile is none.
        self._set(turn, text=text, end_ms=end_ms, is_final=transcript.is_final and not turn.is_open)

    # The agent.

    def speak(self, words: Sequence[SpokenWord]) -> tuple[str, ...]:
        """These words are about to be handed to the leg: the mark to send after them, if any."""
        if not words:
            return ()
        name = f"w{self._mark_count}"
        self._mark_count += 1
        self._marks[name] = [(self._word(word).index, word) for word in words]
        self._none_pending.clear()
        return (name,)

    def agent_sounded(self, frame: SpokenFrame, start_ms: int, end_ms: int) -> int | None:
        """The frame sounds from `start_ms` to `end_ms`; hand its words to `speak` first.

        Returns the response gap in ms where this is the first sound after an ended turn of the
        caller's, else None. It is told once a turn; `latency` has the final word.
        """
        if not frame.speaking and not frame.words:
            self._sound_from = None
            return None
        if start_ms > self._sound_until + _ROUNDING_MS:
            # Silence need not be told: a hole in the frames ends a stretch of sound too.
            self._sound_from = None
        self._sound_until = end_ms
        gap_ms = None
        if self._sound_from is None:
            onset = _onset(frame.pcm)
            if onset is not None or frame.words:
                self._sound_from = start_ms + (onset or 0) * 1000 // SAMPLE_RATE
                gap_ms = self._live_gap(self._sound_from)
        for word in frame.words:
            self._sounded(word, start_ms, end_ms)
        return gap_ms

    def heard(self, mark: str) -> None:
        """The caller's side played everything up to this mark. A cleared or unknown one means nothing."""
        found = self._marks.pop(mark, None)
        if found is None:
            return
        for index, word in found:
            turn = self._turns[index]
            portions = _heard(turn.portions, word.oracle_id, len(word.text.split()))
            self._set(turn, heard_text=_joined(turn.heard_text, word.text), portions=portions)
        self._note_pending()

    def cleared(self, marks: Iterable[str], at_ms: int | None = None) -> None:
        """Speech up to these marks was thrown away unheard; they mean nothing from now on.

        `at_ms`: when the agent fell silent; its turns end there at the latest.
        """
        cut = {index for name in marks for index, _ in self._marks.pop(name, ())}
        for turn in (self._turns[index] for index in cut if at_ms is not None):
            self._set(turn, end_ms=max(turn.start_ms, min(turn.end_ms, at_ms or 0)))
        self._sound_from = None
        self._note_pending()

    async def all_heard(self) -> None:
        """Return once no mark is under way."""
        await self._none_pending.wait()

    # What comes of it.

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns, in the order in which they began."""
        return tuple(sorted(self._turns, key=lambda turn: (turn.start_ms, turn.index)))

    def changed_turns(self) -> list[Turn]:
        """The turns that are new or different since the last look."""
        changed = [self._turns[index] for index in self._changed if index not in self._unsounded]
        self._changed = {index: None for index in self._changed if index in self._unsounded}
        return changed

    def newly_spoken(self) -> list[tuple[str, int]]:
        """The oracles whose first word has sounded since the last look, each with when it did."""
        new, self._new_spoken = self._new_spoken, []
        return [(oracle_id, self._spoken_oracles[oracle_id]) for oracle_id in new]

    def history(self, before_ms: int | None = None) -> tuple[Said, ...]:
        """The conversation so far, in order; the agent's words only as far as they were heard.

        `before_ms` leaves out turns that begin at or after it, such as the caller's present one.
        """
        said = []
        for turn in self.turns:
            text = turn.heard_text if turn.speaker is Speaker.AGENT else turn.text if turn.is_final else None
            if text and (before_ms is None or turn.start_ms < before_ms):
                cut = turn.speaker is Speaker.AGENT and text != turn.text
                said.append(Said(turn.speaker, text, cut))
        return tuple(said)

    def latency(self) -> Latency:
        """The gaps of the call so far."""
        response: list[int] = []
        informed: list[int | None] = []
        agent = [turn for turn in self.turns if turn.speaker is Speaker.AGENT]
        caller = [t for t in self.turns if t.speaker is Speaker.CALLER and not t.is_open and t.text != ""]
        for turn, following in zip(caller, [*caller[1:], None], strict=False):
            until = following.start_ms if following else None
            # Speech that began in the turn and outlasted it answers it; what was broken off before does not.
            answers = [
                one
                for one in agent
                if turn.start_ms < one.start_ms
                and one.end_ms > turn.end_ms
                and (until is None or one.start_ms < until)
            ]
            if answers:
                response.append(answers[0].start_ms - turn.end_ms)
                known = [one.informed_ms for one in answers if one.informed_ms is not None]
                informed.append(known[0] - turn.end_ms if known else None)
        return Latency(tuple(response), tuple(informed))

    def _word(self, word: SpokenWord) -> Turn:
        index = self._agent_turn.get(word.utterance)
        if index is None:
            turn = self._new(Speaker.AGENT, self._last_end, self._last_end, utterance=word.utterance)
            self._agent_turn[word.utterance] = turn.index
            self._unsounded.add(turn.index)
            turn = self._set(turn, verbatim=True, heard_text="")
        else:
            turn = self._turns[index]
        ids = turn.oracle_ids
        if word.oracle_id is not None and word.oracle_id not in ids:
            ids = (*ids, word.oracle_id)
        verbatim = turn.verbatim and word.verbatim
        portions = _said(turn.portions, word.oracle_id, len(word.text.split()))
        return self._set(
            turn, text=_joined(turn.text, word.text), oracle_ids=ids, portions=portions, verbatim=verbatim
        )

    def _sounded(self, word: SpokenWord, start_ms: int, end_ms: int) -> None:
        turn = self._turns[self._agent_turn[word.utterance]]
        begins = max(start_ms, turn.end_ms)
        if turn.index in self._unsounded:
            # A new utterance within one stretch of sound begins where the last one ended.
            begins = max(self._last_end, self._sound_from or start_ms)
            begins = min(begins, end_ms)
            self._unsounded.discard(turn.index)
            turn = self._set(turn, start_ms=begins)
        if word.oracle_id is not None and turn.informed_ms is None:
            turn = self._set(turn, informed_ms=begins)
        if word.oracle_id is not None and word.oracle_id not in self._spoken_oracles:
            self._spoken_oracles[word.oracle_id] = begins
            self._new_spoken.append(word.oracle_id)
        self._set(turn, end_ms=end_ms, word_ms=(*turn.word_ms, *(begins for _ in word.text.split())))
        self._last_end = end_ms

    def _live_gap(self, sound_ms: int) -> int | None:
        for turn in reversed(self._turns):
            if turn.speaker is Speaker.CALLER and turn.text != "":
                if turn.is_open or turn.index in self._gap_told or turn.start_ms >= sound_ms:
                    return None
                self._gap_told.add(turn.index)
                return sound_ms - turn.end_ms
        return None

    def _caller_turn(self, start_ms: int) -> Turn | None:
        """The caller's turn that begins at or, as hearings may differ a little, last before `start_ms`."""
        mine = [turn for turn in self._turns if turn.speaker is Speaker.CALLER]
        for turn in mine:
            if turn.start_ms == start_ms:
                return turn
        around = [
            turn
            for turn in mine
            if turn.start_ms <= start_ms and not turn.is_final and (turn.is_open or start_ms < turn.end_ms)
        ]
        return around[-1] if around else None

    def _new(
        self,
        speaker: Speaker,
        start_ms: int,
        end_ms: int,
        *,
        is_open: bool = False,
        text: str | None = None,
        utterance: int | None = None,
    ) -> Turn:
        turn = Turn(
            len(self._turns), speaker, start_ms, end_ms, text=text, utterance=utterance, is_open=is_open
        )
        self._turns.append(turn)
        self._changed[turn.index] = None
        return turn

    def _set(self, turn: Turn, **changes: object) -> Turn:
        changed = replace(turn, **changes)  # type: ignore[arg-type]
        self._turns[turn.index] = changed
        self._changed[turn.index] = None
        return changed

    def _note_pending(self) -> None:
        if not self._marks:
            self._none_pending.set()


def _joined(text: str | None, word: str) -> str:
    return f"{text} {word.strip()}".strip() if text else word.strip()


def _said(portions: tuple[Portion, ...], oracle_id: str | None, words: int) -> tuple[Portion, ...]:
    """`portions` with so many more words of `oracle_id` at their end."""
    if portions and portions[-1].oracle_id == oracle_id:
        return (*portions[:-1], replace(portions[-1], words=portions[-1].words + words))
    return (*portions, Portion(oracle_id, words)) if words else portions


def _heard(portions: tuple[Portion, ...], oracle_id: str | None, words: int) -> tuple[Portion, ...]:
    """`portions` with so many more words of `oracle_id` heard: those said first are heard first."""
    for place, one in enumerate(portions):
        if one.oracle_id == oracle_id and one.heard_words < one.words:
            more = replace(one, heard_words=min(one.words, one.heard_words + words))
            return (*portions[:place], more, *portions[place + 1 :])
    return portions


def _onset(pcm: Pcm) -> int | None:
    """The first voiced sample, or None in silence."""
    voiced = np.abs(pcm) > _VOICED
    first = int(voiced.argmax()) if len(pcm) else 0
    return first if len(pcm) and voiced[first] else None
