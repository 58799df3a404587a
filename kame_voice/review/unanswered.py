"""Questions that no fact answered, gathered by what they mean. Pure: vectors come in, groups come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.store.questions import Asked

__all__ = ["Group", "grouped", "pack", "unpack"]

_ALIKE: Final = 0.55
"""Cosine to a group's mean from which a question belongs to it.

Of twelve questions as callers ask them, about six matters, anything from 0.45 to 0.6 made the six
groups. Two of a flow's own ways of asking for one fact, chosen to be unlike each other, mostly stay
apart (median 0.34); of questions for different facts, 1 in 100 is above 0.54.
"""

_Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that mean about the same, newest first; `example` is the one in their middle."""

    example: Asked
    questions: tuple[Asked, ...]

    @property
    def last_asked(self) -> datetime:
        """When it was asked last."""
        return self.questions[0].asked_at

    def wordings(self, most: int) -> list[str]:
        """Different ways in which it was asked, the example's first."""
        texts = {one.text.strip().lower(): one.text.strip() for one in (self.example, *self.questions)}
        return list(texts.values())[:most]


def pack(vector: _Vectors) -> bytes:
    """A unit vector [n] for the database: half precision moves a cosine by less than 0.001."""
    return vector.astype(np.float16).tobytes()


def unpack(vector: bytes) -> _Vectors:
    """What `pack` packed, [n]."""
    return np.frombuffer(vector, np.float16).astype(np.float32)


def grouped(questions: Sequence[Asked]) -> list[Group]:
    """The groups of those `questions` that have vectors, the largest first, then by the latest.

    Each question joins the group whose mean is nearest, if it is near enough, oldest first; groups
    whose means have come near each other are then joined. 2,000 questions: under a second.
    """
    known = sorted((one for one in questions if one.vector), key=lambda one: one.asked_at)
    if not known:
        return []
    vectors = np.stack([unpack(one.vector or b"") for one in known])
    members = _joined(_assigned(vectors), vectors)
    groups = [_group([known[index] for index in group], vectors[group]) for group in members]
    return sorted(groups, key=lambda group: (len(group.questions), group.last_asked), reverse=True)


def _assigned(vectors: _Vectors) -> list[list[int]]:
    sums = np.zeros_like(vectors)
    means = np.zeros_like(vectors)
    groups: list[list[int]] = []
    for index, vector in enumerate(vectors):
        likeness = means[: len(groups)] @ vector
        best = int(likeness.argmax()) if groups else 0
        if groups and likeness[best] >= _ALIKE:
            groups[best].append(index)
        else:
            best = len(groups)
            groups.append([index])
        sums[best] += vector
        means[best] = sums[best] / np.linalg.norm(sums[best])
    return groups


def _joined(groups: list[list[int]], vectors: _Vectors) -> list[list[int]]:
    """Join the two nearest groups until none are near enough."""
    sums = np.stack([vectors[group].sum(axis=0) for group in groups])
    alive = list(groups)
    while len(alive) > 1:
        means = _unit(sums)
        likeness = means @ means.T
        np.fill_diagonal(likeness, -1.0)
        one, other = np.unravel_index(int(likeness.argmax()), likeness.shape)
        if likeness[one, other] < _ALIKE:
            break
        alive[one] = alive[one] + alive[other]
        sums[one] += sums[other]
        del alive[other]
        sums = np.delete(sums, other, axis=0)
    return alive


def _group(questions: list[Asked], vectors: _Vectors) -> Group:
    middle = int((vectors @ vectors.sum(axis=0)).argmax())
    newest_first = tuple(sorted(questions, key=lambda one: one.asked_at, reverse=True))
    return Group(questions[middle], newest_first)


def _unit(vectors: _Vectors) -> _Vectors:
    unit: _Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
