"""The one thread that writes what calls leave behind. Handing over never waits; a loss is counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

import structlog

from kame_voice.core.clock import Clock, monotonic
from kame_voice.core.nouns import Pcm, Speaker
from kame_voice.core.telemetry import Telemetry
from kame_voice.store.database import Database
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.row_writer import RowWriter
from kame_voice.store.rows import Row
from kame_voice.store.sound_writer import SoundWriter

__all__ = ["StoreWriter"]

_ROUND_S: Final = 0.2
"""Between two rounds: with a commit of its own, everything is on disk well within a second."""
_MAX_AUDIO_BYTES: Final = 64 * 2**20
"""Waiting audio: both sides of 50 calls for 6.9 s of a stuck disk."""
_MAX_ROWS: Final = 50_000
_STOP_WITHIN_S: Final = 10.0

log = structlog.get_logger()


class StoreWriter:
    """Takes rows and audio from any thread and has them on disk within a second.

    A context manager round a thread; tests call `round` instead and need no thread. A full disk, a
    locked or unreachable database cost no call anything: rows wait (up to `max_rows`), a recording
    stops. All losses are counted in `telemetry.record_dropped` by kind and logged once a change.
    """

    def __init__(
        self,
        database: Database,
        recordings: RecordingStore,
        telemetry: Telemetry,
        clock: Clock = monotonic,
        *,
        max_audio_bytes: int = _MAX_AUDIO_BYTES,
        max_rows: int = _MAX_ROWS,
    ) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._max_audio_bytes = max_audio_bytes
        self._max_rows = max_rows
        self._rows = RowWriter(database, telemetry, max_rows)
        self._sounds = SoundWriter(recordings, telemetry, clock, self._rows.add)
        self._lock = threading.Lock()
        self._inbox: list[Row | Callable[[], None]] = []
        self._inbox_bytes = 0
        self._overflowing = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # Handing over: any thread, a microsecond or two, no I/O.

    def put(self, row: Row) -> None:
        """Hand over a row, new or changed."""
        with self._lock:
            fits = len(self._inbox) < self._max_rows
            if fits:
                self._inbox.append(row)
        if not fits:
            self._lost(type(row).__name__.removesuffix("Row").lower())

    def start_recording(self, call_id: str, event_index: Callable[[], int]) -> None:
        """Start a call's recording; should it stop early, that becomes event number `event_index()`."""
        self._order(lambda: self._sounds.start(call_id, event_index))

    def sound(self, call_id: str, speaker: Speaker, pcm: Pcm, at_sample: int) -> None:
        """Hand over audio, [n] at 24 kHz. It is copied, so the caller may go on using its buffer."""
        size = pcm.nbytes
        own = pcm.copy()
        with self._lock:
            fits = self._inbox_bytes + size <= self._max_audio_bytes
            if fits:
                self._inbox_bytes += size
                self._inbox.append(lambda: self._sounds.sound(call_id, speaker, own, at_sample))
        if not fits:
            self._lost("audio")

    def cut(self, call_id: str, at_sample: int) -> None:
        """The agent's audio from `at_sample` on was thrown away unheard."""
        self._order(lambda: self._sounds.cut(call_id, at_sample))

    def finish_recording(self, call_id: str, length: int) -> None:
        """Complete a call's recording at `length` samples."""
        self._order(lambda: self._sounds.finish(call_id, length))

    # Writing: the writer's thread alone.

    def round(self) -> None:
        """Take over what was handed in and write what is due."""
        with self._lock:
            inbox, self._inbox = self._inbox, []
            self._inbox_bytes = 0
        if not inbox:
            self._overflowing = False
        for item in inbox:
            if callable(item):
                item()
            else:
                self._rows.add(item)
        self._sounds.flush(self._clock())
        self._rows.write(self._clock())

    def start(self) -> None:
        """Start the thread."""
        assert self._thread is None, "the writer was started already"
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write all that was handed over, then end. Blocks, at most some seconds of a stuck disk."""
        self._stopping.set()
        if self._thread is None:
            self._finish()
            return
        self._thread.join(_STOP_WITHIN_S)
        if self._thread.is_alive():
            log.error("the record writer is stuck", waited_s=_STOP_WITHIN_S, do="check the data disk")

    def __enter__(self) -> StoreWriter:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.wait(_ROUND_S):
            try:
                self.round()
            except Exception:  # a fault here must not end the record of every other call
                self._telemetry.record_dropped.labels("round").inc()
                log.exception("a round of the record writer failed")
        self._finish()

    def _finish(self) -> None:
        self.round()
        self._sounds.close()
        waiting = self._rows.waiting + 1
        while 0 < self._rows.waiting < waiting:
            waiting = self._rows.waiting
            self._rows.write(float("inf"))
        self._rows.close()

    def _order(self, work: Callable[[], None]) -> None:
        # Never dropped: a few a call, and a lost one would cost the whole recording.
        with self._lock:
            self._inbox.append(work)

    def _lost(self, kind: str) -> None:
        self._telemetry.record_dropped.labels(kind).inc()
        if not self._overflowing:
            self._overflowing = True
            log.error("the record writer is overrun", lost=kind, do="check the data disk")
