"""What happens on a running call, as it is told to whoever listens. Their JSON form is the protocol.

All times in ms on the call's media clock.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from kame_voice.core.nouns import OracleOutcome, OracleSource, Speaker

__all__ = [
    "Caption",
    "DtmfPressed",
    "Ended",
    "Gap",
    "LiveEvent",
    "LiveState",
    "Lost",
    "OracleNews",
    "State",
    "as_json",
]


class State(StrEnum):
    """What the agent is doing. `THINKING`: the caller's turn is over and nothing is said yet."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class Caption:
    """One side's words so far: replaces the earlier caption of the same `turn`.

    `final`: it will not change any more. A final caption of the caller's may be empty: there were
    no words after all. An agent's turn that was broken off ends with the words that were heard.
    """

    turn: int
    speaker: Speaker
    text: str
    final: bool
    start_ms: int
    end_ms: int
    type: Literal["caption"] = field(default="caption", kw_only=True)


@dataclass(frozen=True, slots=True)
class LiveState:
    """The agent now does something else."""

    state: State
    at_ms: int
    type: Literal["state"] = field(default="state", kw_only=True)


@dataclass(frozen=True, slots=True)
class OracleNews:
    """An oracle, new or changed. For staff only: it holds what was never said.

    The one in force is the last whose `outcome` is adopted. `basis`: the words it was asked on.
    """

    id: str
    source: OracleSource
    text: str
    outcome: OracleOutcome
    basis: str
    type: Literal["oracle"] = field(default="oracle", kw_only=True)


@dataclass(frozen=True, slots=True)
class Gap:
    """The agent's first sound came `gap_ms` after the caller's last voiced moment."""

    gap_ms: int
    type: Literal["latency"] = field(default="latency", kw_only=True)


@dataclass(frozen=True, slots=True)
class DtmfPressed:
    """The caller pressed a key."""

    digit: str
    at_ms: int
    type: Literal["dtmf"] = field(default="dtmf", kw_only=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over: always the last event. `status` as in the record."""

    status: str
    reason: str
    type: Literal["ended"] = field(default="ended", kw_only=True)


@dataclass(frozen=True, slots=True)
class Lost:
    """This listener was too slow and missed `count` events; a new snapshot follows."""

    count: int
    type: Literal["lost"] = field(default="lost", kw_only=True)


LiveEvent = Caption | LiveState | OracleNews | Gap | DtmfPressed | Ended | Lost


def as_json(event: LiveEvent) -> dict[str, Any]:
    """The event as JSON can hold it; `type` says which it is."""
    return asdict(event)
