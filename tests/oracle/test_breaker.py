from __future__ import annotations

from kame_voice.oracle.breaker import Breaker, BreakerState


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(failures=3)
    assert not breaker.failed("overloaded", 0.0)
    assert not breaker.failed("overloaded", 1.0)
    breaker.succeeded()
    assert [breaker.failed("overloaded", at) for at in (2.0, 3.0, 4.0)] == [False, False, True]
    assert not breaker.admit(4.1)


def test_a_bad_key_opens_it_at_once() -> None:
    assert Breaker().failed("bad-key", 0.0)


def test_what_is_one_questions_own_fault_does_not_count() -> None:
    breaker = Breaker(failures=1)
    for code in ("refusal", "empty-answer", "forbidden-words"):
        assert not breaker.failed(code, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_after_its_rest_one_question_is_the_trial_and_closes_it() -> None:
    breaker = Breaker(failures=1, cool_s=5)
    breaker.failed("unreachable", 0.0)
    assert not breaker.would_admit(4.9)
    assert breaker.admit(5.0)
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.admit(5.0)
    assert breaker.succeeded()
    assert breaker.admit(5.1)


def test_a_trial_that_fails_doubles_the_rest_up_to_a_minute() -> None:
    breaker = Breaker(failures=1, cool_s=5)
    breaker.failed("unreachable", 0.0)
    now, rests = 0.0, []
    for _ in range(5):
        rest = next(s for s in range(200) if breaker.would_admit(now + s))
        rests.append(rest)
        now += rest
        assert breaker.admit(now)
        assert breaker.failed("unreachable", now)
    assert rests == [5, 10, 20, 40, 60]


def test_a_trial_that_was_given_up_may_be_made_again_at_once() -> None:
    breaker = Breaker(failures=1, cool_s=5)
    breaker.failed("unreachable", 0.0)
    assert breaker.admit(5.0)
    breaker.undecided(5.5)
    assert breaker.admit(5.5)
