"""One call as its page shows it: turns with their words, answers and candidates, on one time axis. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Final

from kame_voice.review.words import TimedWord, timed_words
from kame_voice.store.calls import CallDetail, CallEvent, CallOracle, CallTurn

__all__ = ["CallView", "Candidate", "Lane", "Moment", "TurnView", "view_of"]

LANE_WIDTH: Final = 1000
"""Units of a turn's lane from its begin to its end."""
STRIP_WIDTH: Final = 10_000
"""Units of the call's lane."""
_Spoken = dict[str, tuple[int, int]]
"""Oracle → number of the turn that speaks it first, words of it spoken."""
_NARROWEST: Final = 120
"""An answer that took milliseconds is still drawn as wide as that part of its lane, to be seen."""
_SLOW_GAP_MS: Final = 1_000
_TROUBLE: Final = {"hang-up-failed", "leg-closed", "recording-stopped", "interrupted"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An oracle on its turn's lane: `x` and `width` of LANE_WIDTH, from asking to the last of its text."""

    oracle: CallOracle
    x: int
    width: int
    kind: str
    spoken_in: int | None
    spoken_words: int

    @property
    def tokens(self) -> int:
        """Of the model, in and out, cached ones included."""
        one = self.oracle
        parts = (one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens)
        return sum(part or 0 for part in parts)


@dataclass(frozen=True, slots=True)
class Lane:
    """The candidates that were asked for during a caller's turn; the turn's end on the same axis."""

    candidates: tuple[Candidate, ...]
    start_ms: int
    end_ms: int
    turn_end_x: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Words in a row of one source; `answer` is the place of its oracle among the turn's, from 1."""

    heard: str
    unheard: str
    is_ungrounded: bool
    answer: int | None

    @property
    def text(self) -> str:
        return f"{self.heard} {self.unheard}".strip()


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn. `gap_ms` (agent): from the end of the caller's turn to its first sound.

    `passages` and `answers` (agent): its words by where they came from, and the oracles they came from.
    """

    number: int
    turn: CallTurn
    words: tuple[TimedWord, ...]
    lane: Lane | None
    passages: tuple[Passage, ...]
    answers: tuple[CallOracle, ...]
    gap_ms: int | None

    is_turn: ClassVar[bool] = True

    @property
    def word_times(self) -> str:
        """When each of the words heard begins, in ms, for the page's script: it needs them in view only."""
        return " ".join(str(word.at_ms) for word in self.words if word.is_heard)

    @property
    def unsourced(self) -> str | None:
        """What it asserts without a fact of the flow, sentence by sentence; None where nothing."""
        return " … ".join(one.text for one in self.passages if one.is_ungrounded) or None

    @property
    def is_all_unsourced(self) -> bool:
        return bool(self.passages) and all(one.is_ungrounded for one in self.passages)

    @property
    def is_slow(self) -> bool:
        return self.gap_ms is not None and self.gap_ms > _SLOW_GAP_MS


@dataclass(frozen=True, slots=True)
class Moment:
    """An event between turns."""

    event: CallEvent
    text: str
    is_trouble: bool
    is_turn: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class CallView:
    """The call, its `story` (turns and moments in order of time) and the lane of all its candidates."""

    call: CallDetail
    story: tuple[TurnView | Moment, ...]
    strip: tuple[Candidate, ...]
    length_ms: int

    has_estimates: bool

    @property
    def has_turns(self) -> bool:
        """Anything was said."""
        return bool(self.call.turns)


def view_of(call: CallDetail) -> CallView:
    """Everything the page needs. A call of 600 turns takes some 10 ms."""
    length_ms = max(
        call.duration_ms or 0,
        *(turn.end_ms for turn in call.turns),
        *(oracle.asked_ms for oracle in call.oracles),
        1,
    )
    spoken = _spoken(call.turns)
    oracles = {oracle.id: oracle for oracle in call.oracles}
    lanes = _lanes(call.turns, call.oracles, spoken)
    turns = [
        TurnView(
            number=number,
            turn=turn,
            words=tuple(timed_words(turn)),
            lane=lanes.get(number),
            passages=_passages(turn),
            answers=tuple(oracles[id_] for id_ in turn.oracle_ids if id_ in oracles),
            gap_ms=_gap(call.turns, number),
        )
        for number, turn in enumerate(call.turns)
    ]
    moments = [_moment(event) for event in call.events]
    story: list[TurnView | Moment] = sorted(
        [*turns, *moments],
        key=lambda one: one.turn.start_ms if isinstance(one, TurnView) else one.event.at_ms,
    )
    strip = tuple(_candidate(oracle, 0, length_ms, STRIP_WIDTH, spoken) for oracle in call.oracles)
    estimates = any(not word.is_measured for turn in turns for word in turn.words)
    return CallView(call, tuple(story), strip, length_ms, estimates)


def _spoken(turns: Sequence[CallTurn]) -> _Spoken:
    """Where each oracle was spoken first, and how many words of it in all."""
    found: _Spoken = {}
    for number, turn in enumerate(turns):
        words: Counter[str | None] = Counter()
        for one in turn.portions:
            words[one.oracle_id] += one.words
        for id_ in turn.oracle_ids:
            first, before = found.get(id_, (number, 0))
            found[id_] = (first, before + words[id_])
    return found


def _passages(turn: CallTurn) -> tuple[Passage, ...]:
    """Sentences of the same source are one passage; a caller's words are one without any."""
    ids = list(turn.oracle_ids)
    found = []
    for (id_, grounded), group in groupby(turn.sentences, key=lambda one: (one.oracle_id, one.grounded)):
        sentences = list(group)
        words = " ".join(one.text for one in sentences).split()
        heard = sum(one.heard_words for one in sentences)
        answer = ids.index(id_) + 1 if id_ in ids else None
        found.append(Passage(" ".join(words[:heard]), " ".join(words[heard:]), grounded is False, answer))
    return tuple(found) or (Passage(" ".join(turn.text.split()), "", False, None),) if turn.text else ()


def _lanes(turns: Sequence[CallTurn], oracles: Iterable[CallOracle], spoken: _Spoken) -> dict[int, Lane]:
    """Each oracle belongs to the last turn of the caller's that had begun when it was asked."""
    asked: dict[int, list[CallOracle]] = {}
    mine = [number for number, turn in enumerate(turns) if turn.speaker == "caller"]
    at = 0
    for oracle in oracles:
        while at + 1 < len(mine) and turns[mine[at + 1]].start_ms <= oracle.asked_ms:
            at += 1
        if mine:
            asked.setdefault(mine[at], []).append(oracle)
    return {number: _lane(turns[number], group, spoken) for number, group in asked.items()}


def _lane(turn: CallTurn, oracles: Sequence[CallOracle], spoken: _Spoken) -> Lane:
    start_ms = min(turn.start_ms, oracles[0].asked_ms)
    end_ms = max(turn.end_ms, *(_ends(oracle) for oracle in oracles), start_ms + 1)
    candidates = tuple(_candidate(one, start_ms, end_ms, LANE_WIDTH, spoken) for one in oracles)
    return Lane(candidates, start_ms, end_ms, _x(turn.end_ms, start_ms, end_ms, LANE_WIDTH))


def _candidate(oracle: CallOracle, start_ms: int, end_ms: int, width: int, spoken: _Spoken) -> Candidate:
    x = _x(oracle.asked_ms, start_ms, end_ms, width)
    until = _x(_ends(oracle), start_ms, end_ms, width)
    number, words = spoken.get(oracle.id, (None, 0))
    long = max(until - x, width // _NARROWEST)
    return Candidate(oracle, min(x, width - long), long, _kind(oracle, spoken), number, words)


def _kind(oracle: CallOracle, spoken: _Spoken) -> str:
    """What colour it has: `spoken`, `ungrounded` (spoken without a source), or its outcome."""
    if oracle.id in spoken:
        return "ungrounded" if oracle.grounded is False else "spoken"
    return oracle.outcome


def _ends(oracle: CallOracle) -> int:
    known = (oracle.asked_ms, oracle.first_token_ms, oracle.delivered_ms)
    return max(at for at in known if at is not None)


def _x(at_ms: int, start_ms: int, end_ms: int, width: int) -> int:
    return round((at_ms - start_ms) * width / (end_ms - start_ms))


def _gap(turns: Sequence[CallTurn], number: int) -> int | None:
    if turns[number].speaker != "agent" or number == 0 or turns[number - 1].speaker != "caller":
        return None
    return turns[number].start_ms - turns[number - 1].end_ms


def _moment(event: CallEvent) -> Moment:
    return Moment(event, _told(event.kind, event.data), event.kind in _TROUBLE)


def _told(kind: str, data: dict[str, Any]) -> str:
    match kind:
        case "barge-in":
            return "The caller broke in"
        case "dtmf":
            return f"The caller pressed {data.get('digit', '?')}"
        case "goodbye":
            return f"The agent took its leave: {data.get('reason', '')}"
        case "caller-audio-lost":
            lost_ms = data.get("gap_ms", 0)  # with what came too late: it left a gap where it was due
            if isinstance(lost_ms, int):  # else told as it is: a damaged record
                return f"{lost_ms} ms of the caller's audio were lost or late"
        case "caught-up":
            return f"The agent had become late; {data.get('left_out_ms', '?')} ms of its sound were left out"
    details = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in data.items())
    return kind.replace("-", " ").capitalize() + (f": {details}" if details else "")
