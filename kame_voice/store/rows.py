"""What a call leaves behind, as it is handed to the writer: one frozen row a record.

Writing a row is an upsert by its key, so a row may be handed over again whenever it has changed.
Every `*_ms` is on the call's media clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

__all__ = [
    "UNFINISHED",
    "AuditRow",
    "CallRow",
    "CallStatus",
    "EventRow",
    "FlowRow",
    "OracleRow",
    "Row",
    "TurnRow",
    "call_of",
]


class CallStatus(StrEnum):
    """Where a call stands.

    `DROPPED`: the connection broke. `FAILED`: the call could not be carried on. `INTERRUPTED`: the
    process died under it. `ABANDONED`: the caller was gone before we answered. `REFUSED`: turned away,
    as where every slot is taken.
    """

    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    DROPPED = "dropped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"
    REFUSED = "refused"


UNFINISHED: Final = (CallStatus.RINGING, CallStatus.IN_PROGRESS)
"""The states that only a living process can leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """A flow as it was for the calls that name its version; `content` is JSON."""

    version: str
    line: str
    customer: str
    content: Mapping[str, Any]
    first_used_at: datetime

    @property
    def key(self) -> tuple[str | int, ...]:
        return (self.version,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call. Times of day are UTC; `recording` is a name under the recordings' folder."""

    id: str
    provider_id: str
    line: str
    customer: str
    from_number: str
    to_number: str
    flow_version: str
    front_end: str
    oracle_mode: str
    status: CallStatus
    started_at: datetime
    end_reason: str | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int | None = None
    recording: str | None = None
    response_gap_ms: tuple[int, ...] = ()
    informed_gap_ms: tuple[int | None, ...] = ()
    owner: str | None = None

    @property
    def key(self) -> tuple[str | int, ...]:
        return (self.id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """What one side said. `text` is None while nobody has transcribed it, empty where no word was in it.

    `word_ms`: where each word of `text` begins, as far as that is known; None where nobody measured it.
    `portions` (agent): where its words came from, in their order, as JSON: `oracle_id` (None: no
    oracle), `words`, `heard_words`.
    """

    call_id: str
    index: int
    speaker: str
    text: str | None
    start_ms: int
    end_ms: int
    heard_text: str | None = None
    verbatim: bool = False
    oracle_ids: tuple[str, ...] = ()
    portions: tuple[Mapping[str, Any], ...] = ()
    utterance: int | None = None
    word_ms: tuple[int, ...] | None = None

    @property
    def key(self) -> tuple[str | int, ...]:
        return (self.call_id, self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleRow:
    """One candidate answer: what it was asked on, when, what it used and cost, what became of it.

    `grounded`: True where it names a fact of the flow as its source, False where it asserts something
    without one, None where there is nothing to be sourced, or not yet. `spoken_ms`: when its first word
    sounded. `cost_usd` in US dollars; None where the source costs nothing or its price is not known.
    """

    call_id: str
    id: str
    source: str
    basis: str
    is_final: bool
    asked_ms: int
    text: str = ""
    facts: tuple[str, ...] = ()
    grounded: bool | None = None
    model: str | None = None
    first_token_ms: int | None = None
    adopted_ms: int | None = None
    confirmed_ms: int | None = None
    delivered_ms: int | None = None
    spoken_ms: int | None = None
    outcome: str
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_usd: float | None = None

    @property
    def key(self) -> tuple[str | int, ...]:
        return (self.call_id, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Something that happened on a call; `index` numbers its events, `data` is JSON."""

    call_id: str
    index: int
    at_ms: int
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str | int, ...]:
        return (self.call_id, self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """What somebody did that reveals or changes something; never changed once written.

    `who` is the user's name as it was then ("" where nobody was signed in), `via` how they came
    (session, token, cli). `address` is where from. `customer` is whose data it was, None where it was
    nobody's.
    """

    id: str
    at: datetime
    user_id: str | None
    who: str
    via: str
    action: str
    address: str | None = None
    call_id: str | None = None
    customer: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str | int, ...]:
        return (self.id,)


Row = FlowRow | CallRow | TurnRow | OracleRow | EventRow | AuditRow


def call_of(row: Row) -> str | None:
    """The id of the call that `row` belongs to; None for a flow's and for what people do."""
    match row:
        case FlowRow() | AuditRow():
            return None
        case CallRow():
            return row.id
        case TurnRow() | OracleRow() | EventRow():
            return row.call_id
