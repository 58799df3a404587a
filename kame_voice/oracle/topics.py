"""All that a line can be asked about: its facts, what follows from its business, small talk. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from kame_voice.flows.schema import Flow
from kame_voice.oracle.opening import answer_opening

__all__ = ["Kind", "Topic", "topics_of"]


class Kind(Enum):
    """Where an answer comes from."""

    FACT = auto()
    HOURS = auto()
    DERIVED = auto()
    SMALL_TALK = auto()


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that can be asked. `answer` makes the sentence from the question and the local time.

    `id` is the fact's; derived ones are named `business-…`, small talk `talk-…`.
    """

    id: str
    kind: Kind
    questions: tuple[str, ...]
    about: str
    answer: Callable[[str, datetime], str]


_HOURS_QUESTIONS: Final = (
    "What are your opening hours?",
    "When are you open?",
    "Are you open on Saturday?",
    "Are you open right now?",
    "Are you open today?",
    "What time do you open tomorrow?",
    "What time do you close?",
    "How late are you open?",
    "Until when are you open on Friday?",
    "Are you closed on Sunday?",
    "Are you open on weekends?",
    "What days are you open?",
    "What are your hours on Monday?",
)
_HOURS_WORDS: Final = (
    "We are open and closed from and until these hours, Monday, Tuesday, Wednesday, Thursday, Friday, "
    "Saturday, Sunday, today, tonight, tomorrow, now, morning, afternoon, evening."
)
_ADDRESS_QUESTIONS: Final = (
    "Where are you located?",
    "Where are you?",
    "What is your address?",
    "How do I find you?",
    "Where is your office?",
    "What street are you on?",
    "Where do I have to go?",
)
_NAME_QUESTIONS: Final = (
    "Who am I speaking to?",
    "What is the name of your business?",
    "Who is this?",
    "What company is this?",
    "Did I reach the right number?",
)
_TALK: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "talk-robot": (
        (
            "Are you a robot?",
            "Are you a real person?",
            "Am I talking to a human being?",
            "Am I talking to a machine?",
            "Is this a computer?",
            "Are you human?",
            "Is this an AI?",
            "Is this an automated system?",
        ),
        "I'm an automated assistant for {name}. I can answer most questions right away.",
    ),
    "talk-greeting": (
        ("Hello.", "Hi there.", "Good morning.", "Hello, how are you?", "Hey, good afternoon."),
        "Hello! How can I help you?",
    ),
    "talk-presence": (
        ("Can you hear me?", "Are you there?", "Hello, is anybody there?", "Is anyone there?"),
        "Yes, I can hear you. How can I help?",
    ),
    "talk-thanks": (
        ("Thank you.", "Thanks a lot.", "Great, thank you so much.", "Thank you, that helps."),
        "You're welcome. Is there anything else?",
    ),
    "talk-goodbye": (
        (
            "Goodbye.",
            "Bye bye.",
            "That's all, thank you.",
            "No, that's all.",
            "That was everything, thanks, bye.",
            "Thank you, goodbye.",
            "No thanks, that's it.",
            "Nothing else, thank you.",
            "Have a nice day.",
        ),
        "{goodbye}",
    ),
}


def topics_of(flow: Flow) -> list[Topic]:
    """The topics of `flow`; its own facts come first."""
    topics = [
        Topic(fact.id, Kind.FACT, fact.questions, fact.answer, _always(fact.answer)) for fact in flow.facts
    ]
    business = flow.business
    if business.hours:
        week = dict(business.hours)
        topics.append(
            Topic(
                "business-hours",
                Kind.HOURS,
                _HOURS_QUESTIONS,
                _HOURS_WORDS,
                lambda question, now: answer_opening(question, week, now),
            )
        )
    if business.address:
        address = f"We are at {business.address.rstrip('.')}."
        topics.append(Topic("business-address", Kind.DERIVED, _ADDRESS_QUESTIONS, address, _always(address)))
    name = f"This is {business.name.rstrip('.')}."
    named = (*_NAME_QUESTIONS, f"Is this {business.name}?", f"Am I speaking with {business.name}?")
    topics.append(Topic("business-name", Kind.DERIVED, named, name, _always(name)))
    for id_, (questions, answer) in _TALK.items():
        text = answer.format(name=business.name, goodbye=flow.goodbye)
        topics.append(Topic(id_, Kind.SMALL_TALK, questions, "", _always(text)))
    return topics


def _always(answer: str) -> Callable[[str, datetime], str]:
    return lambda _question, _now: answer
