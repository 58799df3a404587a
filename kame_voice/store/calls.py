"""Calls as they are read: the list, one call whole, and the closing of calls that a crash left open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kame_voice.store.closing import interrupt_the_dead
from kame_voice.store.database import Database
from kame_voice.store.errors import AmbiguousCallId, CallNotFound, explain
from kame_voice.store.listing import CallFilter, page_of, tags_of
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.rows import CallStatus
from kame_voice.store.search import hits_of, parse_query
from kame_voice.store.sentences import TurnSentence, sentences_of
from kame_voice.store.tables import Call, Event, FlowSnapshot, Oracle, Turn

__all__ = [
    "CallDetail",
    "CallEvent",
    "CallFilter",
    "CallHit",
    "CallLatency",
    "CallList",
    "CallOracle",
    "CallStore",
    "CallSummary",
    "CallThinking",
    "CallTurn",
    "ListedCall",
    "TurnPortion",
    "TurnSentence",
]

_T = TypeVar("_T")

_ALL = CallFilter()


class _Read(BaseModel):
    model_config = ConfigDict(
        frozen=True, from_attributes=True, populate_by_name=True, serialize_by_alias=True
    )


class CallSummary(_Read):
    """One call in short. Flags and counts are those of a call that is over."""

    id: str
    provider_id: str = Field(description="The carrier's own id, such as Twilio's CallSid.")
    line: str
    customer: str
    from_number: str = Field(alias="from")
    to_number: str = Field(alias="to")
    status: CallStatus
    end_reason: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None = Field(description="None while the call runs.")
    flow_version: str
    front_end: str
    oracle_mode: str
    worst_gap_ms: int | None = Field(description="The longest response gap; null until the call is over.")
    ungrounded: int = Field(description="Answers spoken without a fact behind them.")
    unanswered: int = Field(description="Questions that no fact answered.")
    barge_ins: int = Field(description="Times the caller stopped the agent.")
    failures: int = Field(description="What broke, the call itself included.")
    turn_count: int
    summary_error: str | None = Field(
        default=None, description="Why it could not be summed up, so that flags and counts are not known."
    )
    opening: str | None = Field(description="The caller's first words.")
    disposition: str | None
    tags: list[str] = []


class CallHit(_Read):
    """A turn in which the words searched for were said; `marks` are where in `text`, [start, end)."""

    speaker: str
    start_ms: int
    text: str
    marks: list[tuple[int, int]]


class ListedCall(CallSummary):
    """One call in a list."""

    hits: list[CallHit] = Field(default=[], description="What a search found, in order of time.")


class TurnPortion(_Read):
    """Words of a turn that came from one oracle, or (`oracle_id` null) from none."""

    oracle_id: str | None
    words: int
    heard_words: int = Field(description="Of them, those the caller's side confirmed playing.")


class CallTurn(_Read):
    """What one side said. `heard_text`: of the agent's words, those the caller's side confirmed playing."""

    speaker: str
    text: str
    heard_text: str | None
    start_ms: int
    end_ms: int
    verbatim: bool
    oracle_ids: list[str]
    word_ms: list[int] | None = Field(
        default=None, description="Where each word of `text` begins; null where nobody measured it."
    )
    portions: list[TurnPortion] = Field(default=[], description="In the order of the turn's words.")
    sentences: list[TurnSentence] = Field(default=[], description="The agent's, each with its oracle.")


class CallOracle(_Read):
    """One candidate answer; times on the call's media clock."""

    id: str
    source: str
    basis: str
    text: str
    model: str | None = Field(default=None, description="Model that was asked, where a model was.")
    asked_ms: int
    first_token_ms: int | None
    adopted_ms: int | None = Field(default=None, description="When it came into force.")
    confirmed_ms: int | None = Field(
        default=None, description="When the finished turn turned out to ask what it answers."
    )
    delivered_ms: int | None
    spoken_ms: int | None = Field(default=None, description="When its first word sounded.")
    outcome: str
    is_final: bool
    facts: list[str]
    grounded: bool | None = Field(
        default=None, description="False: it asserts something and names no fact as its source."
    )
    error: str | None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_usd: float | None = None


