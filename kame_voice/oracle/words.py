"""Words as they are compared: without case, punctuation and spelling of numbers. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["number_words", "same_word", "spoken_words", "stem", "stems"]

_WORD: Final = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.:]\d+)*")
_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES: Final = {word: value for value, word in enumerate(_ONES)} | {
    word: value * 10 for value, word in enumerate(_TENS, 2)
}
_CONTRACTIONS: Final = {
    "what's": "what is", "where's": "where is", "when's": "when is", "who's": "who is",
    "how's": "how is", "that's": "that is", "it's": "it is", "there's": "there is",
    "here's": "here is", "i'm": "i am", "you're": "you are", "we're": "we are",
    "they're": "they are", "i'd": "i would", "i'll": "i will", "i've": "i have",
    "you've": "you have", "don't": "do not", "doesn't": "does not", "didn't": "did not",
    "can't": "can not", "cannot": "can not", "won't": "will not", "isn't": "is not",
    "aren't": "are not", "let's": "let us",
}  # fmt: skip


def number_words(number: int) -> str:
    """A whole number under 10,000 as a voice says it: 45 → "forty-five", 120 → "one hundred twenty"."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens = _TENS[number // 10 - 2]
        return tens if number % 10 == 0 else f"{tens}-{_ONES[number % 10]}"
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    head = f"{number_words(number // size)} {name}"
    return head if number % size == 0 else f"{head} {number_words(number % size)}"


def spoken_words(text: str) -> list[str]:
    """The words of `text` in lower case, contractions opened, numbers under 100 as digits.

    "What's twenty-five % of 30?" → ["what", "is", "25", "of", "30"].
    """
    lowered = text.lower().replace("’", "'")
    words: list[str] = []
    for token in _WORD.findall(lowered):
        words += _CONTRACTIONS.get(token, token.removesuffix("'s")).split()
    return _join_numbers(words)


def _join_numbers(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        value = _VALUES.get(word)
        if value is None:
            joined.append(word)
        elif 0 < value < 10 and joined and joined[-1] in _OPEN_TENS:
            joined[-1] = str(int(joined[-1]) + value)
        else:
            joined.append(str(value))
    return joined


_OPEN_TENS: Final = frozenset(str(tens) for tens in range(20, 100, 10))


def same_word(one: str, other: str) -> bool:
    """Whether two written words are the same when spoken: "Saturday," and "saturday", "5" and "five"."""
    return one == other or spoken_words(one) == spoken_words(other)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without its commonest endings, so that "cleanings" meets "clean". Rough on purpose."""
    if word.isdigit() or len(word) <= 3:
        return word
    for ending, put in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + put
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


_ENDINGS: Final = (
    ("ations", "at"), ("ation", "at"), ("ings", ""), ("ing", ""), ("ies", "y"), ("ments", ""),
    ("ment", ""), ("ness", ""), ("ers", ""), ("er", ""), ("edly", ""), ("ed", ""), ("ly", ""),
    ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ss", "ss"), ("us", "us"), ("s", ""),
)  # fmt: skip


def stems(text: str) -> list[str]:
    """The stems of `text`'s words, in order."""
    return [stem(word) for word in spoken_words(text)]
