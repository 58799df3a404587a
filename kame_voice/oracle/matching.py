"""Which topics a caller's words ask about: meaning and plain words together. Pure; vectors come in.

A score is 0.75 of the best cosine with the topic's questions (or 0.9 of that with its answer), and
0.25 of how much of the question's rare words the topic knows. Over 94 spoken questions to the two
sample lines, right topics scored 0.47 to 1.0 (but three), and the best topic of unknown ones 0.20 to
0.43 (but one).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.oracle.asking import content_of, is_asking, questions_in, strip_opening
from kame_voice.oracle.guard import Known, doubts, leans_on_before, of_another_thing
from kame_voice.oracle.plain_words import DAYS
from kame_voice.oracle.topics import Kind, Topic
from kame_voice.oracle.words import spoken_words, stem, stems

__all__ = ["Index", "Match"]

_MEANING: Final = 0.75
_KNOWN: Final = 0.46
"""A final is answered from here on."""
_LIKELY: Final = 0.36
_AHEAD: Final = 0.08
"""Below `_KNOWN`, a topic this far ahead of every other is what was meant: what the line does not know
scores alike low on all topics (none of 18 unknown questions under `_KNOWN` was 0.07 ahead)."""
_PART: Final = 0.56
"""Each of two questions in one turn must reach this on its own."""
_VECTORS_KEPT: Final = 256
_OWN_FACT: Final = 0.02
"""The line's own facts win against derived ones when they match as well."""

_LONG_WORD: Final = re.compile(r"[A-Za-z]{5,}(?![A-Za-z'’])")
_HOLIDAYS: Final = frozenset(
    stem(word)
    for word in re.findall(
        r"\w+", "christmas easter thanksgiving holiday eve vacation july labor memorial halloween"
    )
)
"""Weekly hours say nothing about these days."""
_DAYS: Final = frozenset(stem(name) for name in DAYS)
_FLEETING: Final = frozenset(("today", "tonight", "tomorrow", "now", "currently"))
"""A fact's fixed answer cannot know these; the opening hours can."""
_OFFERED: Final = re.compile(
    r"(?:do|does|can|could|would|will) (?:you|you guys|they|i|we) (?:also |even |still )?(?:sell|repair|"
    r"fix|have|offer|take|do|rent|make|accept|buy|get|treat|carry|stock)\b(.*)",
    re.IGNORECASE,
)
_STRANGE: Final = 0.75
"""Factor for "do you sell coffee" where nothing the line knows has to do with coffee."""


@dataclass(frozen=True, slots=True)
class Match:
    """A topic with how well it fits, 0..1, and the words that asked for it."""

    topic: Topic
    score: float
    question: str


