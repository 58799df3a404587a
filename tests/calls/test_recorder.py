"""The recorder: what a call leaves behind, also when the process is killed under it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from kame_voice.calls.recorder import CallRecorder
from kame_voice.calls.transcript import Latency, Turn
from kame_voice.core.nouns import CallInfo, FrontEndKind, OracleMode, OracleOutcome, OracleSource, Speaker
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Business, Flow
from kame_voice.oracle.base import OracleRecord
from kame_voice.store.archive import Archive
from kame_voice.store.rows import CallStatus
from kame_voice.store.writer import StoreWriter

FLOW = Flow(
    version=1,
    customer="harbor-dental",
    line="front-desk",
    greeting="Hello.",
    business=Business(name="Harbor Dental", time_zone="America/New_York"),
)
CALL = CallInfo("c1", "CA1", "front-desk", "harbor-dental", "+15550111", "+15550100", FLOW.content_hash)
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    archive: Archive
    writer: StoreWriter

    def recorder(self, *, recording: bool = True) -> CallRecorder:
        return CallRecorder(
            self.writer,
            CALL,
            FLOW,
            front_end=FrontEndKind.SPOKEN,
            oracle_mode=OracleMode.PARTIAL,
            recording=recording,
            now=lambda: NOON,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    archive = Archive.open(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path)
    writer = StoreWriter(archive.database, archive.recordings, Telemetry(), lambda: 0.0)
    yield Desk(archive, writer)
    writer.stop()
    archive.close()


def test_a_whole_call_can_be_read_afterwards(desk: Desk) -> None:
    recorder = desk.recorder()
    recorder.started()
    recorder.caller_audio(np.full(24_000, 0.5, np.float32), 0)
    recorder.agent_audio(np.full(1920, 0.25, np.float32), 12_000)
    recorder.turns([Turn(0, Speaker.CALLER, 0, 800, text="Are you open?", is_final=True)])
    recorder.turn(Turn(1, Speaker.AGENT, 1200, 1900, text="Yes.", heard_text="Yes.", oracle_ids=("o1",)))
    recorder.oracle(OracleRecord("o1", OracleSource.KNOWLEDGE, "are you open", True, 850, "Yes."))
    recorder.event("dtmf", 900, digit="5")
    recorder.ended("completed", "caller hung up", 1000, Latency((400,), (400,)))
    desk.writer.round()
    found = desk.archive.calls.get("c1")
    assert found is not None
    assert (found.status, found.end_reason, found.duration_ms) == (
        CallStatus.COMPLETED,
        "caller hung up",
        1000,
    )
    assert [(turn.speaker, turn.text) for turn in found.turns] == [
        ("caller", "Are you open?"),
        ("agent", "Yes."),
    ]
    assert found.oracles[0].outcome == "pending"
    assert found.events[0].data == {"digit": "5"}
    assert found.latency.response_gap_ms == [400]
    assert found.recording
    assert desk.archive.calls.flow(FLOW.content_hash) == FLOW.model_dump(mode="json")


def test_an_oracle_is_kept_as_it_was_when_it_was_handed_over(desk: Desk) -> None:
    recorder = desk.recorder()
    recorder.started()
    record = OracleRecord("o1", OracleSource.KNOWLEDGE, "are you open", True, 850, facts=["hours"])
    recorder.oracle(record)
    record.facts.append("parking")
    record.outcome = OracleOutcome.ADOPTED
    desk.writer.round()
    found = desk.archive.calls.get("c1")
    assert found is not None
    assert (found.oracles[0].facts, found.oracles[0].outcome) == (["hours"], "pending")
    recorder.oracle(record)
    desk.writer.round()
    found = desk.archive.calls.get("c1")
    assert found is not None
    assert (found.oracles[0].facts, found.oracles[0].outcome) == (["hours", "parking"], "adopted")


def test_an_oracle_is_known_to_be_spoken_whichever_is_told_first(desk: Desk) -> None:
    recorder = desk.recorder()
    recorder.started()
    for name in ("o1", "o2"):
        recorder.oracle(OracleRecord(name, OracleSource.KNOWLEDGE, "are you open", True, 850))
    recorder.oracle_spoken("o1", 1200)
    recorder.oracle(OracleRecord("o1", OracleSource.KNOWLEDGE, "are you open", True, 850, "Yes."))
    desk.writer.round()
    found = desk.archive.calls.get("c1")
    assert found is not None
    assert [(one.text, one.spoken_ms) for one in found.oracles] == [("Yes.", 1200), ("", None)]


def test_a_call_that_rings_is_known_before_it_is_answered(desk: Desk) -> None:
    recorder = desk.recorder()
    recorder.ringing()
    desk.writer.round()
    found = desk.archive.calls.get("c1")
    assert found is not None
    assert (found.status, found.answered_at, found.recording) == (CallStatus.RINGING, None, False)


def test_without_recording_no_audio_is_kept(desk: Desk, tmp_path: Path) -> None:
    recorder = desk.recorder(recording=False)
    recorder.started()
    recorder.caller_audio(np.zeros(480, np.float32), 0)
    recorder.agent_audio(np.zeros(480, np.float32), 0)
    recorder.agent_cut(0)
    recorder.ended("completed", "", 20)
    desk.writer.round()
    assert not (tmp_path / "recordings").exists()


def test_a_state_that_no_call_has_is_refused(desk: Desk) -> None:
    recorder = desk.recorder()
    recorder.started()
    with pytest.raises(ValueError, match="sleepy"):
        recorder.ended("sleepy", "", 0)


# A caller's burst every 500 ms, the agent's 100 ms later: so the tracks can be compared to the sample.
KILLED_CALL = """
import itertools, sys, time
from pathlib import Path
import numpy as np
from kame_voice.calls.recorder import CallRecorder
from kame_voice.calls.transcript import Turn
from kame_voice.core.nouns import FrontEndKind, OracleMode, Speaker
from kame_voice.core.telemetry import Telemetry
from kame_voice.store.archive import Archive
from kame_voice.store.writer import StoreWriter
from tests.calls.test_recorder import CALL, FLOW

