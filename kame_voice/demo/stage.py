"""Places the calls of a cast against a server, so many at a time, each in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from kame_voice.caller.caller import PhoneCaller, Script, Server, ring
from kame_voice.caller.clip import CallerVoice, Clip, clip_from_file
from kame_voice.caller.rest import RestStandIn
from kame_voice.caller.result import CallResult, Outcome
from kame_voice.caller.scripts import Ending, Manners, conversation, stay
from kame_voice.caller.twilio_side import CallIdentity, voice_form
from kame_voice.demo.cast import Leave, Part

__all__ = ["Placed", "outcome_of", "place"]

_RINGS_MS: Final = 1_500
_AGENT_WITHIN_MS: Final = 60_000
_APART_S: Final = 0.6
"""Between two callers: so that their first words do not come at one moment."""

_ENDINGS: Final = {
    Leave.HANG_UP: Ending.HANG_UP,
    Leave.MID_ANSWER: Ending.MID_ANSWER,
    Leave.DROP: Ending.DROP,
    Leave.WAIT: Ending.WAIT_FOR_AGENT,
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that was placed: who, the carrier's id, and what came of it (None: gave up ringing)."""

    part: Part
    call_sid: str
    result: CallResult | None


async def place(
    cast: Sequence[Part],
    server: Server,
    rest: RestStandIn,
    recordings: Path,
    *,
    at_a_time: int,
    on_placed: Callable[[Placed], None] = lambda _: None,
) -> list[Placed]:
    """Place every call: `at_a_time` together, then those that ring at once. Raises as `PhoneCaller.call`."""
    clips = await asyncio.to_thread(_clips, cast, recordings)
    stage = _Stage(server, rest, on_placed)
    seats = asyncio.Semaphore(at_a_time)

    async def seated(part: Part) -> Placed:
        try:
            return await stage.play(part, clips[part])
        finally:
            seats.release()

    placed: list[Placed] = []
    async with asyncio.TaskGroup() as group:
        tasks = []
        for part in (part for part in cast if not part.at_once):
            await seats.acquire()
            tasks.append(group.create_task(seated(part), name=f"caller {part.from_number}"))
            await asyncio.sleep(_APART_S)
    placed += [task.result() for task in tasks]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(stage.play(part, clips[part]), name=f"caller {part.from_number}")
            for part in cast
            if part.at_once
        ]
    return placed + [task.result() for task in tasks]


class _Stage:
    def __init__(self, server: Server, rest: RestStandIn, on_placed: Callable[[Placed], None]) -> None:
        self._server = server
        self._rest = rest
        self._on_placed = on_placed

    async def play(self, part: Part, clips: list[Clip]) -> Placed:
        identity = CallIdentity(part.from_number, part.to_number)
        result = None
        if part.leave is Leave.BEFORE_ANSWER:
            await self._give_up(identity)
        else:
            caller = PhoneCaller(self._server, rest=self._rest)
            result = await caller.call(identity, _script(part, clips))
        placed = Placed(part, identity.call_sid, result)
        self._on_placed(placed)
        return placed

    async def _give_up(self, identity: CallIdentity) -> None:
        """Ring, and let the carrier report that nobody waited for the answer."""
        async with httpx.AsyncClient(trust_env=False, timeout=15) as http:
            await ring(http, self._server, identity)
            await asyncio.sleep(_RINGS_MS / 1000)
            form = voice_form(identity, "canceled")
            signature = self._server.signature(self._server.known_as + self._server.status_path, form)
            answer = await http.post(
                self._server.url + self._server.status_path, data=form, headers=signature
            )
            answer.raise_for_status()


def _clips(cast: Sequence[Part], recordings: Path) -> dict[Part, list[Clip]]:
    voice = CallerVoice()
    clips = {}
    for part in cast:
        clips[part] = [voice.speak(text, speed=part.pace, pitch=part.pitch) for text in part.say]
        if part.recording:
            clips[part].append(clip_from_file(recordings / part.recording))
    return clips


def _script(part: Part, clips: list[Clip]) -> Script:
    match part.leave:
        case Leave.SILENT:
            return stay(part.silent_ms)
        case _:
            return conversation(
                clips,
                manners=Manners(barge_in_ms=part.barge_in_ms),
                dtmf=part.keys,
                ending=_ENDINGS[part.leave],
                wait_ms=_AGENT_WITHIN_MS,
            )


def outcome_of(placed: Placed) -> str:
    """What came of a call, in a few words, as its caller saw it."""
    result = placed.result
    if result is None:
        return "gave up before the answer"
    if result.outcome is not Outcome.ANSWERED:
        return f"{result.outcome.value}: {result.detail}"
    gaps = [exchange.gap_ms for exchange in result.exchanges]
    answered = sum(gap is not None for gap in gaps)
    return f"{answered} of {len(gaps)} answered, ended by {result.ended_by.value}"
