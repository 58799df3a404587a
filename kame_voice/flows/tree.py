"""YAML text as a tree in which every value knows its line and column. Knows nothing of flows.

Scalars stay the text that was written, whatever YAML would make of them: `+15550100` keeps its
plus, `9:00` is no number, `no` is no boolean. The schema decides what a text is meant to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

__all__ = ["Fault", "Items", "Keys", "Node", "Path", "Place", "Scalar", "find", "plain", "read_tree"]

Path = tuple[str | int, ...]
"""Keys and indices from the root to a value."""

_MAX_DEPTH: Final = 20
_MAX_VALUES: Final = 60_000
"""A flow at the schema's limits has about 21,000 values; aliases may multiply no further than this."""
_KEY: Final = "?"
"""Stands in a path for a key that is being read."""
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_PARSER_BUGS: Final = (ValueError, OverflowError)
"""What ruamel.yaml's scanner lets through beside YAMLError, for escapes such as "\\UFFFFFFFF"."""
_BEYOND_UNICODE: Final = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as written; None where nothing, `~` or `null` stands unquoted."""

    place: Place
    text: str | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping; each key with its own place."""

    place: Place
    entries: dict[str, tuple[Place, Node]]


Node = Scalar | Items | Keys


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place, said for the person who wrote the file."""

    place: Place
    path: Path
    message: str


class _Unreadable(Exception):
    """Reading cannot go on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def read_tree(text: str) -> tuple[Node | None, list[Fault]]:
    """The tree of `text` and all faults of its YAML; no tree where a fault ended the reading."""
    composer = _Composer()
    try:
        return composer.document(_events(text)), composer.faults
    except _Unreadable as stop:
        return None, [*composer.faults, stop.fault]


def plain(node: Node) -> Any:
    """The tree as dicts, lists, texts and None."""
    match node:
        case Scalar():
            return node.text
        case Items():
            return [plain(item) for item in node.items]
        case Keys():
            return {key: plain(value) for key, (_, value) in node.entries.items()}


def find(root: Node, path: Path, *, key: bool = False) -> Place:
    """The place of the value at `path` (of its key, where `key`), or of the nearest value above it."""
    node, place = root, root.place
    for step in path:
        if isinstance(node, Keys) and step in node.entries:
            key_place, node = node.entries[str(step)]
            place = key_place if key or (isinstance(node, Scalar) and node.text is None) else node.place
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.place
        else:
            return node.place
    return place


