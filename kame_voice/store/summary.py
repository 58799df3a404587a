"""What one call comes to, in a line: how slow it was at worst, and what went wrong. Pure.

A change of these rules comes with a migration that sets `calls.summarised` to false, so that the calls so far
are summed up anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kame_voice.core.nouns import OracleSource
from kame_voice.flows.honesty import admits_ignorance
from kame_voice.store.rows import CallStatus
from kame_voice.store.tables import Call, Event, Oracle, Turn

__all__ = ["InVain", "Summary", "summarise"]

_BROKEN: Final = {CallStatus.DROPPED, CallStatus.FAILED, CallStatus.INTERRUPTED}
_TROUBLE: Final = {"hang-up-failed", "leg-closed", "recording-stopped"}
"""Kinds of events that tell of a failure. One of the call's own end is counted by its status."""
_LOST: Final = "caller-audio-lost"
_LOST_FROM_MS: Final = 500
"""Less of the caller's audio than a word: every call loses some packets at its ends."""
_BARGE_IN: Final = "barge-in"
_OPENING_LENGTH: Final = 160


@dataclass(frozen=True, slots=True)
class InVain:
    """A question that was answered with "I don't have that here"; `at_ms` is when it was asked."""

    oracle_id: str
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The columns of a call that a list shows and filters by.

    `ungrounded`: answers spoken without a fact behind them. `unanswered`: questions that no fact
    answered. `failures`: what broke, the call itself included. `opening`: the caller's first words.
    `oracle_outcomes`: how many oracles ended how.
    """

    worst_gap_ms: int | None
    ungrounded: int
    unanswered: int
    barge_ins: int
    failures: int
    turn_count: int
    oracle_outcomes: dict[str, int]
    opening: str | None
    in_vain: tuple[InVain, ...]


def summarise(
    call: Call,
    turns: Sequence[Turn],
    oracles: Sequence[Oracle],
    events: Iterable[Event],
    unknown: str | None,
) -> Summary:
    """The summary of a finished call. `unknown` is its flow's sentence for questions without an answer.

    Turns in order of time; turns without words do not count.
    """
    happened = list(events)
    kinds = [event.kind for event in happened]
    spoken = {id_ for turn in turns for id_ in turn.oracle_ids}
    in_vain = tuple(_in_vain(oracles, spoken, unknown))
    return Summary(
        worst_gap_ms=max(call.response_gap_ms, default=None),
        ungrounded=sum(one.grounded is False for one in oracles if one.id in spoken),
        unanswered=len(in_vain),
        barge_ins=kinds.count(_BARGE_IN),
        failures=sum(event.kind in _TROUBLE or _is_loss(event) for event in happened)
        + sum(one.outcome == "failed" for one in oracles)
        + (call.status in _BROKEN),
        turn_count=sum(1 for turn in turns if turn.text),
        oracle_outcomes=dict(Counter(one.outcome for one in oracles)),
        opening=next((t.text[:_OPENING_LENGTH] for t in turns if t.speaker == "caller" and t.text), None),
        in_vain=in_vain,
    )


def _is_loss(event: Event) -> bool:
    """Late audio left a gap where it was due, or came twice: the gaps alone are what was not heard."""
    return bool(event.kind == _LOST and event.data.get("gap_ms", 0) >= _LOST_FROM_MS)


def _in_vain(oracles: Iterable[Oracle], spoken: Collection[str], unknown: str | None) -> Iterable[InVain]:
    sentence = _bare(unknown or "")
    for one in oracles:
        if one.id not in spoken or one.facts:
            continue
        # A model may admit it in words of its own; `grounded` False would be an assertion.
        honest = one.source == OracleSource.LLM and one.grounded is None and admits_ignorance(one.text)
        if honest or (sentence and sentence in _bare(one.text)):
            yield InVain(one.id, one.asked_ms, one.basis)


def _bare(text: str) -> str:
    """Words alone: a model may write the same sentence with other marks."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))
