"""Ready-made scripts for a caller: the conversation, and the ways a call can end."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from kame_voice.caller.caller import Script
from kame_voice.caller.clip import Clip
from kame_voice.caller.live import LiveCall
from kame_voice.caller.twilio_side import RATE

__all__ = ["Ending", "Manners", "conversation", "stay"]


class Ending(enum.Enum):
    """How the caller leaves."""

    HANG_UP = "hang-up"
    MID_ANSWER = "mid-answer"
    DROP = "drop"
    WAIT_FOR_AGENT = "wait-for-agent"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a caller behaves. All in milliseconds.

    The agent has finished when it was silent for `settle_ms`; after no more than `short_ms` of
    speech ("one moment, please") it is given `more_within_ms` to go on. `answer_within_ms`: patience with
    an answer that does not come. `barge_in_ms`: the second and later questions are asked this
    long after the answer before them began, instead of after its end. `leave_after_ms`: so far into the
    last answer a caller who leaves in it does. `linger_ms`: silence kept before leaving otherwise.
    """

    settle_ms: float = 900
    short_ms: float = 1_800
    more_within_ms: float = 2_500
    greeting_within_ms: float = 10_000
    answer_within_ms: float = 10_000
    answer_length_ms: float = 60_000
    barge_in_ms: float | None = None
    leave_after_ms: float = 900
    linger_ms: float = 200


def conversation(
    clips: Sequence[Clip],
    *,
    manners: Manners = Manners(),
    dtmf: str = "",
    ending: Ending = Ending.HANG_UP,
    wait_ms: float = 600_000,
) -> Script:
    """Hear the greeting out, ask one thing after the other, press `dtmf`, leave by `ending`.

    `wait_ms`: how long to wait for the agent's hang-up where that is the ending.
    """

    async def script(live: LiveCall) -> None:
        if await live.agent_speaks(0, within_ms=manners.greeting_within_ms):
            await live.agent_silent(manners.settle_ms, within_ms=manners.answer_length_ms)
        else:
            live.note("no greeting", f"within {manners.greeting_within_ms / 1000:g} s")
        for place, clip in enumerate(clips):
            said = await live.say(clip)
            if not await live.agent_speaks(said.voice_end, within_ms=manners.answer_within_ms):
                live.note("no answer", f"within {manners.answer_within_ms / 1000:g} s")
                continue
            is_last = place + 1 == len(clips)
            if is_last and ending is Ending.MID_ANSWER:
                await live.pause(manners.leave_after_ms)
                return
            if manners.barge_in_ms is not None and not is_last:
                await live.pause(manners.barge_in_ms)
            else:
                await _hear_out(live, said.voice_end, manners)
        if dtmf:
            await live.press(dtmf)
        await live.pause(manners.linger_ms)
        if ending is Ending.DROP:
            live.drop()
        elif ending is Ending.WAIT_FOR_AGENT:
            await live.until(lambda: live.over, within_ms=wait_ms)

    return script


async def _hear_out(live: LiveCall, since: int, manners: Manners) -> None:
    """Wait for the end of the answer that sounds after sample `since`."""
    await live.agent_silent(manners.settle_ms, within_ms=manners.answer_length_ms)
    spoken = sum(span.end - max(span.start, since) for span in live.agent if span.end > since)
    if spoken <= manners.short_ms * RATE / 1000 and await live.agent_speaks(
        live.agent[-1].end if live.agent else since, within_ms=manners.more_within_ms
    ):
        await live.agent_silent(manners.settle_ms, within_ms=manners.answer_length_ms)


def stay(ms: float) -> Script:
    """Say nothing for `ms`, then hang up."""

    async def script(live: LiveCall) -> None:
        await live.pause(ms)

    return script
