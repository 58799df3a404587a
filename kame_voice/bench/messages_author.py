"""Writes the answers of the stand-in for a language model, from nothing but the prompt it is sent.

It reads the facts out of the prompt's text as a model would, matches the caller's last words by
meaning, and keeps to the prompt's marks for sources. No flow, no answer key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.oracle.embedder import Embedder
from kame_voice.oracle.matching import Index
from kame_voice.oracle.topics import Kind, Topic
from kame_voice.oracle.words import spoken_words

__all__ = ["FactsAuthor"]

_FACT: Final = re.compile(r"^\[(?P<id>[a-z0-9-]+)\] (?P<questions>.+?) — (?P<answer>.+)$", re.MULTILINE)
_UNKNOWN: Final = re.compile(r'such as: "(?P<text>.+?)"')
_HOURS: Final = re.compile(r"Opening hours: (?P<week>.+)")
_ADDRESS: Final = re.compile(r"Address: (?P<address>.+)")
_NOW: Final = re.compile(r"We are (?:open|closed) right now.*")
_UNFINISHED: Final = re.compile(r" …\n\n\(|\(The caller is still speaking")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS_ASKED: Final = (
    "What are your opening hours?",
    "Are you open on Saturday?",
    "Are you open right now?",
    "What time do you open tomorrow?",
    "What time do you close on Friday?",
    "When do you open?",
    "Are you closed on Sunday?",
)
_WHERE_ASKED: Final = ("Where are you?", "What is your address?", "How do I find you?", "What street is it?")
_TALK: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "thanks": (
        ("Thank you.", "Great, thanks a lot.", "Thanks, that helps."),
        "You're welcome. Anything else?",
    ),
    "goodbye": (("Goodbye.", "Bye bye.", "That's all, bye."), "Thanks for calling. Goodbye."),
    "greeting": (("Hello.", "Hi there.", "Good morning."), "Hello! How can I help?"),
}
_KEPT: Final = 32


class FactsAuthor:
    """Answers one request body after another. `write` blocks: about 10 ms, a line's first for longer."""

    def __init__(self) -> None:
        self._embedder = Embedder()
        self._indexes: dict[str, Index] = {}

    def write(self, body: dict[str, Any]) -> str:
        """The text of the answer to one request of the Messages API."""
        business = _system(body)
        words, history = _conversation(body)
        last = str(body["messages"][-1]["content"])
        unfinished = bool(_UNFINISHED.search(last))
        marks = "[wait]" in business
        earlier = next((said for role, said in reversed(history) if role == "user"), "")
        matches = self._index(business).match(words, last_question=earlier) if spoken_words(words) else []
        if not matches:
            if unfinished:
                return "[wait]" if marks else "Let me see."
            honest = _UNKNOWN.search(business)
            text = honest["text"] if honest else "I'm sorry, I don't know that."
            return f"{text} [none]" if marks else text
        text = " ".join(match.topic.answer(match.question, _ANY_TIME) for match in matches)
        if not marks:
            return text
        talk = all(match.topic.kind is Kind.SMALL_TALK for match in matches)
        named = "talk" if talk else ", ".join(match.topic.id for match in matches)
        return f"{text} [{named}]"

    def _index(self, business: str) -> Index:
        found = self._indexes.get(business)
        if found is None:
            while len(self._indexes) >= _KEPT:
                self._indexes.pop(next(iter(self._indexes)))
            found = self._indexes[business] = Index(_topics(business), self._embed)
        return found

    def _embed(self, sentences: list[str]) -> NDArray[np.float32]:
        return self._embedder.embed(sentences)


_ANY_TIME: Any = None
"""What a prompt's text tells of the time is in the text itself."""


def _system(body: dict[str, Any]) -> str:
    system = body.get("system", "")
    return system if isinstance(system, str) else "\n".join(str(block["text"]) for block in system)


def _conversation(body: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """The caller's present words without the prompt's remark behind them, and what was said before."""
    *earlier, present = body["messages"]
    lines = str(present["content"]).split("\n\n(")[0].strip().splitlines()
    words = lines[-1].removesuffix("…").strip() if lines else ""
    return words, [(str(one["role"]), str(one["content"])) for one in earlier]


def _topics(business: str) -> list[Topic]:
    topics = [
        Topic(
            fact["id"],
            Kind.FACT,
            tuple(question.strip() for question in fact["questions"].split(" / ")),
            fact["answer"],
            _always(fact["answer"]),
        )
        for fact in _FACT.finditer(business)
    ]
    if week := _HOURS.search(business):
        now = _NOW.search(business)
        topics.append(
            Topic(
                "business-hours",
                Kind.HOURS,
                _HOURS_ASKED,
                f"{week['week']} today, tomorrow, right now",
                _hours_answer(week["week"], now[0] if now else ""),
            )
        )
    if address := _ADDRESS.search(business):
        text = f"We are at {address['address'].rstrip('.')}."
        topics.append(Topic("business-address", Kind.DERIVED, _WHERE_ASKED, text, _always(text)))
    for id_, (questions, answer) in _TALK.items():
        topics.append(Topic(f"talk-{id_}", Kind.SMALL_TALK, questions, "", _always(answer)))
    return topics


def _always(answer: str) -> Callable[[str, Any], str]:
    return lambda _question, _now: answer


def _hours_answer(week: str, now: str) -> Callable[[str, Any], str]:
    def answer(question: str, _now: Any) -> str:
        asked = spoken_words(question)
        day = next((day for day in _DAYS if day in asked or f"{day}s" in asked), None)
        if day is not None:
            return f"On {day.capitalize()} we are {_stretch(week, day)}."
        return now if now and ("now" in asked or "today" in asked) else week

    return answer


def _stretch(week: str, day: str) -> str:
    """ "open from nine in the morning to noon", as the prompt's week has it for `day`; or "closed"."""
    for clause in re.split(
        r",\s+(?:and\s+)?(?=on |[A-Z][a-z]+day )|\.\s+", week.partition("We are closed")[0]
    ):
        days, _, times = clause.partition(" from ")
        if times and day in _days_in(days):
            return f"open from {times.rstrip('. ')}"
    return "closed"


def _days_in(text: str) -> set[str]:
    named = [day for day in _DAYS if day in text.lower()]
    if "every day" in text:
        return set(_DAYS)
    if " to " in text and len(named) == 2:
        first, last = (_DAYS.index(day) for day in named)
        return set(_DAYS[first : last + 1])
    return set(named)
