"""The CPU front end: speech made ahead, spoken by turns, in as many slots as the machine is given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Final

from kame_voice.core.nouns import CallInfo
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import NoFreeSlot
from kame_voice.front_end.spoken.answer import Repeats, only_the_same_words
from kame_voice.front_end.spoken.sentences import sentences_of
from kame_voice.front_end.spoken.slot import SpokenSlot
from kame_voice.front_end.spoken.voice import Need, Voice

__all__ = ["SpokenFrontEnd"]

_ANSWERS_AHEAD: Final = 100
"""Beginnings of answers made ahead: more would push each other, and the phrases, out of the cache."""
_FRAME: Final = 480
"""20 ms at 24 kHz: the carrier's own frame, so that ducking and stopping take effect at once."""


class SpokenFrontEnd:
    """Slots that speak with `voice`. A slot is made new for each call, so nothing need be wiped.

    `repeats`: what a better answer tells again in other words need not be said to who has heard it.
    """

    frame_samples = _FRAME

    def __init__(self, voice: Voice, capacity: int, repeats: Repeats = only_the_same_words) -> None:
        self.capacity = capacity
        self._voice = voice
        self._repeats = repeats
        self._taken = 0
        self._open = True

    @property
    def free(self) -> int:
        """Slots that are not taken."""
        return self.capacity - self._taken

    @property
    def ready(self) -> bool:
        """False once `run` has ended: the voice is closed."""
        return self._open

    async def take_slot(self, call: CallInfo, flow: Flow) -> SpokenSlot:
        """See `FrontEnd.take_slot`. The flow's opening words begin to be made at once."""
        if self.free <= 0 or not self._open:
            raise NoFreeSlot(
                f"all {self.capacity} slots are taken", where="front end", do="raise KAME_CAPACITY"
            )
        self._taken += 1
        opening = (flow.disclosure,) if flow.disclosure else ()
        for text, need in (
            *((text, Need.NOW) for text in (*opening, flow.greeting)),
            *((text, Need.MAYBE) for text in flow.holding),
        ):
            for sentence in sentences_of(text):
                self._voice.prepare(sentence, need, keep=True)
        return SpokenSlot(flow, self._voice, self.frame_samples, self._slot_released, self._repeats)

    async def warm(self, flows: Iterable[Flow]) -> None:
        """Make all fixed words of the lines ahead, before anybody calls.

        How each fact's answer begins, and the admission that none is known, is made in the background: an
        answer is then spoken 60 to 100 ms sooner.
        """
        flows = tuple(flows)
        await self._voice.warm(
            text
            for flow in flows
            for text in (flow.disclosure, flow.greeting, *flow.holding, flow.still_there, flow.goodbye)
            if text
        )
        answers = (text for flow in flows for text in (flow.unknown, *(fact.answer for fact in flow.facts)))
        for answer in islice(answers, _ANSWERS_AHEAD):
            self._voice.prepare(sentences_of(answer)[0], Need.MAYBE, keep=True)

    async def run(self) -> None:
        """See `FrontEnd.run`: the voice's threads live until this is cancelled."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._open = False
            self._voice.close()

    def _slot_released(self) -> None:
        self._taken -= 1
