"""Who has not been answered goes on with the same turn."""

from __future__ import annotations

import pytest

from kame_voice.calls.going_on import turn_gone_on
from kame_voice.calls.transcript import Turn
from kame_voice.core.nouns import Speaker

HOLDING = ("One moment, please.", "Let me look that up.")
ASKED = Turn(0, Speaker.CALLER, 1000, 3000, "And do you have", is_final=True)


def agent(start_ms: int, end_ms: int, text: str = "We have two of them.") -> Turn:
    return Turn(1, Speaker.AGENT, start_ms, end_ms, text)


@pytest.mark.parametrize(
    ("what", "after", "at_ms"),
    [
        ("nobody has said anything", [], 4500),
        ("an answer that we broke off in its first second", [agent(3400, 4400)], 4200),
        ("a holding phrase is no answer", [agent(3700, 4900, "One moment, please.")], 6000),
        ("nor is the beginning of one", [agent(3700, 4400, "One moment,")], 4300),
        ("what we said before counts for nothing", [agent(200, 900, "Hello.")], 4500),
    ],
)
def test_the_turn_goes_on_while_it_is_not_answered(what: str, after: list[Turn], at_ms: int) -> None:
    turns = sorted([ASKED, *after], key=lambda turn: turn.start_ms)
    assert turn_gone_on(turns, at_ms, HOLDING) is ASKED, what


@pytest.mark.parametrize(
    ("what", "turns", "at_ms"),
    [
        ("the first words of a call", [agent(0, 900)], 1000),
        ("a short answer that was said to its end", [ASKED, agent(3300, 3900, "Yes.")], 5000),
        ("an answer that was listened to", [ASKED, agent(3300, 5400)], 5100),
        (
            "an answer behind a holding phrase",
            [ASKED, agent(3700, 4700, HOLDING[0]), agent(4700, 7000)],
            6500,
        ),
        ("a silence so long that it begins anew", [ASKED], 15_000),
        ("a cough is nothing to go on with", [Turn(0, Speaker.CALLER, 1000, 1200, "", is_final=True)], 2000),
    ],
)
def test_otherwise_a_new_turn_begins(what: str, turns: list[Turn], at_ms: int) -> None:
    assert turn_gone_on(turns, at_ms, HOLDING) is None, what
