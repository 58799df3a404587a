"""Notices that flow files have changed and has them read again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from kame_voice.flows.directory import FlowDirectory, Generation
from kame_voice.flows.folder import stamp_of

__all__ = ["Prepare", "every", "watch"]

Prepare = Callable[[Generation], Awaitable[None]]
"""What is to be made ready for new flows: fixed phrases spoken once, questions indexed."""


async def every(seconds: float) -> AsyncIterator[None]:
    """Ticks, for ever."""
    while True:
        await asyncio.sleep(seconds)
        yield


async def watch(
    flows: FlowDirectory, ticks: AsyncIterator[None] | None = None, prepare: Prepare | None = None
) -> None:
    """Reload `flows` whenever its folder has changed. Looks at every tick, by default each second.

    A change is read once two looks in a row see the same, so that an editor's rename, a half
    written file or a checkout of several files is read whole. Runs until cancelled (or until the
    ticks end); files are looked at and read in a thread, never on the event loop. `prepare` is
    awaited with each new generation, which already answers calls.
    """
    before = flows.stamp
    async for _ in ticks if ticks is not None else every(1.0):
        now = await asyncio.to_thread(stamp_of, flows.folder)
        if now == before and now != flows.stamp:
            old = flows.generation
            new = await asyncio.to_thread(flows.reload)
            if prepare is not None and new is not old:
                await prepare(new)
        before = now
