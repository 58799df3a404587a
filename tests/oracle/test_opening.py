from datetime import datetime, time, timedelta

import pytest

from kame_voice.oracle.opening import answer_opening, days_asked, is_open
from kame_voice.oracle.spoken_time import say_time, say_week
from tests.oracle.examples import DENTIST, MONDAY_NOON

WEEK = dict(DENTIST.business.hours)
MONDAY_NIGHT = MONDAY_NOON.replace(hour=22)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (time(9), "nine in the morning"),
        (time(12), "noon"),
        (time(13), "one in the afternoon"),
        (time(8, 30), "half past eight in the morning"),
        (time(17, 45), "five forty-five in the afternoon"),
        (time(20), "eight in the evening"),
        (time(0), "midnight"),
    ],
)
def test_times_are_said_as_people_say_them(at: time, said: str) -> None:
    assert say_time(at) == said


def test_days_with_the_same_hours_are_said_together() -> None:
    assert say_week(WEEK) == (
        "We are open on Monday and Tuesday from nine in the morning to five in the afternoon, on Wednesday "
        "from nine in the morning to noon and from half past one in the afternoon to six in the evening, and "
        "on Saturday from nine in the morning to one in the afternoon. We are closed on Thursday and Friday, "
        "and on Sunday."
    )


@pytest.mark.parametrize(
    ("question", "now", "answer"),
    [
        (
            "Are you open on Saturday?",
            MONDAY_NOON,
            "Yes, on Saturday we are open from nine in the morning to one in the afternoon.",
        ),
        (
            "are you open sunday",
            MONDAY_NOON,
            "No, on Sunday we are closed. We open again on Monday at nine in the morning.",
        ),
        (
            "Are you closed on Thursday?",
            MONDAY_NOON,
            "Yes, on Thursday we are closed. We open again on Saturday at nine in the morning.",
        ),
        ("Are you open right now?", MONDAY_NOON, "Yes, we are open right now, until five in the afternoon."),
        (
            "Are you open right now?",
            MONDAY_NIGHT,
            "No, we are closed right now. We open again tomorrow at nine in the morning.",
        ),
        (
            "What time do you close today?",
            MONDAY_NOON,
            "Today we are open from nine in the morning to five in the afternoon.",
        ),
        (
            "Will you be open tomorrow?",
            MONDAY_NOON,
            "Yes, on Tuesday we are open from nine in the morning to five in the afternoon.",
        ),
        (
            "Are you open on the weekend?",
            MONDAY_NOON,
            "On Saturday we are open from nine in the morning to one in the afternoon. "
            "On Sunday we are closed.",
        ),
    ],
)
def test_opening_hours_are_answered_for_the_day_asked(question: str, now: datetime, answer: str) -> None:
    assert answer_opening(question, WEEK, now) == answer


def test_without_a_day_the_whole_week_is_told() -> None:
    assert answer_opening("When are you open?", WEEK, MONDAY_NOON) == say_week(WEEK)


def test_closing_time_itself_is_closed() -> None:
    assert not is_open(WEEK, MONDAY_NOON.replace(hour=17))
    assert is_open(WEEK, MONDAY_NOON.replace(hour=17) - timedelta(minutes=1))


def test_days_come_in_the_order_asked() -> None:
    assert days_asked("open Saturdays, or tomorrow?", MONDAY_NOON) == ["sat", "tue"]