folder = Path(sys.argv[1])
archive = Archive.open(f"sqlite:///{folder / 'kame.db'}", folder)
writer = StoreWriter(archive.database, archive.recordings, Telemetry())
writer.start()
recorder = CallRecorder(
    writer,
    CALL,
    FLOW,
    front_end=FrontEndKind.SPOKEN,
    oracle_mode=OracleMode.PARTIAL,
    owner=archive.owner.name,
)
recorder.started()
burst, silence = np.full(480, 0.5, np.float32), np.zeros(480, np.float32)
answered = time.monotonic()
for number in itertools.count():
    at_ms = number * 20
    time.sleep(max(0.0, answered + at_ms / 1000 - time.monotonic()))
    recorder.caller_audio(burst if at_ms % 500 == 0 else silence, number * 480)
    if at_ms % 500 == 0:
        recorder.agent_audio(burst, (at_ms + 100) * 24)
        recorder.turn(Turn(number, Speaker.CALLER, at_ms, at_ms + 20, text=f"at {at_ms}"))
        recorder.event("burst", at_ms)
    print(at_ms, flush=True)
"""


def test_a_call_outlives_kill_9_up_to_its_last_second(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_CALL, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last_ms = int(line)
            if last_ms >= 3000:
                process.send_signal(signal.SIGKILL)
                break
        last_ms = max([last_ms, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    assert process.returncode == -signal.SIGKILL

    archive = Archive.open(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path)
    found = archive.calls.get("c1")
    assert found is not None
    assert found.status is CallStatus.INTERRUPTED
    assert found.duration_ms is not None
    assert last_ms - 1000 <= found.duration_ms <= last_ms + 200
    assert found.turns[-1].start_ms >= last_ms - 1000
    assert [event.at_ms for event in found.events if event.kind == "burst"][-1] >= last_ms - 1000
    assert found.events[-1].kind == "interrupted"

    path = archive.recordings.path_of("c1")
    assert path is not None
    with wave.open(str(path)) as file:
        tracks = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    caller, agent = np.flatnonzero(tracks[:, 0]), np.flatnonzero(tracks[:, 1])
    bursts = len(caller) // 480
    assert bursts >= (last_ms - 1000) // 500
    assert caller.tolist() == [at * 12_000 + n for at in range(bursts) for n in range(480)]
    assert agent.tolist()[: len(caller)] == [at + 2_400 for at in caller][: len(agent)]
    archive.close()


def test_a_second_program_in_the_same_folder_leaves_running_calls_alone(desk: Desk, tmp_path: Path) -> None:
    owner = desk.archive.owner
    assert owner is not None
    recorder = CallRecorder(
        desk.writer,
        CALL,
        FLOW,
        front_end=FrontEndKind.SPOKEN,
        oracle_mode=OracleMode.PARTIAL,
        owner=owner.name,
    )
    recorder.started()
    desk.writer.round()
    second = Archive.open(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path)
    found = second.calls.get("c1")
    assert found is not None
    assert found.status is CallStatus.IN_PROGRESS
    second.close()


def test_what_is_read_is_json(desk: Desk) -> None:
    recorder = desk.recorder()
    recorder.started()
    desk.writer.round()
    found = desk.archive.calls.get("c1")
    assert found is not None
    assert json.loads(found.model_dump_json())["from"] == "+15550111"
