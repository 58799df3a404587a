"""The running calls, live: what happens on them, told to whoever listens. In memory only.

The session tells; telling costs microseconds and never waits for a listener.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from kame_voice.calls.listening_in import CallSound
from kame_voice.calls.live_events import (
    Caption,
    DtmfPressed,
    Ended,
    Gap,
    LiveEvent,
    LiveState,
    Lost,
    OracleNews,
    State,
)
from kame_voice.calls.transcript import Turn
from kame_voice.core.nouns import CallInfo, OracleOutcome, Speaker
from kame_voice.oracle.base import OracleRecord, WhisperRefused

__all__ = ["LiveCall", "LiveCallInfo", "LiveCalls"]

_BACKLOG: Final = 256
"""Events that may wait for one listener: half a minute of lively talk."""
_KEPT: Final = timedelta(minutes=1)
_KEPT_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class LiveCallInfo:
    """A running call at this moment."""

    call: CallInfo
    started_at: datetime
    state: State


class Prompter(Protocol):
    """The part of a call's back end that people speak through."""

    def whisper(self, text: str, by: str) -> str:
        """See `Adviser.whisper`."""
        ...

    def withdraw_whisper(self, oracle_id: str, by: str) -> bool:
        """See `Adviser.withdraw_whisper`."""
        ...


class LiveCall:
    """One running call. The first methods are the session's, to tell; `subscribe` is everybody's.

    `sound` is what it sounds like, for who listens in.
    """

    def __init__(self, call: CallInfo, started_at: datetime) -> None:
        self.call = call
        self._started_at = started_at
        self._state = LiveState(State.LISTENING, 0)
        self._captions: dict[int, Caption] = {}
        self._sounding: set[int] = set()
        self._cut: set[int] = set()
        self._oracle: OracleNews | None = None
        self._ending: Ended | None = None
        self._listeners: list[_Listener] = []
        self._say_goodbye: Callable[[str], None] | None = None
        self._prompter: Prompter | None = None
        self.sound = CallSound()

    @property
    def info(self) -> LiveCallInfo:
        """What a list of calls shows."""
        return LiveCallInfo(self.call, self._started_at, self._state.state)

    # Told by the session.

    def turns_changed(self, turns: Iterable[Turn]) -> None:
        """Turns that are new or different."""
        for turn in turns:
            if turn.text is None:
                continue
            final, text = turn.is_final, turn.text
            if turn.speaker is Speaker.AGENT:
                if turn.index not in self._captions:
                    self._end_agent_turns()
                    self._sounding.add(turn.index)
                final = turn.index not in self._sounding
                text = turn.heard_text or "" if turn.index in self._cut else text
            elif final and not text and self._state.state is State.THINKING:
                self._be(State.LISTENING, turn.end_ms)
            self._caption(Caption(turn.index, turn.speaker, text, final, turn.start_ms, turn.end_ms))

    def caller_started(self, at_ms: int) -> None:
        """The caller takes a turn."""
        self._be(State.LISTENING, at_ms)

    def caller_ended(self, at_ms: int) -> None:
        """The caller's turn is over."""
        if self._state.state is not State.SPEAKING:
            self._be(State.THINKING, at_ms)

    def agent_speaks(self, speaking: bool, at_ms: int) -> None:
        """Told with each frame of the agent's: whether it is within speech."""
        if speaking:
            self._be(State.SPEAKING, at_ms)
        elif self._sounding:
            self._end_agent_turns()
        if not speaking and self._state.state is State.SPEAKING:
            self._be(State.LISTENING, at_ms)

    def agent_cut(self, turns: Iterable[Turn]) -> None:
        """What the agent was saying is broken off; `turns` changed by it."""
        broken, self._sounding = self._sounding, set()
        self._cut |= broken
        self.turns_changed(turns)
        for index in broken:
            self._caption(replace(self._captions[index], final=True))

    def oracle_changed(self, record: OracleRecord) -> None:
        """An oracle, new or changed."""
        news = OracleNews(record.id, record.source, record.text, record.outcome, record.basis)
        if news.outcome is OracleOutcome.ADOPTED:
            self._oracle = news
        elif self._oracle is not None and self._oracle.id == news.id:
            self._oracle = None
        self._tell(news)

    def answered_after(self, gap_ms: int) -> None:
        """The agent's first sound after a turn of the caller's."""
        self._tell(Gap(gap_ms))

    def dtmf(self, digit: str, at_ms: int) -> None:
        """The caller pressed a key."""
        self._tell(DtmfPressed(digit, at_ms))

    def ended(self, status: str, reason: str) -> None:
        """The call is over; told once, by whoever knows first."""
        if self._ending is None:
            self._end_agent_turns()
            self._ending = Ended(status, reason)
            self._tell(self._ending)
            self.sound.close()

    def can_end(self, say_goodbye: Callable[[str], None]) -> None:
        """How to let the call end with its line's goodbye; it takes the reason."""
        self._say_goodbye = say_goodbye

    def can_whisper(self, prompter: Prompter) -> None:
        """Who puts people's words into the call's oracle stream."""
        self._prompter = prompter

    # For people.

    def whisper(self, text: str, by: str) -> str:
        """Have the agent say `text`, above every answer, as soon as it is its turn. Returns the oracle's id.

        Raises WhisperRefused where it cannot be said, as on a call that has ended.
        """
        if self._prompter is None or self._ending is not None:
            raise WhisperRefused("the call has ended", where=f"call {self.call.id}")
        return self._prompter.whisper(text, by)

    def withdraw_whisper(self, oracle_id: str, by: str) -> bool:
        """Take a whisper back; false where it was spoken, or never made."""
        return self._prompter is not None and self._prompter.withdraw_whisper(oracle_id, by)

    def hang_up(self, by: str) -> None:
        """End the call as the agent would: goodbye, then hang-up. `by` goes on the record as the reason.

        Does nothing where the call ends already.
        """
        if self._say_goodbye is not None and self._ending is None:
            self._say_goodbye(f"{by} hung up")

    # For listeners.

    @contextlib.asynccontextmanager
    async def subscribe(self, *, staff: bool = False) -> AsyncIterator[AsyncIterator[LiveEvent]]:
        """The call's events from now on, after a snapshot of how it stands; the last is `Ended`.

        `staff` are told of oracles too. A listener that is too slow gets `Lost` and a new snapshot.
        """
        listener = _Listener(self._snapshot, staff)
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)

    def _snapshot(self) -> list[LiveEvent]:
        captions = sorted(self._captions.values(), key=lambda caption: (caption.start_ms, caption.turn))
        rest = (self._state, self._oracle, self._ending)
        return [*captions, *(event for event in rest if event is not None)]

    def _tell(self, event: LiveEvent) -> None:
        for listener in self._listeners:
            listener.offer(event)

    def _be(self, state: State, at_ms: int) -> None:
        if state is not self._state.state:
            self._state = LiveState(state, at_ms)
            self._tell(self._state)

    def _caption(self, caption: Caption) -> None:
        if self._captions.get(caption.turn) != caption:
            self._captions[caption.turn] = caption
            self._tell(caption)

    def _end_agent_turns(self) -> None:
        sounding, self._sounding = self._sounding, set()
        for index in sounding:
            self._caption(replace(self._captions[index], final=True))


