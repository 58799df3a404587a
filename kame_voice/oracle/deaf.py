"""A transcriber that writes nothing down: for line tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from kame_voice.hearing.base import HeardFrame
from kame_voice.oracle.base import Transcript

__all__ = ["NoTranscriber"]


class NoTranscriber:
    """Hears frames and never has a word to say about them."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    def feed(self, frame: HeardFrame) -> None:
        """See `Transcriber.feed`."""

    async def transcripts(self) -> AsyncIterator[Transcript]:
        """See `Transcriber.transcripts`: none, until `close`."""
        await self._closed.wait()
        nothing: tuple[Transcript, ...] = ()
        for transcript in nothing:
            yield transcript

    def finish(self) -> None:
        """See `Transcriber.finish`: nothing is being read."""
        self._closed.set()

    def close(self) -> None:
        """See `Transcriber.close`."""
        self._closed.set()
