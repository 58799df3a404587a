"""The sentences of an agent's turn, each with the oracle that it came from. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TurnSentence", "sentences_of"]

_END: Final = re.compile(r"""[.!?…]["'”’)\]]*$""")


class TurnSentence(BaseModel):
    """A sentence of the agent's, or what one oracle gave to it."""

    model_config = ConfigDict(frozen=True)

    text: str
    heard_words: int = Field(description="Of its words, those the caller's side confirmed playing.")
    oracle_id: str | None = Field(description="The oracle it came from; null: from none, or not known.")
    grounded: bool | None = Field(description="False: that oracle asserts something and names no fact.")


class _Portion(Protocol):
    @property
    def oracle_id(self) -> str | None: ...
    @property
    def words(self) -> int: ...


class _Oracle(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def grounded(self) -> bool | None: ...


_Source = tuple[str | None, bool | None]


def sentences_of(
    text: str,
    heard_text: str | None,
    portions: Sequence[_Portion],
    oracle_ids: Sequence[str],
    oracles: Mapping[str, _Oracle],
) -> list[TurnSentence]:
    """The sentences of `text`; `oracles` are the call's, by id. None heard of it (null): all was.

    A record without portions, or whose portions are not its words, is told by what the oracles said: where
    none of them said the sentence, it is held to have no source if one of the turn's oracles has none.
    """
    words = text.split()
    heard = len(words) if heard_text is None else len(heard_text.split())
    ids = [id_ for id_ in oracle_ids if id_ in oracles]
    sources = _by_portion(words, portions, oracles) or _by_words(words, ids, oracles)
    numbered = list(zip(words, _numbers(words), sources, strict=True))
    found, at = [], 0
    for (_, (id_, grounded)), group in groupby(numbered, key=lambda one: one[1:]):
        part = [word for word, *_ in group]
        found.append(
            TurnSentence(
                text=" ".join(part),
                heard_words=max(0, min(len(part), heard - at)),
                oracle_id=id_,
                grounded=grounded,
            )
        )
        at += len(part)
    return found


def _by_portion(
    words: Sequence[str], portions: Sequence[_Portion], oracles: Mapping[str, _Oracle]
) -> list[_Source] | None:
    """Each word's source, where the portions are those of all words."""
    if not portions or sum(portion.words for portion in portions) != len(words):
        return None
    return [source for one in portions for source in [_source(one.oracle_id, oracles)] * one.words]


def _by_words(words: Sequence[str], ids: Sequence[str], oracles: Mapping[str, _Oracle]) -> list[_Source]:
    if len(ids) < 2:
        return [_source(ids[0] if ids else None, oracles)] * len(words)
    bare = {id_: f" {_bare(oracles[id_].text)} " for id_ in ids}
    unknown = (None, False if any(oracles[id_].grounded is False for id_ in ids) else None)
    sources: list[_Source] = []
    for _, group in groupby(zip(words, _numbers(words), strict=True), key=lambda one: one[1]):
        part = [word for word, _ in group]
        said = f" {_bare(' '.join(part))} "
        by = next((id_ for id_, told in bare.items() if said in told), None)
        sources += [unknown if by is None else _source(by, oracles)] * len(part)
    return sources


def _source(id_: str | None, oracles: Mapping[str, _Oracle]) -> _Source:
    return id_, oracles[id_].grounded if id_ is not None and id_ in oracles else None


def _numbers(words: Sequence[str]) -> Iterator[int]:
    """Which sentence each word belongs to. What goes on in lower case has not ended: "at 5 p.m. today"."""
    number = 0
    for word, following in zip(words, [*words[1:], ""], strict=False):
        yield number
        if _END.search(word) and not following[:1].islower():
            number += 1


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
