"""Written forms that the speech engine reads badly, written out as they are said. Pure, English.

The engine itself reads money, times, dates, ordinals, titles and units well; only what it does
not is here (found by having its speech transcribed).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["spoken_form"]

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DAYS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "tues": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "thur": "Thursday",
    "thurs": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_DAY: Final = "|".join(_DAYS)

_PHONE: Final = re.compile(
    r"(?<![\w.-])(?:\+\d[\d ().-]{5,18}\d|(?:1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}|\d{3}-\d{4})(?![\w-])"
)
_MARKDOWN: Final = re.compile(r"[*_`#~|<>]+|^\s*[-•]\s+", re.MULTILINE)
_EMOJI: Final = re.compile("[\U0001f000-\U0001faff☀-➿️]")


def _phone(match: re.Match[str]) -> str:
    text = match.group()
    groups = [" ".join(_DIGITS[int(digit)] for digit in group) for group in re.findall(r"\d+", text)]
    return ("plus " if text.startswith("+") else "") + ", ".join(groups)


def _spell(match: re.Match[str]) -> str:
    return " ".join(_DIGITS[int(digit)] for digit in match.group())


def _numbered(match: re.Match[str]) -> str:
    return "number " + " ".join(_DIGITS[int(digit)] for digit in match[1])


def _day_range(match: re.Match[str]) -> str:
    return f"{_DAYS[match[1].lower()]} to {_DAYS[match[2].lower()]}"


_RULES: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (_PHONE, _phone),
    (re.compile(r"\bhttps?://(?:www\.)?|\bwww\.", re.IGNORECASE), ""),
    (re.compile(r"\b24/7\b"), "twenty-four seven"),
    (re.compile(r"\bAT&T\b"), "A T and T"),
    (re.compile(r"(?<=\d)\s*[-–]\s*(?=\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m|p\.m)\b)", re.IGNORECASE), " to "),
    (re.compile(r"(?<=[ap]m)\s*[-–]\s*(?=\d)", re.IGNORECASE), " to "),
    (re.compile(r"(?<=[ap]\.m\.)\s*[-–]\s*(?=\d)", re.IGNORECASE), " to "),
    (re.compile(r"(?<=\d)\s*am\b\.?(?! I\b)", re.IGNORECASE), " a.m."),
    (re.compile(r"(?<=\d)\s*pm\b\.?", re.IGNORECASE), " p.m."),
    (re.compile(rf"\b({_DAY})\.?\s*[-–]\s*({_DAY})\b\.?", re.IGNORECASE), _day_range),
    (re.compile(r"\bNo\. (?=\d)"), "number "),
    (re.compile(r"(?<![\d.,:])0\d{2,}(?![\d.,:]\d)"), _spell),
    (re.compile(r"#\s*(?=\d{1,2}\b)"), "number "),
    (re.compile(r"#\s*(\d{3,})"), _numbered),
)


def spoken_form(text: str) -> str:
    """`text` with phone numbers, ranges, addresses and marks put as a person would say them."""
    text = _EMOJI.sub("", text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return " ".join(_MARKDOWN.sub(" ", text).split())
