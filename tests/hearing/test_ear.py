"""The whole ear on recorded people, with and without the agent's voice in the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kame_voice.core.nouns import Pcm
from kame_voice.hearing.base import BargedIn, TurnEnded, TurnStarted, VoiceLapsed, VoiceOnset
from kame_voice.hearing.vad import VadMissing, VoiceActivity
from tests.hearing.sounds import at_level, events_of, listen, person, silence, through_the_wire

TALKER = "librivox-0880"
ECHO_DB = -20


def delayed(pcm: Pcm, ms: int) -> Pcm:
    return np.concatenate((silence(ms), pcm))[: len(pcm)]


def over(agent: Pcm, caller: Pcm, at_ms: int) -> Pcm:
    """`caller` from `at_ms` on, as long as `agent`."""
    line = np.zeros(len(agent), np.float32)
    part = caller[: len(agent) - at_ms * 24]
    line[at_ms * 24 : at_ms * 24 + len(part)] = part
    return line


def test_a_sentence_through_the_wire_is_one_turn_that_ends_where_its_sound_ends(
    voices: VoiceActivity, agent: Pcm
) -> None:
    line = through_the_wire(np.concatenate((agent[: len(agent) // 2], silence(1000))))
    blocks = np.sqrt(np.mean(line[: len(line) // 240 * 240].reshape(-1, 240) ** 2, axis=1))
    last_loud_ms = (int(np.flatnonzero(blocks > np.percentile(blocks, 95) / 10)[-1]) + 1) * 10
    turn = events_of(listen(voices, line), TurnEnded)[-1]
    assert abs(turn.end_ms - last_loud_ms) <= 64


def test_a_person_is_one_turn(voices: VoiceActivity) -> None:
    line = through_the_wire(np.concatenate((silence(500), at_level(person(TALKER), -20), silence(1000))))
    (turn,) = events_of(listen(voices, line), TurnEnded)
    assert 500 <= turn.start_ms <= 900
    assert 3000 <= turn.end_ms <= 3500


@pytest.mark.parametrize("frame_ms", [60, 80, 100])
def test_the_ear_does_not_mind_the_frames_length(voices: VoiceActivity, frame_ms: int) -> None:
    line = np.concatenate((silence(480), at_level(person(TALKER), -20), silence(960)))
    line = line[: len(line) // 28800 * 28800]
    assert [event for frame in listen(voices, line, frame_ms=frame_ms) for event in frame.events] == [
        event for frame in listen(voices, line) for event in frame.events
    ]


def test_voiced_frames_lie_within_the_turn(voices: VoiceActivity) -> None:
    line = np.concatenate((silence(500), at_level(person(TALKER), -20), silence(1000)))
    heard = listen(voices, line)
    (turn,) = events_of(heard, TurnEnded)
    voiced = [frame.at_ms for frame in heard if frame.voiced]
    assert voiced[0] >= turn.start_ms - 32
    assert turn.start_ms <= voiced[-1] <= turn.end_ms + 96


def test_silence_and_line_noise_are_no_voice(voices: VoiceActivity) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-3, 24000 * 4).astype(np.float32)
    assert not any(frame.events or frame.voiced for frame in listen(voices, through_the_wire(noise)))


@pytest.mark.parametrize("quiet_s", [10, 30, 60])
@pytest.mark.parametrize("who", ["librivox-0890", "jfk", "a synthetic voice"])
def test_a_caller_who_was_silent_for_long_is_heard_as_well_as_at_first(
    voices: VoiceActivity, agent: Pcm, who: str, quiet_s: int
) -> None:
    """While the agent says a long answer the caller says nothing; then they ask, or interrupt."""
    voice = at_level(agent[: 24 * 4000] if who == "a synthetic voice" else person(who)[: 24 * 4000], -20)
    noise = np.random.default_rng(1).normal(0, 5e-4, 24_000 * quiet_s).astype(np.float32)

    def voiced_ms(quiet: Pcm) -> list[int]:
        heard = listen(voices, through_the_wire(np.concatenate((quiet, voice))), frame_ms=80)
        return [frame.at_ms - len(quiet) // 24 for frame in heard if frame.voiced]

    at_first, after_long = voiced_ms(noise[:24_000]), voiced_ms(noise)
    assert after_long[0] - at_first[0] <= 160
    assert len(after_long) >= 0.9 * len(at_first)


@pytest.mark.parametrize("delay_ms", [0, 37, 180, 500])
def test_our_own_echo_is_not_taken_for_the_caller(voices: VoiceActivity, agent: Pcm, delay_ms: int) -> None:
    echo = through_the_wire(through_the_wire(delayed(agent, delay_ms)) * np.float32(10 ** (ECHO_DB / 20)))
    heard = listen(voices, echo, agent)
    assert events_of(heard, VoiceOnset) == []
    assert not any(frame.voiced for frame in heard)


@pytest.mark.parametrize("level_db", [-20, -32])
@pytest.mark.parametrize("echo_ms", [None, 0, 260])
def test_a_caller_who_talks_over_us_is_heard(
    voices: VoiceActivity, agent: Pcm, level_db: int, echo_ms: int | None
) -> None:
    line = over(agent, at_level(person(TALKER), level_db), 2000)
    alone = events_of(listen(voices, through_the_wire(line)), VoiceOnset)[0].at_ms
    if echo_ms is not None:
        line = line + delayed(agent, echo_ms) * np.float32(10 ** (ECHO_DB / 20))
    heard = listen(voices, through_the_wire(line), agent)
    onset, barge_in = events_of(heard, VoiceOnset)[0].at_ms, events_of(heard, BargedIn)[0].at_ms
    assert abs(onset - alone) <= 96
    assert barge_in - alone <= 600


def test_a_cough_over_our_voice_lapses(voices: VoiceActivity, agent: Pcm) -> None:
    talker = at_level(person(TALKER), -20)
    start = events_of(listen(voices, np.concatenate((talker, silence(1000)))), TurnStarted)[0].at_ms
    cough = talker[start * 24 : (start + 220) * 24]
    heard = listen(voices, through_the_wire(over(agent, cough, 2000)), agent)
    assert len(events_of(heard, VoiceOnset)) == len(events_of(heard, VoiceLapsed)) == 1
    assert events_of(heard, TurnStarted) == []


def test_two_calls_do_not_hear_each_other(voices: VoiceActivity) -> None:
    line = np.concatenate((silence(500), at_level(person(TALKER), -20), silence(1000)))
    alone = [event for frame in listen(voices, line) for event in frame.events]
    listen(voices, at_level(person("librivox-0930"), -20))
    assert [event for frame in listen(voices, line) for event in frame.events] == alone


def test_a_missing_model_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(VadMissing, match=r"gone\.onnx.*reinstall"):
        VoiceActivity(tmp_path / "gone.onnx")


def test_a_model_that_cannot_be_read_is_named_too(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(VadMissing, match=r"broken\.onnx"):
        VoiceActivity(broken)
