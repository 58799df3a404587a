"""Was it the right answer? Judges words that a speech-to-text heard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kame_voice.oracle.words import spoken_words, stems

__all__ = ["Verdict", "judge", "recall", "word_errors"]

_ENOUGH: Final = 0.6
"""Share of an answer's content words that must be heard: whisper mishears a few on a phone line."""
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


def recall(answer: str, heard: str) -> float:
    """The share of `answer`'s content words and numbers that are in `heard`, 0..1."""
    wanted = {stem for stem in stems(answer) if stem not in _FUNCTION_WORDS}
    return len(wanted & set(stems(heard))) / len(wanted) if wanted else 0.0


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


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """Edits that turn `reference`'s words into `heard`'s, and how many words `reference` has."""
    one, other = spoken_words(reference), spoken_words(heard)
    costs = list(range(len(other) + 1))
    for row, word in enumerate(one, 1):
        diagonal, costs[0] = costs[0], row
        for column, heard_word in enumerate(other, 1):
            substitution = diagonal + (word != heard_word)
            diagonal = costs[column]
            costs[column] = min(substitution, diagonal + 1, costs[column - 1] + 1)
    return costs[-1], len(one)
