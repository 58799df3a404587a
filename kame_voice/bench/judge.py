"""Was it the right answer? Judges words that a speech-to-text heard. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kame_voice.oracle.words import number_words, spoken_words, stems

__all__ = ["Verdict", "held", "judge", "recall", "word_errors"]

_ENOUGH: Final = 0.6
"""Share of an answer's content words that must be heard: whisper mishears a few on a phone line."""
_MONEY: Final = re.compile(r"\$\s?(\d[\d,]*)")
_NUMBER: Final = re.compile(r"(?<![\d.:])\d{1,3}(?:,\d{3})+(?![\d:])|(?<![\d.:])\d{1,4}(?![\d:])")
_FUNCTION_WORDS: Final = frozenset(
    stem
    for stem in stems(
        "a an and are as at be but by can come do does for from get have here how i if in is it its "
        "me my no not of off on or our out please so take that the them then there they this to up us "
        "was we what when where which will with would yes you your"
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`right`: every wanted fact was heard, and no other better. `share`: of the wanted content words."""

    right: bool
    share: float
    best: str
    """The fact whose words were heard most, of all the line's facts."""


def _said(text: str) -> str:
    """`text` with its sums and numbers in words, as they sound: "$120" is "one hundred twenty dollars"."""
    money = _MONEY.sub(r"\1 dollars", text).replace("%", " percent")
    return _NUMBER.sub(_in_words, money)


def _in_words(match: re.Match[str]) -> str:
    number = int(match.group().replace(",", ""))
    return number_words(number) if number < 10_000 else match.group()


def recall(answer: str, heard: str) -> float:
    """The share of `answer`'s content words and numbers that are in `heard`, 0..1."""
    wanted = {stem for stem in stems(_said(answer)) if stem not in _FUNCTION_WORDS}
    return len(wanted & set(stems(_said(heard)))) / len(wanted) if wanted else 0.0


def judge(heard: str, answers: Mapping[str, str], facts: Sequence[str], words: Sequence[str] = ()) -> Verdict:
    """Judge `heard` against `answers`, the text of every fact of the line by its id.

    `facts` are those wanted; or `words` that must all be heard.
    """
    shares = {fact: recall(answer, heard) for fact, answer in answers.items()}
    best = max(shares, key=lambda fact: shares[fact], default="")
    if words:
        share = recall(" ".join(words), heard)
        return Verdict(share == 1.0, share, best)
    share = min(shares[fact] for fact in facts)
    stranger = max((value for fact, value in shares.items() if fact not in facts), default=0.0)
    return Verdict(share >= _ENOUGH and stranger < share, share, best)


def held(heard: str, holding: Sequence[str]) -> bool:
    """Whether `heard` opens with one of the line's `holding` phrases, give or take a word."""
    opening = spoken_words(_said(heard))
    for phrase in holding:
        words = spoken_words(phrase)
        errors, total = word_errors(phrase, " ".join(opening[: len(words)]))
        if opening and errors <= total / 3:
            return True
    return False


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """Edits that turn `reference`'s words into `heard`'s, and how many words `reference` has."""
    one, other = spoken_words(_said(reference)), spoken_words(_said(heard))
    costs = list(range(len(other) + 1))
    for row, word in enumerate(one, 1):
        diagonal, costs[0] = costs[0], row
        for column, heard_word in enumerate(other, 1):
            substitution = diagonal + (word != heard_word)
            diagonal = costs[column]
            costs[column] = min(substitution, diagonal + 1, costs[column - 1] + 1)
    return costs[-1], len(one)
