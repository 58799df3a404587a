"""Answers with their sources: the marks at an answer's end, and whether they bear what it says. Pure.

An answer is spoken text with a mark in square brackets behind it: `[parking, business-hours]`, the facts it
rests on; `[talk]`, a pleasantry; `[none]`, an honest "I don't know"; `[wait]`, nothing to guess yet.
A mark is never spoken, however its letters arrive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kame_voice.flows.honesty import admits_ignorance
from kame_voice.flows.schema import Flow
from kame_voice.oracle.spoken_time import DAY_NAMES, say_week
from kame_voice.oracle.words import spoken_words

__all__ = ["BUSINESS_FACTS", "NONE", "TALK", "WAIT", "MarkedText", "Sourced", "figures_in", "sourced"]

TALK: Final = "talk"
NONE: Final = "none"
WAIT: Final = "wait"
BUSINESS_FACTS: Final = ("business-name", "business-address", "business-hours")
"""What a line knows beside its facts; the flow's own knowledge names them alike."""

_LONGEST_MARK: Final = 400
_SENTENCE_END: Final = re.compile(r"[.!?…][\"'”’)]*\s*$")
_CLAIM: Final = re.compile(
    r"\b(we|they|you) (do|don't|have|offer|take|accept|sell|repair|fix|open|close|charge|need|can|can't|are|"
    r"aren't)\b|\b(it|that|there) (is|are|costs?|takes?)\b|\b(it's|there's)\b",
    re.IGNORECASE,
)
_DAYS: Final = frozenset(name.lower() for name in DAY_NAMES.values())
_ONE: Final = frozenset(("0", "1"))
"""“One moment” and “zero problem” are no figures."""
_SCALES: Final = {"hundred": 100, "thousand": 1000}
_CLOCK: Final = {"noon": "12", "midnight": "12", "half": "30", "quarter": "15"}


class MarkedText:
    """Takes an answer apart as it streams in. `marks`: all names found in brackets so far."""

    def __init__(self) -> None:
        self.marks: list[str] = []
        self._open: str | None = None
        self._text = ""

    def feed(self, piece: str) -> str:
        """More of the answer; what of it is to be spoken.

        Where a mark begins behind a whole sentence a line break is given out, so that the sentence need not
        wait for what follows it.
        """
        spoken = ""
        for character in piece:
            if self._open is not None:
                self._in_mark(character)
            elif character == "[":
                self._open = ""
                spoken += "\n" if _SENTENCE_END.search(self._text + spoken) else ""
            else:
                spoken += character
        self._text += spoken
        return spoken

    def finish(self) -> None:
        """The stream is over; a mark that was cut off counts as far as it goes without its last name."""
        if self._open is not None:
            names = self._open.split(",")[:-1]
            self._open = None
            self._add(names)

    def _in_mark(self, character: str) -> None:
        assert self._open is not None
        if character == "]" or len(self._open) >= _LONGEST_MARK:
            names, self._open = self._open.split(","), None
            self._add(names)
        else:
            self._open += character

    def _add(self, names: list[str]) -> None:
        for name in names:
            plain = re.sub(r"^(facts?|sources?):", "", name.strip().lower()).strip()
            if plain and plain not in self.marks:
                self.marks.append(plain)


@dataclass(frozen=True, slots=True)
class Sourced:
    """`facts` the answer rests on. `grounded`: True, they bear it; False, nothing does; None, no need."""

    facts: tuple[str, ...]
    grounded: bool | None


def sourced(text: str, marks: list[str], flow: Flow, caller_words: str) -> Sourced:
    """Judge a complete answer: its sources must exist, and every figure in it stand in one of them.

    `caller_words`: what the caller said may be repeated.
    """
    answers = {fact.id: f"{' '.join(fact.questions)} {fact.answer}" for fact in flow.facts}
    known = {**answers, **_business(flow)}
    facts = tuple(mark for mark in marks if mark in known)
    if facts:
        given = " ".join((*(known[fact] for fact in facts), *_business(flow).values(), caller_words))
        return Sourced(facts, figures_in(text) <= figures_in(given) | _ONE)
    honest = admits_ignorance(text) or spoken_words(text) == spoken_words(flow.unknown)
    claims = bool((figures_in(text) - _ONE) or _DAYS & set(spoken_words(text)))
    pleasantry = TALK in marks and not _CLAIM.search(text)
    return Sourced((), None if (honest or pleasantry) and not claims else False)


def _business(flow: Flow) -> dict[str, str]:
    business = flow.business
    known = {"business-name": business.name}
    if business.address:
        known["business-address"] = business.address
    if business.hours:
        known["business-hours"] = say_week(dict(business.hours))
    return known


def figures_in(text: str) -> set[str]:
    """The numbers that `text` says, in digits: "one hundred and twenty" → {"120"}, "9:30" → {"9", "30"}."""
    figures: set[str] = set()
    value: int | None = None
    for word in [*spoken_words(re.sub(r"(?<=\d),(?=\d{3})", "", text)), ""]:
        if word.isdigit():
            if value is not None and value % 100 == 0 and int(word) < 100:
                value += int(word)
                continue
            figures |= {str(value)} if value is not None else set()
            value = int(word)
        elif word in _SCALES:
            value = (value or 1) * _SCALES[word]
        elif word == "and" and value is not None and value % 100 == 0:
            continue
        else:
            figures |= {str(value)} if value is not None else set()
            value = None
            if word in _CLOCK:
                figures.add(_CLOCK[word])
            figures |= set(re.findall(r"\d+", word))
    return figures
