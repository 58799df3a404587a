"""The outline of a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.review.peaks import PEAKS_A_SECOND, Peaks, measure
from kame_voice.store.recordings import RecordingStore


@pytest.fixture
def recordings(tmp_path: Path) -> RecordingStore:
    return RecordingStore(tmp_path / "recordings")


def record(recordings: RecordingStore, seconds: float, level: float = 0.5) -> Path:
    """The caller is loud in the first half, the agent half as loud, and below zero, in the second."""
    samples = int(seconds * SAMPLE_RATE)
    loud = np.full(samples // 2, level, np.float32)
    writer = recordings.create("c1")
    writer.caller(loud, 0)
    writer.agent((-loud / 2).astype(np.float32), samples // 2)
    writer.finish(samples)
    path = recordings.path_of("c1")
    assert path is not None
    return path


def test_each_side_has_its_loudest_moment_of_every_50_ms(recordings: RecordingStore) -> None:
    peaks = np.frombuffer(measure(record(recordings, 2.0)), np.uint8).reshape(2, -1)
    assert peaks.shape == (2, 2 * PEAKS_A_SECOND)
    assert [set(half) for half in np.split(peaks[0], 2)] == [{127}, {0}]
    assert [set(half) for half in np.split(peaks[1], 2)] == [{0}, {63}]


def test_a_recording_longer_than_one_chunk_is_measured_to_its_last_sample(recordings: RecordingStore) -> None:
    peaks = np.frombuffer(measure(record(recordings, 130.02)), np.uint8).reshape(2, -1)
    assert peaks.shape[1] == 2601
    assert (peaks[0, 0], peaks[1, -1]) == (127, 63)


def test_an_empty_recording_has_an_empty_outline(recordings: RecordingStore) -> None:
    assert measure(record(recordings, 0.0)) == b""


def test_the_outline_is_kept_until_the_recording_changes(recordings: RecordingStore, tmp_path: Path) -> None:
    path = record(recordings, 1.0)
    peaks = Peaks(recordings, tmp_path / "peaks")
    first = peaks.of("c1")
    assert first == measure(path)
    (kept,) = (tmp_path / "peaks").rglob("*.peaks")
    before = kept.stat()
    assert peaks.of("c1") == first
    assert kept.stat().st_ino == before.st_ino
    record(recordings, 2.0, level=0.25)
    assert peaks.of("c1") == measure(path) != first


def test_no_recording_has_no_outline_whatever_it_is_called(
    recordings: RecordingStore, tmp_path: Path
) -> None:
    peaks = Peaks(recordings, tmp_path / "peaks")
    assert [peaks.of(name) for name in ("c1", "../../etc/passwd", "", "\0")] == [None] * 4
