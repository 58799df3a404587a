from __future__ import annotations

from kame_voice.core.nouns import Speaker
from kame_voice.oracle.base import Said
from kame_voice.oracle.memory import CallMemory, told_in_short


def talk(turns: int, words: int = 30) -> tuple[Said, ...]:
    """A conversation whose turns name themselves."""
    return tuple(
        Said(Speaker.AGENT if number % 2 else Speaker.CALLER, f"Turn {number}" + " word" * (words - 2) + ".")
        for number in range(turns)
    )


def test_a_short_call_is_told_word_for_word() -> None:
    told = CallMemory().view(talk(10))
    assert (told.summary, told.recent) == ("", talk(10))


def test_a_long_call_keeps_its_latest_turns_and_does_not_lose_its_front() -> None:
    told = CallMemory().view(talk(40))
    assert told.recent == talk(40)[-8:]
    assert "Turn 30" in told.summary
    assert "Turn 0" in told.summary
    assert len(told.summary.split()) < 300


def test_what_a_model_summed_up_takes_the_place_of_the_turns_it_covers() -> None:
    memory = CallMemory()
    due = memory.due(talk(40))
    assert due == talk(40)[:32]
    memory.learned("She wants\n two cleanings.", len(due))
    told = memory.view(talk(44))
    assert told.summary.startswith("She wants two cleanings. The caller said: Turn 32")
    assert "Turn 31" not in told.summary
    assert told.recent == talk(44)[-8:]


def test_a_summary_is_asked_for_again_only_when_enough_has_come_after_it() -> None:
    memory = CallMemory()
    memory.learned("Notes.", len(memory.due(talk(40))))
    assert memory.due(talk(44)) == ()
    assert memory.due(talk(46)) == talk(46)[32:38]


def test_turns_told_in_short_are_told_by_their_first_words() -> None:
    said = Said(Speaker.CALLER, "I need two cleanings on Monday. My name is Ann and I live in the old town.")
    assert told_in_short((said,)) == "The caller said: I need two cleanings on Monday."
