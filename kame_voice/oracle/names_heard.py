"""Puts a line's own names where a recogniser that did not know them wrote what sounds like them. Pure.

A small recogniser that is shown the names beforehand writes "Aetna" instead of "Ena", but also repeats
itself and invents words for music. So it reads twice, and of the second reading only the names are taken,
where the first has something that looks like them.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from kame_voice.oracle.words import spoken_words

__all__ = ["with_names"]

_ALIKE: Final = 0.5
"""Letters in common, of "ena" and "aetna" 0.75, of "no" and "mill" 0."""
_SPARE: Final = 2
"""So many words more than the name's own may differ with it: "doctorly good" for "Doctor Lee good"."""


def with_names(plain: str, prompted: str, names: Sequence[str]) -> str:
    """`plain` with those names that `prompted`, the reading by someone who knows them, has in its place."""
    known = {tuple(spoken_words(name)) for name in names}
    before, after = plain.split(), prompted.split()
    keys, others = [_key(word) for word in before], [_key(word) for word in after]
    mended: list[str] = []
    for what, start, end, from_, to in SequenceMatcher(None, keys, others, autojunk=False).get_opcodes():
        name = _name_in(others[from_:to], known)
        is_name = what == "replace" and name and max(end - start, to - from_) <= len(name) + _SPARE
        if is_name and _alike(keys[start:end], others[from_:to]):
            mended += after[from_:to]
        else:
            mended += before[start:end]
    return _ended_as(" ".join(mended), plain)


def _key(word: str) -> str:
    return " ".join(spoken_words(word))


def _name_in(words: list[str], names: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The name that begins, ends or lies in `words`, or of which they are a word; the longest."""
    said = set(words)
    found = [name for name in names if said & set(name)]
    return max(found, key=lambda name: len(said & set(name)), default=())


def _alike(words: list[str], others: list[str]) -> bool:
    one, other = "".join(words).replace(" ", ""), "".join(others).replace(" ", "")
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _ended_as(text: str, plain: str) -> str:
    """`text` with the mark that `plain` ends on: it tells a question."""
    return text.rstrip(".,?!") + plain[len(plain.rstrip(".,?!")) :]