def _events(text: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except ReaderError as error:
        position = int(error.position)
        message = f"the character U+{ord(text[position]):04X} cannot stand in a YAML file; delete it"
        raise _Unreadable(Fault(_place_of(text, position), (), message)) from error
    except MarkedYAMLError as error:
        raise _Unreadable(_syntax_fault(error)) from error
    except _PARSER_BUGS as error:
        match = _BEYOND_UNICODE.search(text)
        place = _place_of(text, match.start()) if match else Place(1, 1)
        message = "this backslash escape stands for no character; put the text in single quotes"
        raise _Unreadable(Fault(place, (), message)) from error


def _place_of(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax_fault(error: MarkedYAMLError) -> Fault:
    problem, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    for words, where, message in _SYNTAX:
        if words in problem and where in context:
            if message in _SEEN_FROM_THE_START and error.context_mark is not None:
                mark = error.context_mark
            return Fault(_place(mark) if mark else Place(1, 1), (), message)
    return Fault(_place(mark) if mark else Place(1, 1), (), f"not valid YAML: {problem}")


_OPEN_QUOTE: Final = "this quote is never closed"
_OPEN_BRACKET: Final = "this bracket is never closed"
_SEEN_FROM_THE_START: Final = frozenset({_OPEN_QUOTE, _OPEN_BRACKET})
_SYNTAX: Final = (
    ("'\\t'", "", "a tab stands here; indent with spaces"),
    ("cannot start any token", "", "text that begins with this character must be in quotes"),
    (
        "mapping values are not allowed",
        "",
        "a colon is out of place: put text that contains ': ' in quotes, or mend the indentation",
    ),
    ("unexpected end of stream", "quoted scalar", _OPEN_QUOTE),
    ("", "quoted scalar", "this quoted text cannot be read; a backslash in it needs single quotes around"),
    ("<stream end>", "flow", _OPEN_BRACKET),
    ("but found '<scalar>'", "block mapping", "text follows a closing quote; put all of it in the quotes"),
    ("<block end>", "", "this line is not in line with those above; mend the indentation or the dash"),
    (
        "could not find expected ':'",
        "",
        "this should be a key with ': ' after it, or belong to a quoted text",
    ),
    ("while parsing a flow", "", _OPEN_BRACKET),
)


class _Composer:
    """Builds the tree from ruamel.yaml's events, within limits of depth and size."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._values = 0

    def document(self, events: Iterator[Event]) -> Node | None:
        """The only document of the stream, None for an empty one."""
        root: Node | None = None
        for event in events:
            if isinstance(event, (StreamStartEvent, DocumentEndEvent)):
                continue
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    self._stop(event, (), "a second document begins here (---); one flow a file")
                root = self._node(next(events), events, ())
        return root

    def _node(self, event: Event, events: Iterator[Event], path: Path) -> Node:
        self._values += 1
        if self._values > _MAX_VALUES:
            self._stop(event, path, f"more than {_MAX_VALUES} values, with aliases (*) written out")
        if len(path) > _MAX_DEPTH:
            self._stop(event, path[:3], f"nested more than {_MAX_DEPTH} deep")
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        assert isinstance(event, (ScalarEvent, SequenceStartEvent, MappingStartEvent))
        if event.tag is not None and not str(event.tag).startswith("tag:yaml.org,2002:str"):
            self._fault(event, path, "tags (!) have no meaning here; put text that begins with ! in quotes")
        before = self._values
        node = self._content(event, events, path)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._values - before + 1)
        return node

    def _content(self, event: Event, events: Iterator[Event], path: Path) -> Node:
        place = _place(event.start_mark)
        if isinstance(event, ScalarEvent):
            nothing = event.implicit[0] and event.value in _NOTHING
            return Scalar(place, None if nothing else event.value)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := next(events), SequenceEndEvent):
                items.append(self._node(event, events, (*path, len(items))))
            return Items(place, tuple(items))
        assert isinstance(event, MappingStartEvent)
        entries: dict[str, tuple[Place, Node]] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            self._entry(event, events, path, entries)
        return Keys(place, entries)

    def _entry(
        self, event: Event, events: Iterator[Event], path: Path, entries: dict[str, tuple[Place, Node]]
    ) -> None:
        key_event, key = event, self._node(event, events, (*path, _KEY))
        name = key.text or "" if isinstance(key, Scalar) else None
        value = self._node(next(events), events, (*path, name or _KEY))
        if name is None:
            self._fault(key_event, path, "a key must be a word; put text that begins with { or [ in quotes")
        elif name == "<<":
            self._fault(key_event, path, "merge keys (<<) are not read here; write the values out")
        elif name in entries:
            first = entries[name][0].line
            self._fault(key_event, (*path, name), f"the key stands twice; the first is in line {first}")
        else:
            entries[name] = (key.place, value)

    def _alias(self, event: AliasEvent, path: Path) -> Node:
        if event.anchor not in self._anchors:
            message = (
                f"*{event.anchor} names no anchor (&{event.anchor}) above; quote text that begins with *"
            )
            self._fault(event, path, message)
            return Scalar(_place(event.start_mark), f"*{event.anchor}")
        node, size = self._anchors[event.anchor]
        self._values += size
        return node

    def _fault(self, event: Event, path: Path, message: str) -> None:
        shown = path[: path.index(_KEY)] if _KEY in path else path
        self.faults.append(Fault(_place(event.start_mark), shown, message))

    def _stop(self, event: Event, path: Path, message: str) -> None:
        raise _Unreadable(Fault(_place(event.start_mark), path, message))
