import threading
from collections.abc import Callable

import numpy as np

from kame_voice.core.nouns import OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleClose, OracleOpen, OracleWithdraw
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Sampling
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.kame.call_state import CallState, Rules
from kame_voice.front_end.kame.runner import Delivery, Runner
from kame_voice.front_end.kame.script import ForcedScript
from kame_voice.hearing.base import BargedIn, HeardFrame, TurnEvent, TurnStarted
from tests.front_end.kame.fakes import FRAME, VOCABULARY, FakeEngine, script


class Bench:
    """A runner on a clock of its own; `frames` are what each row's call was handed."""

    def __init__(self, capacity: int = 2, step_s: float = 0.0) -> None:
        self.engine = FakeEngine(capacity)
        self.telemetry = Telemetry()
        self.now = 0.0
        self.frames: dict[int, list[SpokenFrame]] = {}
        self.said: list[tuple[ForcedScript, bool]] = []
        self.runner = Runner(self.engine, self.telemetry, self._deliver, lambda: self.now, wait=self._wait)

    def _deliver(self, delivery: Delivery) -> None:
        for state, frame in delivery:
            self.frames.setdefault(state.row, []).append(frame)

    def _wait(self, seconds: float) -> None:
        self.now += seconds

    def seat(self, row: int, *, rules: Rules | None = None) -> CallState:
        state = CallState(
            row,
            VOCABULARY,
            rules or Rules(2000, 2950),
            lambda spoken, whole: self.said.append((spoken, whole)),
        )
        self.runner.seat(state, Sampling(), seed=row)
        return state

    def count(self, name: str) -> float:
        return self.telemetry.registry.get_sample_value(name) or 0.0

    def words(self, row: int) -> list[str]:
        return [word.text for frame in self.frames.get(row, []) for word in frame.words]


def heard(value: float = 0.0, *events: TurnEvent, voiced: bool = False) -> HeardFrame:
    return HeardFrame(np.full(FRAME, value, np.float32), 0, voiced, events)


def talk(bench: Bench, states: list[CallState], ticks: int) -> None:
    for _ in range(ticks):
        for state in states:
            state.hear(heard())
        bench.runner.tick()


def guide(state: CallState, oracle_id: str, text: str) -> None:
    state.guide(OracleOpen(oracle_id, OracleSource.LLM, 0, True))
    state.guide(OracleAppend(oracle_id, text))


def test_a_call_steps_once_a_tick_for_each_frame_it_has_heard() -> None:
    bench = Bench()
    one, two = bench.seat(0), bench.seat(1)
    for value in (0.1, 0.2):
        one.hear(heard(value))
    two.hear(heard(0.5))
    bench.runner.tick()
    bench.runner.tick()
    assert [sorted(tick) for tick in bench.engine.heard] == [[0, 1], [0]]
    assert np.isclose(bench.engine.heard[1][0], 0.2)
    assert bench.count("kame_engine_frozen_total") == 1


def test_a_call_without_frames_is_frozen_and_then_fed_silence() -> None:
    bench = Bench()
    quiet, busy = bench.seat(0), bench.seat(1)
    talk(bench, [quiet, busy], 1)
    talk(bench, [busy], 5)
    assert [0 in tick for tick in bench.engine.seen] == [True, False, False, False, True, True]
    assert all(1 in tick for tick in bench.engine.seen), "one call never stalls another"


def test_a_call_whose_socket_has_not_come_does_not_step() -> None:
    bench = Bench()
    bench.seat(0)
    for _ in range(10):
        bench.runner.tick()
    assert bench.engine.seen == []


def test_frames_beyond_a_second_of_backlog_are_dropped_and_counted() -> None:
    bench = Bench()
    state = bench.seat(0)
    for _ in range(20):
        state.hear(heard())
    assert len(state.frames) == 12
    assert state.dropped == 8


