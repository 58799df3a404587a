"""The open recordings of the process: audio in, files flushed in time. A full disk ends one recording only.

Knows no thread and no clock of its own: `flush(now)` is one round.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

import structlog

from kame_voice.core.clock import Clock
from kame_voice.core.nouns import Pcm, Speaker, samples_to_ms
from kame_voice.core.telemetry import Telemetry
from kame_voice.store.errors import UnsafeRecordingName
from kame_voice.store.recordings import RecordingStore, RecordingWriter
from kame_voice.store.rows import EventRow

__all__ = ["SoundWriter"]

_FLUSH_S: Final = 0.4
_SYNC_S: Final = 1.0
_SYNC_BUDGET_S: Final = 0.15
"""Of a round, spent on fdatasync: on a slow disk the recordings take turns rather than pile up."""

log = structlog.get_logger()


class _Open:
    """One recording under way."""

    def __init__(self, writer: RecordingWriter, event_index: Callable[[], int], now: float) -> None:
        self.writer = writer
        self.event_index = event_index
        self.flushed_at = float("-inf")
        self.synced_at = now


class SoundWriter:
    """All methods do I/O or may be followed by it: they belong to the writer's thread."""

    def __init__(
        self, store: RecordingStore, telemetry: Telemetry, clock: Clock, note: Callable[[EventRow], None]
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._clock = clock
        self._note = note
        self._open: dict[str, _Open] = {}

    def start(self, call_id: str, event_index: Callable[[], int]) -> None:
        """Start a call's recording. `event_index` gives the next number of the call's events."""
        try:
            writer = self._store.create(call_id)
        except (OSError, UnsafeRecordingName) as error:
            self._stopped(call_id, event_index(), 0, error)
        else:
            self._open[call_id] = _Open(writer, event_index, self._clock())

    def sound(self, call_id: str, speaker: Speaker, pcm: Pcm, at_sample: int) -> None:
        """Place audio; that of a recording which has stopped is dropped and counted."""
        if (one := self._open.get(call_id)) is None:
            self._telemetry.record_dropped.labels("audio").inc()
        elif speaker is Speaker.CALLER:
            one.writer.caller(pcm, at_sample)
        else:
            one.writer.agent(pcm, at_sample)

    def cut(self, call_id: str, at_sample: int) -> None:
        """The agent's audio from `at_sample` on never sounded."""
        if (one := self._open.get(call_id)) is not None:
            one.writer.cut_agent(at_sample)

    def finish(self, call_id: str, length: int | None) -> None:
        """Complete a call's recording at `length` samples."""
        if (one := self._open.pop(call_id, None)) is not None:
            try:
                one.writer.finish(length)
            except OSError as error:
                self._stopped(call_id, one.event_index(), one.writer.length, error)

    def flush(self, now: float) -> None:
        """Write out what is due; then have the disk hold what waited longest, within the budget."""
        for call_id, one in list(self._open.items()):
            if now - one.flushed_at >= _FLUSH_S:
                one.flushed_at = now
                self._try(call_id, one, one.writer.flush)
        started = self._clock()
        for call_id, one in sorted(self._open.items(), key=lambda item: item[1].synced_at):
            if now - one.synced_at < _SYNC_S or self._clock() - started > _SYNC_BUDGET_S:
                break
            one.synced_at = now
            self._try(call_id, one, one.writer.sync)

    def close(self) -> None:
        """Flush and close whatever is still open; lengths are as far as audio came."""
        for call_id in list(self._open):
            self.finish(call_id, None)

    def _try(self, call_id: str, one: _Open, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            del self._open[call_id]
            one.writer.abandon()
            self._stopped(call_id, one.event_index(), one.writer.length, error)

    def _stopped(self, call_id: str, index: int, length: int, error: Exception) -> None:
        number = error.errno if isinstance(error, OSError) else None
        code = "disk-full" if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "recording-failed"
        self._telemetry.record_dropped.labels("recording").inc()
        at_ms = samples_to_ms(length)
        log.error("recording stopped", call_id=call_id, code=code, error=str(error), at_ms=at_ms)
        data = {"code": code, "error": str(error)}
        self._note(EventRow(call_id=call_id, index=index, at_ms=at_ms, kind="recording-stopped", data=data))