class _Listener:
    """One listener's queue: an async iterator that ends after `Ended`."""

    def __init__(self, snapshot: Callable[[], list[LiveEvent]], staff: bool) -> None:
        self._snapshot = snapshot
        self._staff = staff
        self._waiting: deque[LiveEvent] = deque(self._for_me(snapshot()))
        self._missed = 0
        self._over = False
        self._news = asyncio.Event()

    def offer(self, event: LiveEvent) -> None:
        """Never waits: what does not fit is missed."""
        if not self._staff and isinstance(event, OracleNews):
            return
        if self._missed or len(self._waiting) >= _BACKLOG:
            self._missed += len(self._waiting) + 1
            self._waiting.clear()
        else:
            self._waiting.append(event)
        self._news.set()

    def __aiter__(self) -> AsyncIterator[LiveEvent]:
        return self

    async def __anext__(self) -> LiveEvent:
        if self._over:
            raise StopAsyncIteration
        while not self._waiting and not self._missed:
            self._news.clear()
            await self._news.wait()
        if self._missed:
            self._waiting = deque([Lost(self._missed), *self._for_me(self._snapshot())])
            self._missed = 0
        event = self._waiting.popleft()
        self._over = isinstance(event, Ended)
        return event

    def _for_me(self, events: Iterable[LiveEvent]) -> Iterator[LiveEvent]:
        return (event for event in events if self._staff or not isinstance(event, OracleNews))


class LiveCalls:
    """Every running call of this process, by its id, and for a minute the ones that ended.

    The record of a call that has just ended is still on its way to the disk.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._calls: dict[str, LiveCall] = {}
        self._ended: dict[str, tuple[datetime, LiveCall]] = {}

    def running(self) -> list[LiveCallInfo]:
        """The running calls, oldest first."""
        return [live.info for live in self._calls.values()]

    def get(self, call_id: str) -> LiveCall | None:
        """The call, while it runs."""
        return self._calls.get(call_id)

    def ended(self, call_id: str) -> LiveCall | None:
        """The call as it stood when it ended, up to a minute ago; who subscribes is told so, and `Ended`."""
        self._forget()
        _, live = self._ended.get(call_id, (None, None))
        return live

    def _forget(self) -> None:
        since = self._now() - _KEPT
        for call_id, (ended_at, _) in list(self._ended.items()):
            if ended_at > since and len(self._ended) <= _KEPT_AT_MOST:
                break
            del self._ended[call_id]

    @contextlib.contextmanager
    def open(self, call: CallInfo) -> Iterator[LiveCall]:
        """The call is listed while the body runs; it has ended when the body is left."""
        live = self._calls[call.id] = LiveCall(call, self._now())
        try:
            yield live
        finally:
            live.ended("failed", "internal error")
            del self._calls[call.id]
            self._ended[call.id] = (self._now(), live)
            self._forget()
