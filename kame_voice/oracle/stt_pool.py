"""The threads that transcribe for all calls, below the event loop's priority. Knows no model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from kame_voice.core.priority import lower_priority
from kame_voice.core.telemetry import Telemetry
from kame_voice.oracle.decode_queue import DecodeQueue
from kame_voice.oracle.doubt import Decoded
from kame_voice.oracle.hearing_window import Hearing

__all__ = ["Recogniser", "SttPool"]

log = structlog.get_logger()

Heard = Callable[[Hearing, Decoded | None], None]
"""Called from a pool thread with a window and what was decoded; None when decoding failed."""


class Recogniser(Protocol):
    """A speech model that reads one window. Called from several threads."""

    def decode(self, hearing: Hearing) -> Decoded: ...


class SttPool:
    """`workers` threads that take any window, and one more that takes none but urgent ones, so
    that the end of a turn never waits behind somebody's partial."""

    def __init__(self, recogniser: Recogniser, workers: int, telemetry: Telemetry) -> None:
        self._recogniser = recogniser
        self._telemetry = telemetry
        self._queue = DecodeQueue()
        self._changed = threading.Condition()
        self._heard: dict[str, Heard] = {}
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, args=(number == workers,), name=f"stt-{number}", daemon=True)
            for number in range(workers + 1)
        ]
        for thread in self._threads:
            thread.start()

    def join_call(self, call_id: str, heard: Heard) -> None:
        """Results of `call_id` go to `heard`."""
        with self._changed:
            self._heard[call_id] = heard

    def put(self, call_id: str, hearing: Hearing) -> None:
        """Let `hearing` be transcribed. Returns at once."""
        with self._changed:
            skipped = self._queue.skipped
            self._queue.put(call_id, hearing)
            self._telemetry.stt_skipped.inc(self._queue.skipped - skipped)
            self._changed.notify_all()

    def leave_call(self, call_id: str) -> None:
        """The call is over: drop what waits; no result reaches it from now on. Idempotent."""
        with self._changed:
            self._queue.forget(call_id)
            self._heard.pop(call_id, None)

    def close(self) -> None:
        """End the threads once they have finished what they are at. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, urgent_only: bool) -> None:
        lower_priority()
        while (job := self._next(urgent_only)) is not None:
            call_id, hearing = job
            decoded = self._decode(call_id, hearing)
            with self._changed:
                self._queue.done(call_id, hearing)
                heard = self._heard.get(call_id)
                self._changed.notify_all()
            if heard is not None:
                heard(hearing, decoded)

    def _next(self, urgent_only: bool) -> tuple[str, Hearing] | None:
        with self._changed:
            while not self._closed:
                job = self._queue.take(urgent_only=urgent_only)
                if job is not None:
                    return job
                self._changed.wait()
            return None

    def _decode(self, call_id: str, hearing: Hearing) -> Decoded | None:
        started = time.perf_counter()
        try:
            return self._recogniser.decode(hearing)
        except Exception:
            self._telemetry.answer_failures.labels("stt-failed").inc()
            log.exception("window not transcribed", call_id=call_id, reason=hearing.reason.name)
            return None
        finally:
            self._telemetry.stt_seconds.observe(time.perf_counter() - started)