class CallEvent(_Read):
    """Something that happened on the call."""

    at_ms: int
    kind: str
    data: dict[str, Any]


class CallLatency(_Read):
    """One entry an answered turn of the caller's, from its last voiced moment; negative: we began before.

    `response_gap_ms` to our first sound, a holding phrase included; `informed_gap_ms` to the first
    word spoken on an oracle, None where the answer had none.
    """

    response_gap_ms: list[int] = []
    informed_gap_ms: list[int | None] = []


class CallThinking(_Read):
    """What a call's answers took, all sources together; `cost_usd` counts what has a known price."""

    requests: int = Field(description="Questions that went to a language model.")
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0


class CallDetail(CallSummary):
    """One call, whole."""

    turns: list[CallTurn]
    oracles: list[CallOracle]
    events: list[CallEvent]
    latency: CallLatency
    thinking: CallThinking
    recording: bool = Field(description="Whether there is a recording.")


class CallList(_Read):
    """A page of calls, newest first; `next` is the cursor of the page after it."""

    calls: list[ListedCall]
    next: str | None


class CallStore:
    """Reads calls. Methods block: on an event loop they belong in a worker thread.

    Every method raises DatabaseLocked, DatabaseUnreachable and the like, as `store.errors` has them.
    """

    def __init__(self, database: Database, recordings: RecordingStore) -> None:
        self._database = database
        self._recordings = recordings

    def list(self, wanted: CallFilter = _ALL, *, limit: int = 50, before: str | None = None) -> CallList:
        """At most `limit` calls, newest first, older than the cursor `before`.

        Raises BadCursor, BadSearch.
        """

        def read(session: Session) -> CallList:
            page = page_of(session, wanted, limit, before)
            listed = [
                ListedCall(
                    **_summary(call, page.tags.get(call.id, [])).model_dump(by_alias=False),
                    hits=[CallHit.model_validate(hit) for hit in page.hits.get(call.id, [])],
                )
                for call in page.calls
            ]
            return CallList(calls=listed, next=page.next)

        return self._read(read)

    def get(self, call_id: str, customers: frozenset[str] | None = None) -> CallDetail | None:
        """One call with all that belongs to it, where it is one of these `customers`' (None: anybody's)."""
        return self._read(lambda session: self._detail(session, call_id, customers))

    def customer_of(self, call_id: str) -> str | None:
        """Whose call it is; None where there is no such call."""
        return self._read(lambda session: session.scalar(select(Call.customer).where(Call.id == call_id)))

    def lines(self, customers: frozenset[str] | None = None) -> dict[str, str]:
        """The lines that had calls, each with its customer; of these `customers` (None: all)."""
        query = select(FlowSnapshot.line, FlowSnapshot.customer).distinct()
        if customers is not None:
            query = query.where(FlowSnapshot.customer.in_(sorted(customers)))
        return self._read(lambda session: dict(session.execute(query).tuples().all()))

    def hits(self, call_id: str, words: str) -> Sequence[CallHit]:
        """Where in the call these words were said. Raises BadSearch."""
        query = parse_query(words)

        def read(session: Session) -> Sequence[CallHit]:
            number = session.scalar(select(Call.words_id).where(Call.id == call_id))
            if query is None or number is None:
                return []
            found = hits_of(session.connection(), query, [number]).get(number, [])
            return [CallHit.model_validate(hit) for hit in found]

        return self._read(read)

    def count_taken(self, line: str, from_prefix: str, since: datetime, besides: Collection[str] = ()) -> int:
        """Calls that `line` has taken since then, from callers whose number begins with `from_prefix`.

        `besides`: the provider ids of calls that are counted elsewhere.
        """
        taken = (
            select(func.count())
            .select_from(Call)
            .where(
                Call.line == line,
                Call.started_at >= since,
                Call.from_number.startswith(from_prefix, autoescape=True),
                Call.status.not_in((CallStatus.REFUSED, CallStatus.ABANDONED)),
                Call.provider_id.not_in(besides),
            )
        )
        return self._read(lambda session: session.scalars(taken).one())

    def find(self, prefix: str) -> CallDetail:
        """The one call whose id begins with `prefix`. Raises CallNotFound, AmbiguousCallId."""

        def matching(session: Session) -> Sequence[str]:
            begins = Call.id.startswith(prefix, autoescape=True)
            return session.scalars(select(Call.id).where(begins).order_by(Call.id).limit(2)).all()

        ids = self._read(matching)
        exact = [prefix] if prefix in ids else ids
        if len(exact) > 1:
            raise AmbiguousCallId("several calls begin like this", where=prefix, do="give more of the id")
        found = self.get(exact[0]) if exact else None
        if found is None:
            raise CallNotFound("there is no such call", where=prefix, do="see `kame-voice calls list`")
        return found

    def flow(self, version: str) -> dict[str, Any] | None:
        """The flow of that version as JSON, as it was for the calls that name it."""

        def content(session: Session) -> dict[str, Any] | None:
            snapshot = session.get(FlowSnapshot, version)
            return snapshot.content if snapshot else None

        return self._read(content)

    def close_interrupted(self, now: datetime, still_runs: Callable[[str | None], bool]) -> int:
        """At start: turn calls that nobody runs any more into `interrupted`; how many there were.

        `still_runs` tells of a call's `owner` whether it lives. A call lasted as long as its recording,
        its last turn or its last event; its recording is repaired. One event tells when it was closed.
        """

        return self._read(lambda session: interrupt_the_dead(session, self._recordings, now, still_runs))

    def _detail(self, session: Session, call_id: str, customers: frozenset[str] | None) -> CallDetail | None:
        call = session.get(Call, call_id)
        if call is None or (customers is not None and call.customer not in customers):
            return None
        turns = session.scalars(
            select(Turn).where(Turn.call_id == call_id).order_by(Turn.start_ms, Turn.index)
        )
        oracles = [
            CallOracle.model_validate(oracle)
            for oracle in session.scalars(
                select(Oracle).where(Oracle.call_id == call_id).order_by(Oracle.asked_ms, Oracle.id)
            )
        ]
        by_id = {oracle.id: oracle for oracle in oracles}
        events = session.scalars(
            select(Event).where(Event.call_id == call_id).order_by(Event.at_ms, Event.index)
        )
        return CallDetail(
            **_summary(call, tags_of(session, [call.id]).get(call.id, [])).model_dump(by_alias=False),
            # A turn known to hold no word was a noise: kept in the table, of no use to a reader.
            turns=[_turn(turn, by_id) for turn in turns if turn.text != ""],
            oracles=oracles,
            events=[CallEvent.model_validate(event) for event in events],
            latency=CallLatency.model_validate(call),
            thinking=_thinking(oracles),
            recording=self._recordings.path_of(call_id) is not None,
        )

    def _read(self, work: Callable[[Session], _T]) -> _T:
        try:
            with Session(self._database.engine) as session:
                return work(session)
        except (SQLAlchemyError, OSError) as error:
            raise explain(error, self._database.where) from error


