"""The names that callers may say on a line: people, streets, products, the business itself. Pure.

A name is a capitalised word that does not begin its sentence. Days, months and "I" are no names: every
recogniser knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kame_voice.flows.schema import Flow

__all__ = ["names_of"]

_NAME: Final = re.compile(r"(?:[A-Z][\w'’]*[a-z]\w*|[A-Z]{2,})(?: (?:[A-Z][\w'’]*[a-z]\w*|[A-Z]{2,}))*")
_SENTENCE: Final = re.compile(r"(?<=[.!?:])\s+")
_COMMON: Final = frozenset(
    re.findall(
        r"\S+",
        "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays "
        "fridays saturdays sundays january february march april may june july august september october "
        "november december christmas easter thanksgiving new year eve i'm i'll i'd i've ok id english "
        "spanish doctor doctors mr mrs street road avenue first second third fourth fifth",
    )
)
_MOST: Final = 24
"""So many names; more would crowd a small recogniser's memory of what was said."""


def names_of(flow: Flow) -> tuple[str, ...]:
    """The line's names, the business first, then in the flow's order, each once; at most 24."""
    found: dict[str, str] = {}
    for name in _all_names(flow):
        if name and not all(word.lower() in _COMMON for word in name.split()):
            found.setdefault(name.lower(), name)
    return tuple(found.values())[:_MOST]


def _all_names(flow: Flow) -> Iterator[str]:
    yield flow.business.name
    texts = [flow.business.address or ""]
    texts += [text for fact in flow.facts for text in (*fact.questions, fact.answer)]
    for text in texts:
        for sentence in _SENTENCE.split(text):
            for match in _NAME.finditer(sentence):
                words = match.group().split()
                yield " ".join(words if match.start() > 0 else words[1:])
