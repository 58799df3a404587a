"""The cycle collector leaves alone what lives as long as the process, and still frees the rest."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from kame_voice.core.garbage import spare_what_stays


class Knot:
    """Refers to itself, so only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_exists_is_not_walked_again() -> None:
    knot = Knot()
    assert any(found is knot for found in gc.get_objects())
    spare_what_stays()
    assert not any(found is knot for found in gc.get_objects())


def test_garbage_from_before_is_not_kept_for_ever() -> None:
    gone = weakref.ref(Knot())
    spare_what_stays()
    assert gone() is None


def test_garbage_of_calls_is_still_collected() -> None:
    spare_what_stays()
    gone = weakref.ref(Knot())
    gc.collect()
    assert gone() is None