def _summary(call: Call, tags: Sequence[str]) -> CallSummary:
    return CallSummary.model_validate(call).model_copy(update={"tags": tags})


def _turn(turn: Turn, oracles: dict[str, CallOracle]) -> CallTurn:
    portions = [TurnPortion.model_validate(portion) for portion in turn.portions]
    is_agent = turn.speaker == "agent"
    text = turn.text or ""
    return CallTurn(
        speaker=turn.speaker,
        text=text,
        heard_text=turn.heard_text,
        start_ms=turn.start_ms,
        end_ms=turn.end_ms,
        verbatim=turn.verbatim,
        oracle_ids=turn.oracle_ids,
        word_ms=turn.word_ms,
        portions=portions,
        sentences=sentences_of(text, turn.heard_text, portions, turn.oracle_ids, oracles) if is_agent else [],
    )


def _thinking(oracles: list[CallOracle]) -> CallThinking:
    return CallThinking(
        requests=sum(one.source == "llm" for one in oracles),
        input_tokens=sum(
            (one.input_tokens or 0) + (one.cache_read_tokens or 0) + (one.cache_write_tokens or 0)
            for one in oracles
        ),
        output_tokens=sum(one.output_tokens or 0 for one in oracles),
        cost_usd=sum(one.cost_usd or 0.0 for one in oracles),
    )
