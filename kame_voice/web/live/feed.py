"""Every running call that somebody may see, as one stream: browsers open few connections to a host."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from kame_voice.calls.live import LiveCall, LiveCalls
from kame_voice.calls.live_events import Gap, OracleNews, as_json
from kame_voice.core.nouns import CallInfo

__all__ = ["call_as_json", "feed"]

_LOOK_EVERY_S: Final = 0.5
"""So late at most is a new call shown."""
_BACKLOG: Final = 500
"""Messages under way to one watcher; behind it each call has its own bounded backlog."""


async def feed(
    live_calls: LiveCalls,
    may_see: Callable[[str], bool],
    on_watch: Callable[[CallInfo], None],
    look_every_s: float = _LOOK_EVERY_S,
) -> AsyncGenerator[dict[str, Any], None]:
    """Messages as JSON has them, for ever: `calls` first, with those that run; then `call` for a new one
    and every event of each, with its `call_id`, oracles left out.

    `may_see` is asked with a customer, `on_watch` told of each call whose words begin to be sent.
    """
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_BACKLOG)

    async def follow(live: LiveCall) -> None:
        on_watch(live.call)
        async with live.subscribe() as events:
            async for event in events:
                if not isinstance(event, OracleNews | Gap):
                    await messages.put({"call_id": live.call.id, **as_json(event)})

    async def look() -> None:
        async with asyncio.TaskGroup() as group:
            known: set[str] = set()
            first = True
            while True:
                running = {live.call.id: live for live in _visible(live_calls, may_see)}
                new = [live for call_id, live in running.items() if call_id not in known]
                if first:
                    await messages.put({"type": "calls", "calls": [call_as_json(live) for live in new]})
                for live in new:
                    if not first:
                        await messages.put({"type": "call", "call": call_as_json(live)})
                    group.create_task(follow(live), name=f"watch {live.call.id}")
                known, first = set(running), False
                await asyncio.sleep(look_every_s)

    looking = asyncio.create_task(look(), name="live feed")
    try:
        while True:
            yield await messages.get()
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


def call_as_json(live: LiveCall) -> dict[str, Any]:
    """A running call as the API tells it."""
    call, info = live.call, live.info
    return {
        "id": call.id,
        "line": call.line,
        "customer": call.customer,
        "from": call.from_number,
        "to": call.to_number,
        "started_at": info.started_at.isoformat(),
        "state": info.state.value,
    }


def _visible(live_calls: LiveCalls, may_see: Callable[[str], bool]) -> list[LiveCall]:
    found = (live_calls.get(info.call.id) for info in live_calls.running())
    return [live for live in found if live is not None and may_see(live.call.customer)]
