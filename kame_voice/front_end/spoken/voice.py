"""The agent's voice: text to speech on worker threads, ahead of need. The only file that knows hibari."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, Final, Protocol

import hibari
import structlog

from kame_voice.core.errors import KameError
from kame_voice.core.priority import lower_priority
from kame_voice.front_end.spoken.sentences import sentences_of
from kame_voice.front_end.spoken.speech import Speech, finished_speech
from kame_voice.front_end.spoken.spoken_form import spoken_form

__all__ = ["Need", "SpeechMaker", "Voice", "VoiceFailed", "VoiceMissing"]

log = structlog.get_logger()

_CACHE_BYTES: Final = 64 * 1024 * 1024
"""About eleven minutes of speech."""


class VoiceMissing(KameError):
    """The speech engine cannot be loaded."""

    code = "voice-missing"


class VoiceFailed(KameError):
    """A sentence could not be made into speech."""

    code = "voice-failed"


class Need(IntEnum):
    """How soon speech is wanted; the workers take the lowest first."""

    NOW = 0
    SOON = 1
    MAYBE = 2


class SpeechMaker(Protocol):
    """Whoever turns sentences into speech."""

    def prepare(self, sentence: str, need: Need, *, keep: bool = False) -> Future[Speech]:
        """Begin to make `sentence` into speech, unless it is at hand already. Never blocks.

        `keep`: a fixed phrase of the line, worth remembering for other calls. What was composed for
        one caller is not kept. The future may be cancelled while it is not begun; it may hold
        `VoiceFailed`.
        """
        ...


class _Job:
    """One sentence to be made."""

    def __init__(self, sentence: str, keep: bool) -> None:
        self.sentence = sentence
        self.keep = keep
        self.future: Future[Speech] = Future()


class Voice:
    """hibari's voice, `workers` sentences at a time. Raises `VoiceMissing` when it cannot be loaded.

    Fixed phrases are kept, the least recently used given up beyond `cache_bytes`. `close` ends the
    threads; they are daemons, so a process that dies without it dies all the same.
    """

    def __init__(self, *, workers: int = 1, cache_bytes: int = _CACHE_BYTES) -> None:
        try:
            engines = [hibari.Hibari() for _ in range(workers)]
            for engine in engines:
                engine("Hello.", seed=0)  # loads the lexicon, so that the first caller need not wait
        except Exception as error:  # whatever the engine, numpy or onnxruntime raise at load
            raise VoiceMissing(
                f"the speech engine cannot be loaded ({error})", do="reinstall hibari-tts"
            ) from error
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Speech] = OrderedDict()
        self._kept_bytes = 0
        self._cache_bytes = cache_bytes
        self._shared: dict[str, _Job] = {}
        self._jobs: queue.PriorityQueue[tuple[int, int, _Job | None]] = queue.PriorityQueue()
        self._count = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, args=(engine,), name=f"voice-{number}", daemon=True)
            for number, engine in enumerate(engines)
        ]
        for thread in self._threads:
            thread.start()

    def prepare(self, sentence: str, need: Need, *, keep: bool = False) -> Future[Speech]:
        """See `SpeechMaker.prepare`."""
        with self._lock:
            if self._closed:
                refused: Future[Speech] = Future()
                refused.set_exception(VoiceFailed("the voice is closed", do="end calls before closing it"))
                return refused
            if (speech := self._kept.get(sentence)) is not None:
                self._kept.move_to_end(sentence)
                done: Future[Speech] = Future()
                done.set_result(speech)
                return done
            job = self._shared.get(sentence)
            if job is None:
                job = _Job(sentence, keep)
                if keep:
                    self._shared[sentence] = job
            self._put(need, job)  # again where it is queued already: the sooner place counts
            return _follow(job.future) if job.keep else job.future

    async def warm(self, texts: Iterable[str]) -> None:
        """Make the line's fixed phrases ahead, before anybody calls."""
        futures = [
            self.prepare(sentence, Need.MAYBE, keep=True) for text in texts for sentence in sentences_of(text)
        ]
        await asyncio.gather(*(asyncio.wrap_future(future) for future in futures))

    def close(self) -> None:
        """End the threads after the sentences under way; what is queued is cancelled. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for number in range(len(self._threads)):
                self._jobs.put((-1, number, None))
        for thread in self._threads:
            thread.join()
        with contextlib.suppress(queue.Empty):
            while True:
                _, _, job = self._jobs.get_nowait()
                if job is not None:
                    job.future.cancel()

    def _put(self, need: Need, job: _Job) -> None:
        self._count += 1
        self._jobs.put((int(need), self._count, job))

    def _work(self, engine: Any) -> None:
        lower_priority()
        while True:
            _, _, job = self._jobs.get()
            if job is None:
                return
            if not self._take(job):
                continue
            try:
                raw = engine(spoken_form(job.sentence), seed=0)
                speech = finished_speech(job.sentence, raw)
            except Exception as error:  # noqa: BLE001 - any fault ends this sentence, not the thread
                log.error("voice-failed", characters=len(job.sentence), error=repr(error))
                self._keep(job, None)
                job.future.set_exception(
                    VoiceFailed(f"the engine failed ({error})", where=f"{len(job.sentence)} characters")
                )
            else:
                self._keep(job, speech)
                job.future.set_result(speech)

    def _take(self, job: _Job) -> bool:
        """Whether the job is this worker's: it may be queued twice, or cancelled."""
        with self._lock:
            future = job.future
            return not future.done() and not future.running() and future.set_running_or_notify_cancel()

    def _keep(self, job: _Job, speech: Speech | None) -> None:
        if not job.keep:
            return
        with self._lock:
            self._shared.pop(job.sentence, None)
            if speech is None or speech.pcm.nbytes > self._cache_bytes:
                return
            self._kept[job.sentence] = speech
            self._kept_bytes += speech.pcm.nbytes
            while self._kept_bytes > self._cache_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= oldest.pcm.nbytes


def _follow(shared: Future[Speech]) -> Future[Speech]:
    """A future of one's own on shared work: cancelling it leaves the others theirs."""
    own: Future[Speech] = Future()

    def done(_: Future[Speech]) -> None:
        if shared.cancelled():
            own.cancel()
        elif own.set_running_or_notify_cancel():
            error = shared.exception()
            if error is None:
                own.set_result(shared.result())
            else:
                own.set_exception(error)

    shared.add_done_callback(done)
    return own
