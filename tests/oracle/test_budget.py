from __future__ import annotations

from kame_voice.oracle.base import Usage
from kame_voice.oracle.budget import Budget, CallLimits, ProcessLimits, Verdict

FREE = CallLimits(0, 0, 0)
GRANTED = Verdict(True)


def budget(**limits: float) -> Budget:
    """A budget with these limits and no others."""
    none = {"in_flight": 0, "requests_a_second": 0, "tokens_a_minute": 0, "usd_a_day": 0}
    return Budget(ProcessLimits(**{**none, **limits}))  # type: ignore[arg-type]


def test_guesses_leave_room_for_finished_turns() -> None:
    books = budget(in_flight=4)
    for number in range(3):
        assert books.ask(f"c{number}", f"g{number}", FREE, 0.0, is_final=False) == GRANTED
    assert books.ask("c9", "g9", FREE, 0.0, is_final=False) == Verdict(False, "in-flight")
    assert books.ask("c9", "f9", FREE, 0.0, is_final=True) == GRANTED


def test_a_final_takes_the_place_of_another_calls_oldest_guess() -> None:
    books = budget(in_flight=2)
    books.ask("mine", "m1", FREE, 0.0, is_final=True)
    books.ask("other", "o1", FREE, 0.0, is_final=False)
    assert books.ask("mine", "m2", FREE, 0.1, is_final=True).granted
    other = budget(in_flight=4)
    other.ask("mine", "g0", FREE, 0.0, is_final=False)
    other.ask("a", "g1", FREE, 0.0, is_final=False)
    other.ask("b", "g2", FREE, 0.0, is_final=False)
    other.ask("b", "f1", FREE, 0.0, is_final=True)
    assert other.ask("mine", "f2", FREE, 0.0, is_final=True) == Verdict(True, shed=("g1",))
    assert other.in_flight == 4


def test_a_guess_that_answers_a_finished_turn_by_now_keeps_its_place() -> None:
    books = budget(in_flight=2)
    books.ask("other", "g1", FREE, 0.0, is_final=False)
    books.promoted("g1")
    books.ask("mine", "f1", FREE, 0.0, is_final=True)
    assert books.ask("mine", "f2", FREE, 0.0, is_final=True) == Verdict(False, "in-flight")


def test_a_call_gives_up_its_own_oldest_guess_for_its_newer_question() -> None:
    books, limits = budget(), CallLimits(in_flight=2, tokens=0, usd=0)
    books.ask("c", "g1", limits, 0.0, is_final=False)
    books.ask("c", "g2", limits, 0.5, is_final=False)
    assert books.ask("c", "f1", limits, 1.0, is_final=True) == Verdict(True, shed=("g1",))


def test_requests_a_second_hold_over_any_second() -> None:
    books = budget(requests_a_second=4)
    for number in range(3):
        assert books.ask("c", f"g{number}", FREE, 0.3 * number, is_final=False).granted
    assert books.ask("c", "g4", FREE, 0.9, is_final=False) == Verdict(False, "requests-a-second")
    assert books.ask("c", "f", FREE, 0.9, is_final=True).granted
    assert books.ask("c", "f2", FREE, 0.95, is_final=True) == Verdict(False, "requests-a-second")
    assert books.ask("c", "g5", FREE, 2.0, is_final=False).granted


def test_tokens_are_counted_once_however_often_they_are_told() -> None:
    books = budget(tokens_a_minute=1000)
    books.ask("c", "g1", FREE, 0.0, is_final=False)
    for output in (1, 50, 100):
        books.used("g1", Usage(600, output), 0.0)
    assert books.ask("c", "g2", FREE, 1.0, is_final=False).granted
    books.used("g2", Usage(200, 0), 1.0)
    assert books.ask("c", "g3", FREE, 2.0, is_final=False) == Verdict(False, "tokens-a-minute")
    assert books.ask("c", "f1", FREE, 2.0, is_final=True).granted
    assert books.ask("c", "g4", FREE, 61.5, is_final=False).granted


def test_money_of_a_day_and_of_a_call() -> None:
    books, limits = budget(usd_a_day=1.0), CallLimits(0, 0, usd=0.10)
    books.ask("c", "f1", limits, 0.0, is_final=True)
    books.used("f1", Usage(1, 1, cost_usd=0.08), 0.0)
    assert books.ask("c", "g", limits, 1.0, is_final=False) == Verdict(False, "call-usd")
    assert books.ask("c", "f2", limits, 1.0, is_final=True).granted
    books.used("f2", Usage(1, 1, cost_usd=1.0), 1.0)
    assert books.ask("c", "f3", limits, 2.0, is_final=True) == Verdict(False, "usd-a-day")
    assert books.ask("d", "f4", FREE, 2.0, is_final=True) == Verdict(False, "usd-a-day")
    assert books.ask("d", "f5", FREE, 90_000.0, is_final=True).granted


def test_a_call_that_is_over_frees_its_own_account() -> None:
    books, limits = budget(), CallLimits(0, tokens=100, usd=0)
    books.ask("c", "f1", limits, 0.0, is_final=True)
    books.used("f1", Usage(100), 0.0)
    assert books.ask("c", "f2", limits, 0.0, is_final=True) == Verdict(False, "call-tokens")
    books.call_over("c")
    assert books.ask("c", "f3", limits, 0.0, is_final=True).granted
