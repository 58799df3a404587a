import numpy as np

from kame_voice.oracle.decode_queue import DecodeQueue
from kame_voice.oracle.hearing_window import Hearing, Reason


def hearing(reason: Reason, *, turn: int = 1, segment: int = 0, covers_ms: int = 0) -> Hearing:
    return Hearing(turn, segment, reason, 0, covers_ms, 500, np.zeros(1, np.float32))


def test_what_ends_a_turn_comes_before_any_partial() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.PARTIAL))
    queue.put("b", hearing(Reason.PAUSE))
    assert [call for call, _ in filter(None, (queue.take(), queue.take()))] == ["b", "a"]


def test_a_newer_partial_takes_the_place_of_an_older() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.PARTIAL, covers_ms=500))
    newest = hearing(Reason.PARTIAL, covers_ms=1000)
    queue.put("a", newest)
    assert queue.take() == ("a", newest)
    assert (len(queue), queue.skipped) == (0, 1)


def test_a_pause_that_was_overtaken_in_its_own_turn_is_skipped() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.PAUSE))
    queue.put("a", hearing(Reason.PARTIAL))
    assert len(queue) == 1


def test_the_end_of_a_turn_is_not_lost_when_the_next_begins() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.PAUSE, turn=1))
    queue.put("a", hearing(Reason.PARTIAL, turn=2))
    assert len(queue) == 2


def test_a_full_window_is_never_skipped() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.SEGMENT))
    queue.put("a", hearing(Reason.PARTIAL, segment=1))
    queue.put("a", hearing(Reason.PARTIAL, segment=1))
    assert len(queue) == 2


def test_calls_take_turns() -> None:
    queue = DecodeQueue()
    order = []
    for _ in range(3):
        for call in ("a", "b", "c"):
            queue.put(call, hearing(Reason.PARTIAL))
        taken = queue.take()
        assert taken
        queue.done(*taken)
        order.append(taken[0])
    assert sorted(order) == ["a", "b", "c"]


def test_one_call_has_one_partial_decoded_at_a_time() -> None:
    queue = DecodeQueue()
    first = hearing(Reason.PARTIAL)
    queue.put("a", first)
    queue.take()
    queue.put("a", hearing(Reason.PARTIAL))
    assert queue.take() is None
    queue.done("a", first)
    assert queue.take() is not None


def test_a_worker_for_urgent_windows_leaves_partials_alone() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.PARTIAL))
    assert queue.take(urgent_only=True) is None


def test_a_call_that_left_has_nothing_waiting() -> None:
    queue = DecodeQueue()
    queue.put("a", hearing(Reason.PAUSE))
    queue.forget("a")
    assert queue.take() is None
