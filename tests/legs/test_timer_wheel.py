"""Many timers on one grid."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import pytest

from kame_voice.legs.timer_wheel import TimerWheel

pytestmark = pytest.mark.anyio


def clock() -> float:
    return asyncio.get_running_loop().time()


async def test_each_is_called_once_on_the_first_tick_that_is_not_before_its_time() -> None:
    wheel, began, calls = TimerWheel(clock, 0.01), clock(), dict[float, float]()

    def note(wait: float) -> None:
        calls[wait] = clock() - began

    for wait in (0.031, 0.005, 0.02, 0.0):
        wheel.at(began + wait, partial(note, wait))
    await asyncio.sleep(1)
    assert calls == pytest.approx({0.031: 0.04, 0.005: 0.01, 0.02: 0.02, 0.0: 0.0}, abs=0.0015)


async def test_what_is_due_on_the_same_tick_takes_one_wake_up() -> None:
    wheel, began, times = TimerWheel(clock, 0.01), clock(), list[float]()
    for number in range(100):
        wheel.at(began + 0.021 + number * 0.00008, lambda: times.append(clock()))
    await asyncio.sleep(1)
    assert (len(times), len(set(times))) == (100, 1)


async def test_one_may_be_set_from_within_another() -> None:
    wheel, began, times = TimerWheel(clock, 0.01), clock(), list[float]()

    def again() -> None:
        times.append(clock() - began)
        if len(times) < 4:
            wheel.at(began + 0.02 * (len(times) + 1), again)

    wheel.at(began + 0.02, again)
    await asyncio.sleep(1)
    assert times == pytest.approx([0.02, 0.04, 0.06, 0.08], abs=0.0015)


async def test_one_that_fails_does_not_stop_the_others() -> None:
    wheel, began, faults, calls = TimerWheel(clock, 0.01), clock(), list[str](), list[int]()
    asyncio.get_running_loop().set_exception_handler(lambda _, what: faults.append(str(what["exception"])))

    def fail() -> None:
        raise KeyError("a mistake")

    wheel.at(began + 0.01, fail)
    wheel.at(began + 0.01, lambda: calls.append(1))
    wheel.at(began + 0.02, lambda: calls.append(2))
    with contextlib.suppress(KeyError):
        await asyncio.sleep(1)
    assert (calls, faults) == ([1, 2], ["'a mistake'"])
