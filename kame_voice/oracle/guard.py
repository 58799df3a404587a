"""The guard against strange words: is there a word in a question that could make it another question?

One guard for both uses. While a caller talks it compares what they had said with what they say now; before
the line's own facts answer it compares the question with all that is written about the matching fact. Pure.

Wrong either way costs: let through, a caller hears the answer to a question they did not ask; held back,
they wait for the language model. So every doubt counts as a doubt. Only `of_another_thing` is sure enough
to say "I don't know" where there is no model: what is asked for belongs to someone or something that the
whole line never speaks of ("… for my dog").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kame_voice.oracle.asking import is_asking, questions_in, strip_opening
from kame_voice.oracle.plain_words import (
    CIRCUMSTANCES,
    CRITICAL,
    FUNCTION_STEMS,
    NEGATIONS,
    OCCASIONS,
    PLAIN_STEMS,
    QUESTION_WORDS,
    WHEN,
)
from kame_voice.oracle.words import spoken_words, stem

__all__ = ["Known", "Reading", "doubts", "leans_on_before", "of_another_thing", "reading", "strange_words"]

_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+(?:'s)?\b")
"""A capital in mid-sentence: whisper writes names so."""


def _group(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


_CHILDREN: Final = _group("child children kid kids son daughter boy girl toddler")
_SAME: Final = (
    _CHILDREN,
    _group("car vehicle"),
    _group("bike bicycle cycle"),
    _group("fix repair mend service"),
    _group("house home"),
    _group("card credit debit"),
    _group("rent hire"),
)
"""Words that stand for each other when a fact is asked for."""
_MONEY: Final = _group("much cost price charge fee dollar pay money expensive rate cheap")
_TIME: Final = _group("minute hour day week month year")
_MEASURES: Final = _TIME | _group("mile dollar pound inch percent")
_MEASURE_OF: Final = {"much": _MONEY, "long": _TIME, "soon": _TIME}
"""What a fact must speak of to answer "how much", "how long", "how soon"."""
_FREE: Final = frozenset(("what", "which", "how", "now", "still", "yet", "also", "soon"))
"""They turn a question over as it grows; one that is whole is the same with and without them."""
_SUBJECTS: Final = frozenset(
    ("i", "we", "my", "our", "he", "she", "it", "there", "they", "the", "this", "you")
)
_CLAUSE: Final = frozenset(("if", "because", "when", "as", "since"))
_THEY: Final = frozenset(("they", "them", "those", "these", "he", "she"))
_FRAGMENT: Final = re.compile(r"^\W*(?:(?:and|or|but|okay|ok|so)\W+)*(?:what|how) about\b", re.IGNORECASE)
_GOES_ON: Final = re.compile(r"^\W*(and|or|but)\b", re.IGNORECASE)
_FOR: Final = re.compile(
    r"\bfor (?P<of>my |our |your |his |her |their |the |this |an? )?(?P<rest>[a-z' -]+)", re.I
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What counts of a caller's words. `topics`: ids of what the line knows that they ask for."""

    key: tuple[str, ...]
    critical: frozenset[str]
    content: frozenset[str]
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """All that is written about a topic: its words as spoken, and their stems."""

    words: frozenset[str]
    stems: frozenset[str]


def reading(text: str, topics: tuple[str, ...] = ()) -> Reading:
    """Read `text`: its plain words, those that turn a question over, and those that say what it is about."""
    words = spoken_words(strip_opening(text))
    plain = [_singular(word) for word in words]
    names = {name.lower().removesuffix("'s") for name in _NAME.findall(text)}
    critical = {word for word in plain if word in CRITICAL or word[0].isdigit()} | names
    stems = {stem(word) for word in plain if word not in CRITICAL}
    return Reading(tuple(words), frozenset(critical), frozenset(stems - FUNCTION_STEMS), topics)


def strange_words(content: Iterable[str], vocabulary: frozenset[str]) -> frozenset[str]:
    """The stems of `content` that mean something and that `vocabulary` has no word for."""
    return frozenset(
        word
        for word in content
        if word not in vocabulary
        and word not in PLAIN_STEMS
        and not any(word in same and vocabulary & same for same in _SAME)
    )


