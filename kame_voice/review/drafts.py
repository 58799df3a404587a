"""A fact for a question that none answered, as YAML to paste into the flow. Pure."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from ruamel.yaml import YAML

from kame_voice.flows.schema import Fact, Flow
from kame_voice.flows.wording import say_what

__all__ = ["Draft", "draft_fact", "suggested_id"]

_SMALL_WORDS: Final = frozenset(
    """
    a an and any are as at be been but by can could did do does for from get give had has have hello hi
    how i if in is it its just like may me my need no not of ok on or our please so some take tell
    thanks that the their them there they this to us want was we what what's when where which who why
    will with would yes you your
    """.split()  # noqa: SIM905 - a list of quoted words cannot be read
)
_ID_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """`yaml` is the item for the flow's `facts`; None where there are `mistakes`, each a sentence."""

    yaml: str | None
    mistakes: tuple[str, ...]


def suggested_id(flow: Flow, question: str) -> str:
    """A name for the fact that no other fact of the flow has, out of the question's telling words."""
    words = [word for word in re.findall(r"[a-z0-9]+", question.lower()) if word not in _SMALL_WORDS]
    name = "-".join(words[:_ID_WORDS]) or "new-fact"
    taken = {fact.id for fact in flow.facts}
    numbered = [name[:60], *(f"{name[:56]}-{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in numbered if one not in taken)


def draft_fact(flow: Flow, fact_id: str, questions: Sequence[str], answer: str) -> Draft:
    """The fact, checked against the schema of flows and the other facts of `flow`."""
    asked = list(dict.fromkeys(_as_question(text) for text in questions if text.strip()))
    try:
        fact = Fact.model_validate({"id": fact_id, "questions": asked, "answer": answer})
    except ValidationError as error:
        return Draft(None, tuple(_sentence(item["loc"], say_what(item)) for item in error.errors()))
    if any(other.id == fact.id for other in flow.facts):
        return Draft(None, (f"id: the flow has a fact {fact.id} already",))
    return Draft(_as_item(fact), ())


def _as_question(text: str) -> str:
    """Speech to text may leave out the capital and the mark."""
    words = " ".join(text.split())
    words = words[:1].upper() + words[1:]
    return words if words.endswith(("?", "!", ".")) else f"{words}?"


def _as_item(fact: Fact) -> str:
    yaml = YAML()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump([{"id": fact.id, "questions": list(fact.questions), "answer": fact.answer}], out)
    return out.getvalue()


def _sentence(place: Sequence[str | int], message: str) -> str:
    name = ".".join(str(part) for part in place) or "fact"
    return f"{name}: {message}"