class Index:
    """One flow's topics, ready to be matched.

    `embed` turns sentences into unit vectors, one a row; called here for every sample question
    once, and for each `match` for the caller's words.
    """

    def __init__(self, topics: list[Topic], embed: Callable[[list[str]], NDArray[np.float32]]) -> None:
        self._topics = topics
        self._embed = embed
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._remembering = Lock()
        self._questions = [embed(list(topic.questions)) for topic in topics]
        self._abouts = [embed([topic.about]) if topic.about else None for topic in topics]
        written = [" ".join((*topic.questions, topic.about)) for topic in topics]
        self._words = [frozenset(stems(text)) for text in written]
        seen = Counter(word for words in self._words for word in words)
        self._rarity = {word: math.log(1 + len(topics) / count) for word, count in seen.items()}
        self._unseen = math.log(1 + len(topics))
        plain = [frozenset(spoken_words(text)) for text in written]
        self._vocabulary = frozenset(word for words in plain for word in words if len(word) >= 5)
        self._line = frozenset(self._rarity)
        self._known = {
            topic.id: Known(words, found)
            for topic, words, found in zip(topics, plain, self._words, strict=True)
        }

    def match(self, text: str, *, last_question: str = "") -> list[Match]:
        """The topics that `text` asks for, in its order: none, one, or two where two were asked."""
        whole = strip_opening(text)
        if of_another_thing(self._mend(whole), self._line):
            return []
        best = self._best(whole, last_question)
        parts = questions_in(text)
        if len(parts) > 1:
            found = [self._best(part, "") for part in parts]
            asked = [match for match in found if match and is_asking(match.question)]
            strong = _distinct([match for match in asked if match.score >= _PART])
            talk_free = [match for match in strong if match.topic.kind is not Kind.SMALL_TALK]
            if len(talk_free) >= 2:
                return talk_free[:2]
            best = max((best, *asked), key=lambda match: match.score if match else 0.0)
        return [best] if best and self._is_meant(best, whole) else []

    def doubts(self, match: Match, text: str) -> frozenset[str]:
        """Words of the whole question `text` that `match`'s topic may not answer."""
        return doubts(self._mend(text), self._known[match.topic.id])

    def leans(self, match: Match, text: str) -> bool:
        """Whether `text` may mean something else as a piece of the conversation before it."""
        return leans_on_before(text, self._known[match.topic.id])

    def vector(self, text: str) -> NDArray[np.float32]:
        """What `text` means, [384]. Remembered: whether a question is plain and what answers it both ask."""
        vector = self._vectors.get(text)
        if vector is None:
            vector = self._embed([text])[0]
            with self._remembering:
                while len(self._vectors) >= _VECTORS_KEPT:
                    self._vectors.pop(next(iter(self._vectors)))
                self._vectors[text] = vector
        return vector

    def words_of(self, topic_ids: Iterable[str]) -> frozenset[str]:
        """The stems of all that is written about these topics."""
        wanted = set(topic_ids)
        known = zip(self._topics, self._words, strict=True)
        return frozenset(word for topic, words in known if topic.id in wanted for word in words)

    def scores(self, text: str) -> list[tuple[float, str]]:
        """Every topic's score for `text`, best first; for trying a flow out."""
        scored = zip(self._score(text), self._topics, strict=True)
        return sorted(((score, topic.id) for score, topic in scored), reverse=True)

    def _is_meant(self, best: Match, whole: str) -> bool:
        if best.score >= _KNOWN:
            return True
        if best.score < _LIKELY or best.topic.kind is not Kind.FACT:
            return False
        others = [score for score, topic_id in self.scores(whole) if topic_id != best.topic.id]
        return best.score - max(others, default=0.0) >= _AHEAD

    def _best(self, text: str, last_question: str) -> Match | None:
        scores = self._score(text)
        if (
            last_question
            and len(content_of(text)) <= 2
            and re.match(r"\W*(and|what about|how about)\b", text, re.I)
        ):
            scores = [max(pair) for pair in zip(scores, self._score(f"{last_question} {text}"), strict=True)]
        at = max(range(len(scores)), key=scores.__getitem__, default=None)
        return None if at is None else Match(self._topics[at], scores[at], text)

    def _score(self, text: str) -> list[float]:
        readings = [text]
        mended = self._mend(text)
        if mended != text:
            readings.append(mended)
        vectors = [self.vector(reading) for reading in readings]
        scored = [
            [self._score_topic(number, vector, content_of(reading)) for number in range(len(self._topics))]
            for reading, vector in zip(readings, vectors, strict=True)
        ]
        strange = _STRANGE if self._asks_for_strange(mended) else 1.0
        return [max(scores) * strange for scores in zip(*scored, strict=True)]

    def _score_topic(self, number: int, vector: NDArray[np.float32], content: list[str]) -> float:
        topic, words, about = self._topics[number], self._words[number], self._abouts[number]
        meaning = float((self._questions[number] @ vector).max())
        if topic.kind is Kind.SMALL_TALK:
            return meaning - 0.12 * sum(word not in words for word in content)
        if about is not None:
            meaning = max(meaning, 0.9 * float((about @ vector)[0]))
        score = _MEANING * meaning + (1 - _MEANING) * self._known_share(content, words)
        if _HOLIDAYS & set(content) - words:
            score *= 0.5
        if topic.kind is Kind.HOURS:
            return score + (0.1 if _FLEETING & set(content) and meaning > 0.5 else 0.0)
        if topic.kind is Kind.FACT:
            other_day = _DAYS & words and _DAYS & set(content) - words
            return score * (0.8 if other_day else 1.0) + _OWN_FACT
        return score

    def _mend(self, text: str) -> str:
        """`text` with words that the line does not know put as the ones that sound like them."""
        return _LONG_WORD.sub(lambda found: self._mend_word(found[0]), text)

    def _mend_word(self, word: str) -> str:
        lowered = word.lower()
        if lowered in self._vocabulary or stem(lowered) in self._rarity:
            return word
        return next((other for other in sorted(self._vocabulary) if _alike(lowered, other)), word)

    def _asks_for_strange(self, text: str) -> bool:
        """Whether the thing that `text` asks for has no word in common with anything the line knows."""
        found = _OFFERED.match(strip_opening(text))
        things = content_of(found[1]) if found else []
        return bool(things) and not any(word in self._rarity for word in things)

    def _known_share(self, content: list[str], words: frozenset[str]) -> float:
        """How much of the question's content, rare words counting more, the topic has words for."""
        if not content:
            return 0.5
        weights = [self._rarity.get(word, self._unseen) for word in content]
        hits = sum(weight for word, weight in zip(content, weights, strict=True) if word in words)
        return hits / sum(weights)


@lru_cache(maxsize=16384)
def _alike(one: str, other: str) -> bool:
    return one[0] == other[0] and SequenceMatcher(None, one, other).ratio() >= 0.8


def _distinct(matches: list[Match]) -> list[Match]:
    best: dict[str, Match] = {}
    for match in matches:
        known = best.get(match.topic.id)
        if known is None:
            best[match.topic.id] = match
        elif match.topic.kind is Kind.HOURS:
            best[match.topic.id] = Match(
                match.topic, max(known.score, match.score), f"{known.question} {match.question}"
            )
    return list(best.values())