def test_the_oracles_words_become_the_agents_with_its_id() -> None:
    bench = Bench()
    state = bench.seat(0)
    guide(state, "o1", "he")
    state.guide(OracleAppend("o1", "llo yo"))
    state.guide(OracleAppend("o1", "u"))
    state.guide(OracleClose("o1"))
    talk(bench, [state], 16)
    words = [word for frame in bench.frames[0] for word in frame.words]
    assert [(word.text, word.oracle_id, word.verbatim) for word in words] == [
        ("hello", "o1", False),
        ("you", "o1", False),
    ]
    assert all(frame.speaking for frame in bench.frames[0] if frame.words)


def test_a_withdrawn_oracle_is_fed_no_further() -> None:
    bench = Bench()
    state = bench.seat(0)
    guide(state, "o1", "abcdefgh ")
    talk(bench, [state], 3)
    state.guide(OracleWithdraw("o1"))
    talk(bench, [state], 3)
    assert [tick[0] for tick in bench.engine.seen[3:]] == [3, 3, 3]


def test_exact_words_are_forced_and_reported_when_they_have_been_handed_out() -> None:
    bench = Bench()
    state = bench.seat(0)
    state.say(greeting := script("good morning", frames=4))
    talk(bench, [state], 4)
    assert bench.said == []
    talk(bench, [state], 1)
    assert bench.said == [(greeting, True)]
    assert bench.words(0) == ["good", "morning"]
    verbatim = [frame for frame in bench.frames[0] if frame.words]
    assert all(word.verbatim for frame in verbatim for word in frame.words)
    assert len([frame for frame in bench.frames[0] if frame.pcm.any()]) == 4


def test_scripts_follow_each_other_without_a_hole_as_utterances_of_their_own() -> None:
    bench = Bench()
    state = bench.seat(0)
    state.say(script("a", frames=3))
    state.say(script("b", frames=3))
    talk(bench, [state], 9)
    sounding = [bool(frame.pcm.any()) for frame in bench.frames[0]]
    assert sounding == [False, *[True] * 6, False, False]
    utterances = [word.utterance for frame in bench.frames[0] for word in frame.words]
    assert utterances == [0, 1]
    assert [whole for _, whole in bench.said] == [True, True]


def test_a_barge_in_ends_interruptible_words_at_once_and_not_others() -> None:
    bench = Bench()
    one, two = bench.seat(0), bench.seat(1)
    one.say(script("a b c", frames=8))
    two.say(script("a b c", frames=8, interruptible=False))
    talk(bench, [one, two], 3)
    for state in (one, two):
        state.hear(heard(0.0, BargedIn(240)))
    bench.runner.tick()
    talk(bench, [one, two], 8)
    assert bench.said[0][1] is False
    assert bench.frames[0][3].cut
    assert not any(frame.cut for frame in bench.frames[1])
    assert bench.words(0) == ["a", "b"]
    assert bench.words(1) == ["a", "b", "c"]


def test_an_oracle_waits_while_exact_words_are_spoken_and_loses_no_token() -> None:
    bench = Bench()
    state = bench.seat(0)
    state.say(script("hold on", frames=4))
    guide(state, "o1", "yes ")
    talk(bench, [state], 14)
    fed = [tick[0] for tick in bench.engine.seen]
    assert fed[:5] == [3] * 5
    assert fed[5] == 200
    assert bench.words(0) == ["hold", "on", "yes"]


def test_exact_words_end_a_composed_answer_under_way() -> None:
    bench = Bench()
    state = bench.seat(0)
    guide(state, "o1", "abcdefghijkl ")
    talk(bench, [state], 4)
    state.say(script("bye", frames=2))
    talk(bench, [state], 8)
    assert [tick[0] for tick in bench.engine.seen[4:]] == [3] * 8


def test_an_answered_oracle_is_no_longer_in_force_in_the_next_turn() -> None:
    bench = Bench()
    state = bench.seat(0)
    guide(state, "o1", "yes ")
    state.guide(OracleClose("o1"))
    talk(bench, [state], 6)
    assert state.cursor.in_force == "o1"
    state.hear(heard(0.0, TurnStarted(0)))
    assert state.cursor.in_force is None


