import pytest

from kame_voice.front_end.kame.configs import CONFIGS
from kame_voice.front_end.kame.plan import Card, forecast, parameters


def test_the_released_model_has_seven_point_eight_billion_parameters() -> None:
    assert parameters(CONFIGS["7b"]) == pytest.approx(7.82e9, rel=0.01)


def test_a_full_ring_takes_one_and_a_half_gibibytes_a_call() -> None:
    sized = forecast(CONFIGS["7b"], Card(131 * 2**30), context=3000)
    assert sized.ring_a_call / 2**30 == pytest.approx(1.465, abs=0.001)
    assert 70 <= sized.calls == sized.by_memory <= 81
    assert 0.025 < sized.step_s < 0.04


def test_half_the_memory_of_a_call_nearly_doubles_the_calls() -> None:
    card = Card(131 * 2**30)
    assert (
        forecast(CONFIGS["7b"], card, context=1500).calls
        > 1.9 * forecast(CONFIGS["7b"], card, context=3000).calls
    )


def test_a_card_too_small_for_the_weights_holds_no_call() -> None:
    assert forecast(CONFIGS["7b"], Card(12 * 2**30), context=750).calls == 0


def test_a_slow_card_is_bound_by_time() -> None:
    sized = forecast(CONFIGS["7b"], Card(192 * 2**30, bandwidth=0.4e12), context=3000)
    assert sized.calls == sized.by_time < sized.by_memory
