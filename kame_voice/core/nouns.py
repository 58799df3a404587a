"""The nouns that cross from one room to another.

Every `*_ms` of a call is on that call's media clock: milliseconds since answer, counted in
samples of caller audio.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SAMPLE_RATE",
    "CallInfo",
    "FrontEndKind",
    "OracleMode",
    "OracleOutcome",
    "OracleSource",
    "Pcm",
    "Role",
    "Speaker",
    "samples_to_ms",
]

SAMPLE_RATE: Final = 24_000
"""Hz of all audio inside the process; legs convert at the edge. Mimi's rate."""

Pcm = NDArray[np.float32]
"""Mono samples at `SAMPLE_RATE`, shape [n], −1..1."""


def samples_to_ms(samples: int) -> int:
    """Whole milliseconds that `samples` at `SAMPLE_RATE` last, rounded down."""
    return samples * 1000 // SAMPLE_RATE


class Speaker(StrEnum):
    """Who spoke a turn."""

    CALLER = "caller"
    AGENT = "agent"


class FrontEndKind(StrEnum):
    """Which speech model hears and speaks (`KAME_FRONT_END`)."""

    SPOKEN = "spoken"
    KAME = "kame"
    ECHO = "echo"


class OracleMode(StrEnum):
    """When the back end asks for the answer (`KAME_ORACLE`)."""

    OFF = "off"
    FINAL = "final"
    PARTIAL = "partial"


class OracleSource(StrEnum):
    """Who wrote an oracle."""

    LLM = "llm"
    KNOWLEDGE = "knowledge"
    SUPERVISOR = "supervisor"


class OracleOutcome(StrEnum):
    """What became of an oracle. It is `PENDING` until one of the others is known."""

    PENDING = "pending"
    ADOPTED = "adopted"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Role(StrEnum):
    """What a user may do. Each role includes the one below it.

    A reviewer reads calls and notes on them; a supervisor also acts on running calls; an admin sees
    every customer and manages users.
    """

    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether whoever has this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class CallInfo:
    """One call, as it is known when it is answered.

    `provider_id` is the carrier's own id (Twilio's CallSid). `flow_version` is the content hash
    of the flow the call was frozen with.
    """

    id: str
    provider_id: str
    line: str
    customer: str
    from_number: str
    to_number: str
    flow_version: str