def test_a_twenty_minute_call_is_primed_in_quiet_moments_and_never_wraps() -> None:
    bench = Bench(1)
    state = bench.seat(0, rules=Rules(soft=2250, hard=2950))
    oldest = 0
    frame = heard()
    voiced = heard(voiced=True)
    for step in range(15_000):
        if step % 100 == 0:
            guide(state, f"o{step}", f"number{step} ")
        state.hear(voiced if step % 100 > 60 else frame)
        bench.runner.tick()
        oldest = max(oldest, int(bench.engine.age[0]))
    assert len(bench.frames[0]) == 15_000, "no stall"
    assert oldest <= 2950
    assert bench.words(0) == [f"number{step}" for step in range(0, 15_000, 100)]
    assert bench.count("kame_engine_primed_total") == 6
    assert all(codec is False for rows, codec in bench.engine.wiped[1:])


def test_a_caller_who_never_pauses_is_primed_before_the_ring_wraps() -> None:
    bench = Bench(1)
    state = bench.seat(0, rules=Rules(soft=30, hard=50))
    for _ in range(120):
        state.hear(heard(voiced=True))
        bench.runner.tick()
    assert bench.count("kame_engine_primed_total") == 2


def test_words_that_would_not_fit_into_the_ring_are_spoken_on_an_empty_one() -> None:
    bench = Bench(1)
    state = bench.seat(0, rules=Rules(soft=40, hard=50))
    talk(bench, [state], 28)
    state.say(script("a", frames=30))
    talk(bench, [state], 33)
    assert bench.count("kame_engine_primed_total") == 1
    assert bench.said[0][1]


def test_a_released_row_is_wiped_before_and_after_its_call() -> None:
    bench = Bench()
    state = bench.seat(1)
    bench.runner.unseat(state)
    assert bench.engine.wiped == [([1], True), ([1], True)]
    bench.runner.unseat(state)
    assert len(bench.engine.wiped) == 2


def stop_after(bench: Bench, waits: int, each_wait: Callable[[], None]) -> threading.Event:
    stopped = threading.Event()
    count = 0

    def wait(seconds: float) -> None:
        nonlocal count
        count += 1
        bench.now += seconds
        each_wait()
        if count == waits:
            stopped.set()

    bench.runner.wait = wait
    return stopped


def test_ticks_stay_on_an_absolute_clock_and_late_ones_are_counted() -> None:
    bench = Bench(1)
    state = bench.seat(0)
    starts: list[float] = []
    slow = {3: 0.1}
    tick = bench.engine.tick

    def timed(batch: int | None = None) -> object:
        starts.append(bench.now)
        bench.now += slow.get(len(starts), 0.02)
        return tick(batch)

    bench.engine.tick = timed  # type: ignore[method-assign]
    for _ in range(9):
        state.hear(heard())
    stopped = stop_after(bench, 5, lambda: None)
    bench.runner.run(stopped)
    assert bench.count("kame_engine_late_total") == 1
    assert any(np.isclose(start % 0.08, 0.0, atol=1e-6) for start in starts[4:])


def test_a_call_that_fell_behind_catches_up_to_one_frame_in_hand_against_jitter() -> None:
    bench = Bench(1)
    state = bench.seat(0)
    for _ in range(4):
        state.hear(heard())
    bench.runner.run(stop_after(bench, 2, lambda: None))
    assert len(bench.frames[0]) == 3
    assert len(state.frames) == 1


def test_requests_from_other_threads_are_obeyed_before_the_next_step() -> None:
    bench = Bench(1)
    state = bench.seat(0)
    bench.runner.ask(lambda: state.hear(heard(0.7)))
    bench.runner.tick()
    assert np.isclose(bench.engine.heard[0][0], 0.7)
