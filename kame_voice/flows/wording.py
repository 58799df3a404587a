"""The schema's complaints in words for the person who edits a flow, with a hint where a key is misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from kame_voice.flows.schema import PHONE_PATTERN, SLUG_PATTERN, Flow, Weekday
from kame_voice.flows.tree import Path

__all__ = ["printable", "say_path", "say_what"]

_NO_VALUE: Final = "has no value; give it one or take the line out"
_PATTERNS: Final = {
    PHONE_PATTERN: "must be a phone number with its country code and no spaces, such as +12025550100",
    SLUG_PATTERN: "must be lower-case letters, digits and hyphens, such as harbor-dental",
}
_KINDS: Final = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list: one line each, beginning with '- '",
    "dict": "keys with values, one a line, indented",
    "model": "keys with values, one a line, indented",
}
_BOUNDS: Final = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_SENTENCES: Final = {
    "string_too_short": "must not be empty",
    "string_too_long": "is {length} characters long; at most {max_length} are allowed",
    "string_unicode": "holds a broken character; type the text anew",
    "too_short": "must have at least {min_length}",
    "too_long": "has {length} entries; at most {max_length} are allowed",
    "literal_error": "must be {expected}; not {given}",
}


def say_path(path: Path) -> str:
    """`facts[2].answer` for ("facts", 2, "answer")."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return printable(text)


def printable(text: str) -> str:
    """`text` with escapes for characters that a terminal would not show."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def say_what(error: ErrorDetails) -> str:
    """One complaint of pydantic's about a flow, in plain words."""
    kind, given, ctx = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a key of a flow" + _hint(error["loc"])
    if error["loc"][-1:] == ("[key]",):
        return f"must be a weekday: {', '.join(get_args(Weekday))}"
    if given is None:
        return _NO_VALUE
    return _about_value(kind, given, ctx) or error["msg"].removeprefix("Value error, ")


def _about_value(kind: str, given: Any, ctx: dict[str, Any]) -> str | None:
    if kind == "string_pattern_mismatch":
        return f"{_PATTERNS[ctx['pattern']]}; not {_short(given)}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"must be {words} {ctx[key]:g}; not {_short(given)}"
    if kind in _SENTENCES:
        length = len(given) if hasattr(given, "__len__") else 0
        return _SENTENCES[kind].format(given=_short(given), length=length, **ctx)
    wanted = _KINDS.get(kind.split("_", 1)[0])
    return f"must be {wanted}; not {_short(given)}" if wanted else None


def _short(given: Any) -> str:
    if isinstance(given, (dict, list)):
        return (
            "a list" if isinstance(given, list) else "keys with values (text that begins with { needs quotes)"
        )
    text = repr(given)
    return text if len(text) <= 40 else f"{text[:36]}…{text[-1]}"


def _hint(loc: Path) -> str:
    *above, wrong = loc
    wrong = str(wrong).strip().lower().replace("-", "_").replace(" ", "_")
    names = dict(_keys())
    here = tuple(step for step in above if not isinstance(step, int))
    siblings = [path[-1] for path in names.values() if path[:-1] == here]
    near = difflib.get_close_matches(wrong, siblings, n=1, cutoff=0.65)
    if near:
        return f"; did you mean {near[0]}?"
    elsewhere = [path for path in names.values() if path[-1] == wrong]
    if elsewhere:
        parent = ".".join(elsewhere[0][:-1])
        return (
            f" here; it belongs under {parent}"
            if parent
            else " here; it belongs to the left, at the top level"
        )
    return ""


def _keys() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every key of the schema with the keys above it."""
    yield from ((".".join(path), path) for path in _below(Flow, ()))


def _below(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*above, name)
        for part in _parts(field.annotation):
            yield from _below(part, (*above, name))


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_args(annotation)[:1] != get_args(dict[Weekday, Any])[:1]:
        for argument in get_args(annotation):
            yield from _parts(argument)
