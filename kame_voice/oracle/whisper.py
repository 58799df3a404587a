"""A supervisor's words for the caller: oracles of a person, in force above every answer until spoken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kame_voice.core.nouns import CallInfo, OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleClose, OracleOpen, OracleWrite
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import AnswerDelta, Note, WhisperRefused
from kame_voice.oracle.generations import Generations
from kame_voice.oracle.ledger import Ledger
from kame_voice.oracle.never_say import forbidden_in
from kame_voice.oracle.scheduler import Ask, Scheduler
from kame_voice.oracle.words import spoken_words

__all__ = ["Whispers"]

_ANY_TURN_MS: Final = 1 << 40
"""Covers whatever the caller says next: it is not an answer to certain words."""
_LONGEST: Final = 600
"""Characters: what a flow allows for a sentence."""


class Whispers:
    """One call's. A newer whisper takes the place of one that is not spoken yet."""

    def __init__(
        self,
        call: CallInfo,
        flow: Flow,
        scheduler: Scheduler,
        generations: Generations,
        guide: Callable[[OracleWrite], None],
        ledger: Ledger,
        note: Note,
    ) -> None:
        self._call = call
        self._flow = flow
        self._scheduler = scheduler
        self._generations = generations
        self._guide = guide
        self._ledger = ledger
        self._note = note
        self._count = 0

    def whisper(self, text: str, by: str) -> str:
        """Put `text` into the oracle stream. Returns its oracle's id. Raises `WhisperRefused`."""
        said = " ".join(text.split())
        where = f"call {self._call.id}"
        if not spoken_words(said) or len(said) > _LONGEST:
            raise WhisperRefused(
                f"a whisper has between one word and {_LONGEST} characters", where=where, do="write it anew"
            )
        if (forbidden := forbidden_in(said, self._flow.never_say)) is not None:
            raise WhisperRefused(
                f"the line never says {forbidden!r}", where=where, do="leave it out, or mend never_say"
            )
        self._count += 1
        id_ = f"{self._call.id}-w{self._count}"
        self._generations.do(self._scheduler.hold(id_))
        self._ledger.asked(Ask(id_, f"({by})", _ANY_TURN_MS, is_final=True), OracleSource.SUPERVISOR)
        self._guide(OracleOpen(id_, OracleSource.SUPERVISOR, _ANY_TURN_MS, is_final=True))
        self._guide(OracleAppend(id_, said))
        self._guide(OracleClose(id_))
        self._ledger.adopted(id_)
        self._ledger.grew(id_, AnswerDelta(said))
        self._ledger.delivered(id_)
        self._note("whisper", oracle=id_, by=by)
        return id_

    def spoken(self, oracle_id: str) -> None:
        """The first word of an oracle sounds."""
        self._generations.do(self._scheduler.spoken(oracle_id))

    def withdraw(self, oracle_id: str, by: str) -> bool:
        """Take a whisper back; false where it is not the one that waits to be spoken."""
        moves = self._scheduler.withdrawn(oracle_id)
        self._generations.do(moves)
        if moves:
            self._note("whisper-withdrawn", oracle=oracle_id, by=by)
        return bool(moves)