def doubts(text: str, known: Known) -> frozenset[str]:
    """The words of the whole question `text` that what is `known` of its topic may not answer."""
    parts = questions_in(text) or [text]
    asks = any(is_asking(part) for part in parts)
    found: set[str] = set()
    for part in parts:
        if asks and _is_statement(part):
            read = reading(f"so {part}")
            names = {name for name in read.critical if name not in CRITICAL and _is_strange_name(name, known)}
            content = {word for word in read.content if not word[0].isdigit()} - CIRCUMSTANCES
        else:
            read = reading(part)
            names = {name for name in read.critical if _turns_over(name, read, known, asks=asks)}
            content = set(read.content)
        found |= strange_words(content, known.stems) | names
    return frozenset(found)


def leans_on_before(text: str, known: Known) -> bool:
    """Whether `text` may be a piece of the conversation before it: "and for children?", "is that far?"."""
    if _FRAGMENT.match(text):
        return True
    if _GOES_ON.match(text) and not is_asking(strip_opening(text)):
        return True
    words = spoken_words(strip_opening(text))
    for at, word in enumerate(words):
        if any(stem(earlier) in known.stems - FUNCTION_STEMS for earlier in words[:at]):
            return False
        after = words[at + 1] if at + 1 < len(words) else ""
        if word in _THEY or (word == "it" and after in ("", "on", "with", "then", "there")):
            return True
        if word in ("that", "this") and (stem(after) in FUNCTION_STEMS or after.endswith("ed")):
            return True
    return False


def of_another_thing(text: str, line: frozenset[str]) -> bool:
    """Whether `text` asks something "for my dog", and the line, `line` its stems, knows of no such thing."""
    for part in questions_in(text) or [text]:
        for found in _FOR.finditer(part):
            noun = _noun(found["rest"])
            if not found["of"] and not noun.endswith("s"):
                continue
            if noun and strange_words([stem(noun)], line | OCCASIONS):
                return True
    return False


def _noun(rest: str) -> str:
    """The last word of the noun phrase that `rest` begins with."""
    noun = ""
    for word in spoken_words(rest):
        if word in CRITICAL or stem(word) in FUNCTION_STEMS:
            break
        noun = word
    return noun


def _is_statement(part: str) -> bool:
    first = spoken_words(part)[:1]
    return not is_asking(part) and bool(first) and first[0] in _SUBJECTS


def _turns_over(word: str, read: Reading, known: Known, *, asks: bool) -> bool:
    """Whether critical `word` of a question is one that its topic does not answer."""
    told = word in known.words or f"{word}s" in known.words
    if word in NEGATIONS:
        return _denies(word, read, known, asks=asks)
    if word in _MEASURE_OF:
        return not told and not _MEASURE_OF[word] & known.stems
    if word == "many" or word[0].isdigit():
        return not told and word != "1" and not _measured(word, read, known)
    if word in QUESTION_WORDS and word not in read.key[:1]:
        return False  # "where do I go when I get there" asks where
    if word in CRITICAL:
        return not told and word not in _FREE
    return _is_strange_name(word, known)


def _denies(word: str, read: Reading, known: Known, *, asks: bool) -> bool:
    """Whether "not" asks the other way round, as in "which do you not take?" but not "if I can't come"."""
    if word != "not" and word in known.words:
        return False
    in_clause = any(other in _CLAUSE for other in read.key[: _place(word, read)])
    return not (NEGATIONS & known.words and (in_clause or not asks))


def _is_strange_name(word: str, known: Known) -> bool:
    return not word[0].isdigit() and stem(word) not in known.stems


def _measured(number: str, read: Reading, known: Known) -> bool:
    """Whether `number` counts something that the topic itself is measured in: "five miles"."""
    at = _place(number, read)
    unit = stem(_singular(read.key[at + 1])) if at + 1 < len(read.key) else ""
    return bool(unit) and unit in known.stems and (number[0].isdigit() or unit in _MEASURES)


def _place(word: str, read: Reading) -> int:
    return read.key.index(word) if word in read.key else len(read.key)


def _singular(word: str) -> str:
    return word.removesuffix("s") if word.removesuffix("s") in WHEN else word
