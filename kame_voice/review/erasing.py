"""Has calls vanish, as the law may ask: their record, the words for the search, recording and outline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import structlog

from kame_voice.review.peaks import Peaks
from kame_voice.store.archive import Archive
from kame_voice.store.erasing import CallEraser, OldCall
from kame_voice.store.errors import SoundKept

__all__ = ["Age", "Erasure", "Gone"]

_AT_ONCE: Final = 20
"""Calls a transaction: some 10 ms in which the record writer of a SQLite database waits."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Age:
    """How long calls and recordings are kept, in days; 0 is for ever. A recording goes with its call."""

    calls: int = 0
    recordings: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether anything is ever deleted."""
        return bool(self.calls or self.recordings)


@dataclass(frozen=True, slots=True)
class Gone:
    """What was deleted: calls, and recordings of calls that stay or of which there was no record."""

    calls: int = 0
    recordings: int = 0

    def __add__(self, other: Gone) -> Gone:
        return Gone(self.calls + other.calls, self.recordings + other.recordings)

    def __bool__(self) -> bool:
        return bool(self.calls or self.recordings)


class Erasure:
    """Deletes for good. Methods block; they raise the StoreErrors of a database that cannot be used.

    Files go first: whatever ends a deletion half-way, the record is still there to try again by.
    """

    def __init__(
        self, archive: Archive, peaks: Peaks, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._recordings = archive.recordings
        self._calls = CallEraser(archive.database)
        self._peaks = peaks
        self._now = now

    @classmethod
    def over(cls, archive: Archive, data_dir: Path) -> Erasure:
        """Of an archive whose outlines are kept under `data_dir`."""
        return cls(archive, Peaks(archive.recordings, data_dir / "peaks"))

    def call(self, call_id: str) -> OldCall | None:
        """Delete a call; what it was, None where there is none. Raises CallRunning, SoundKept."""
        found = self._calls.erasable(call_id, self._now())
        if found is not None:
            self._forget_sound(call_id)
            self._calls.delete([call_id], self._now())
        return found

    def due(self, age: Age) -> Gone:
        """How much is older than that, strays aside."""
        calls = self._calls.count_before(self._before(age.calls), self._now()) if age.calls else 0
        if not age.recordings:
            return Gone(calls)
        recorded = self._calls.count_before(self._before(age.recordings), self._now(), is_recorded=True)
        return Gone(calls, recorded)

    def old(self, age: Age) -> Iterator[Gone]:
        """Delete what is older than that, a few calls a step; each step tells what it deleted.

        A call whose files cannot be deleted stays, is logged, and holds up no other.
        """
        if age.calls:
            yield from self._old_calls(self._before(age.calls))
        if age.recordings:
            yield from self._old_recordings(self._before(age.recordings))
        if age.is_limited:
            shortest = min(days for days in (age.calls, age.recordings) if days)
            yield from self._strays(self._before(shortest))

    def _old_calls(self, moment: datetime) -> Iterator[Gone]:
        last = None
        while found := self._calls.begun_before(moment, self._now(), _AT_ONCE, after=last):
            silent = self._forget_sounds([call.id for call in found])
            yield Gone(calls=self._calls.delete(list(silent), self._now()))
            last = found[-1]

    def _old_recordings(self, moment: datetime) -> Iterator[Gone]:
        last = None
        while found := self._calls.begun_before(moment, self._now(), _AT_ONCE, after=last, is_recorded=True):
            silent = self._forget_sounds([call.id for call in found])
            self._calls.forget_recordings(list(silent))
            yield Gone(recordings=sum(silent.values()))
            last = found[-1]

    def _strays(self, moment: datetime) -> Iterator[Gone]:
        """Recordings as old as that without a call: of a call deleted by another server, or of a crash."""
        ids = self._recordings.untouched_since(moment)
        while some := list(islice(ids, _AT_ONCE)):
            known = self._calls.known(some)
            strays = self._forget_sounds([id_ for id_ in some if id_ not in known])
            yield Gone(recordings=sum(strays.values()))

    def _forget_sounds(self, call_ids: Sequence[str]) -> dict[str, bool]:
        """Those of which no file is left; whether there was a recording."""
        silent = {}
        for id_ in call_ids:
            try:
                silent[id_] = self._forget_sound(id_)
            except SoundKept as error:
                log.error("a recording stays", code=error.code, call_id=id_, error=str(error))
        return silent

    def _forget_sound(self, call_id: str) -> bool:
        try:
            was_there = self._recordings.remove(call_id)
            self._peaks.forget(call_id)
        except OSError as error:
            raise SoundKept(
                f"cannot be deleted ({error.strerror})",
                where=str(error.filename or call_id),
                do="see who owns the file, and whether the disk may be written",
            ) from error
        return was_there

    def _before(self, days: int) -> datetime:
        return self._now() - timedelta(days=days)
