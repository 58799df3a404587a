"""Recordings: placed by sample, readable at any moment."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.store.errors import UnsafeRecordingName
from kame_voice.store.recordings import MAX_SAMPLES, RecordingStore, RecordingWriter, recording_name


def level(samples: int, value: float) -> Pcm:
    """`samples` at one level, so that a test can see where they lie."""
    return np.full(samples, value / 32767, dtype=np.float32)


def tracks(path: Path) -> NDArray[np.int16]:
    """The recording as any reader sees it: [samples, 2], caller and agent."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, SAMPLE_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)


def test_both_tracks_lie_where_they_sounded(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.caller(level(480, 100), 0)
    writer.agent(level(480, 7), 240)
    writer.caller(level(480, 200), 960)
    writer.finish(1920)
    found = tracks(writer.path)
    assert found.shape == (1920, 2)
    assert found[[0, 479, 480, 959, 960, 1439, 1440], 0].tolist() == [100, 100, 0, 0, 200, 200, 0]
    assert found[[239, 240, 719, 720], 1].tolist() == [0, 7, 7, 0]


def test_the_file_is_readable_after_every_flush(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    assert len(tracks(writer.path)) == 0
    for number in range(5):
        writer.caller(level(480, number), number * 480)
        writer.flush()
        assert len(tracks(writer.path)) == (number + 1) * 480
    writer.abandon()


def test_audio_that_comes_after_its_moment_was_written_is_still_placed(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.caller(level(2400, 5), 0)
    writer.flush()
    writer.agent(level(480, 9), 960)
    writer.flush()
    found = tracks(writer.path)
    assert (found[:, 0] == 5).all()
    assert np.flatnonzero(found[:, 1]).tolist() == list(range(960, 1440))
    writer.abandon()


@pytest.mark.parametrize("flushed", [True, False])
def test_speech_that_was_thrown_away_is_silent(tmp_path: Path, flushed: bool) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.agent(level(4800, 3), 0)
    if flushed:
        writer.flush()
    writer.cut_agent(1000)
    writer.agent(level(100, 8), 2000)
    writer.finish(4800)
    agent = tracks(writer.path)[:, 1]
    assert (agent[:1000] == 3).all()
    assert not agent[1000:2000].any()
    assert (agent[2000:2100] == 8).all()
    assert not agent[2100:].any()


def test_a_recording_ends_with_its_call(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.agent(level(4800, 3), 0)
    writer.finish(1200)
    assert len(tracks(writer.path)) == 1200


def test_a_long_hole_costs_no_memory_and_no_disk(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.caller(level(480, 1), 0)
    writer.caller(level(480, 2), 3600 * SAMPLE_RATE)
    writer.flush()
    assert writer.length == 3600 * SAMPLE_RATE + 480
    assert writer.path.stat().st_blocks * 512 < 100_000
    writer.abandon()


def test_what_no_wav_can_hold_is_left_out(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.caller(level(480, 1), MAX_SAMPLES + 10)
    writer.caller(level(480, 1), -100)
    writer.finish(None)
    assert len(tracks(writer.path)) == 380


def test_loud_and_broken_samples_do_not_wrap(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.wav")
    writer.caller(np.array([2.0, -2.0, np.nan, np.inf, 1.0], dtype=np.float32), 0)
    writer.finish(5)
    assert tracks(writer.path)[:, 0].tolist() == [32767, -32768, 0, 32767, 32767]


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(
        st.tuples(
            st.booleans(),
            st.integers(0, 3000),
            st.integers(1, 700),
            st.integers(-9, 9),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_the_file_is_what_was_placed_whatever_the_order(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bool, int, int, int, bool]]
) -> None:
    writer = RecordingWriter(tmp_path_factory.mktemp("r") / "a.wav")
    wanted = np.zeros((4000, 2), dtype=np.int16)
    for is_agent, at, length, value, flush in pieces:
        (writer.agent if is_agent else writer.caller)(level(length, value), at)
        wanted[at : at + length, int(is_agent)] = value
        if flush:
            writer.flush()
    writer.finish(4000)
    assert np.array_equal(tracks(writer.path), wanted)


def test_a_header_that_a_crash_left_behind_is_mended(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    writer = store.create("call-1")
    writer.caller(level(2400, 4), 0)
    writer.flush()
    writer.abandon()
    with writer.path.open("r+b") as file:
        file.write(b"\0" * 44)
        file.seek(0, 2)
        file.write(b"\1\0\2\0\3")
    assert store.repair("call-1") == 100
    found = tracks(writer.path)
    assert len(found) == 2401
    assert found[2400].tolist() == [1, 2]


def test_a_recording_that_never_was_is_none(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    assert store.repair("call-1") is None
    assert store.path_of("call-1") is None
    assert store.path_of("../../etc/passwd") is None


@pytest.mark.parametrize("name", ["", "../x", "a/b", "/etc/passwd", "a\0b", "x" * 65, ".hidden", "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(UnsafeRecordingName):
        recording_name(name)


def test_recordings_are_for_their_owner_alone(tmp_path: Path) -> None:
    writer = RecordingStore(tmp_path / "recordings").create("abc")
    assert writer.path.stat().st_mode & 0o777 == 0o600
    assert writer.path.parent.stat().st_mode & 0o777 == 0o700
    writer.abandon()
