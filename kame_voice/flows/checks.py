"""What in a flow contradicts itself. Looks at the tree, so that it finds this beside all other mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kame_voice.flows.tree import Fault, Items, Keys, Node, Path, Scalar, find

__all__ = ["contradictions"]

_SPOKEN: Final = ("disclosure", "greeting", "unknown", "still_there", "goodbye")


def contradictions(root: Node) -> Iterator[Fault]:
    """Numbers and fact ids that stand twice, one question of two facts, forbidden words said."""
    yield from _twice(root, _texts(root, ("numbers",)), "number")
    facts = [("facts", index) for index in range(len(_items(root, ("facts",))))]
    ids = ((path, text) for fact in facts if (text := _text(root, path := (*fact, "id"))) is not None)
    yield from _twice(root, ids, "fact id")
    questions = (
        (path, " ".join(text.lower().split()).rstrip("?!. "))
        for fact in facts
        for path, text in _texts(root, (*fact, "questions"))
    )
    yield from _twice(root, questions, "question")
    spoken: list[Path] = [(key,) for key in _SPOKEN]
    spoken += [("holding", index) for index in range(len(_items(root, ("holding",))))]
    yield from _forbidden(root, [*spoken, *((*fact, "answer") for fact in facts)])


def _twice(root: Node, texts: Iterable[tuple[Path, str]], noun: str) -> Iterator[Fault]:
    first: dict[str, Path] = {}
    for path, text in texts:
        if text in first:
            line = find(root, first[text]).line
            yield Fault(find(root, path), path, f"this {noun} stands twice; the first is in line {line}")
        else:
            first[text] = path


def _forbidden(root: Node, paths: Iterable[Path]) -> Iterator[Fault]:
    """Such an answer would be withheld from every caller who asks for it."""
    never = [(path, words) for path, text in _texts(root, ("never_say",)) if (words := _words(text))]
    for path in paths:
        said = _words(_text(root, path) or "")
        for rule, words in never:
            if f" {words} " in f" {said} ":
                line = find(root, rule).line
                yield Fault(find(root, path), path, f"says '{words}', which never_say forbids in line {line}")


def _words(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower().replace("’", "'")))


def _at(root: Node, path: Path) -> Node | None:
    node: Node | None = root
    for step in path:
        if isinstance(node, Keys) and step in node.entries:
            node = node.entries[str(step)][1]
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def _items(root: Node, path: Path) -> tuple[Node, ...]:
    node = _at(root, path)
    return node.items if isinstance(node, Items) else ()


def _text(root: Node, path: Path) -> str | None:
    node = _at(root, path)
    return node.text.strip() if isinstance(node, Scalar) and node.text else None


def _texts(root: Node, path: Path) -> Iterator[tuple[Path, str]]:
    for index in range(len(_items(root, path))):
        if (text := _text(root, (*path, index))) is not None:
            yield (*path, index), text
