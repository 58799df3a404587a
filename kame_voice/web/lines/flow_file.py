"""A line's flow file as it stands on the disk, with what is wrong with it. Blocks: for worker threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.errors import FlowMistake

__all__ = ["FlowText", "foreign_mistakes", "text_of"]

_MOST_BYTES: Final = 1 << 20
"""What the loader reads too."""


@dataclass(frozen=True, slots=True)
class FlowText:
    """The file's name, its lines, and its mistakes, which keep the flow read before in force."""

    name: str
    lines: tuple[str, ...]
    mistakes: tuple[FlowMistake, ...]

    @property
    def wrong_lines(self) -> dict[int, str]:
        """What is wrong in which line, counted from 1."""
        told: dict[int, str] = {}
        for one in self.mistakes:
            what = f"{one.path}: {one.message}" if one.path else one.message
            told[one.line] = f"{told[one.line]}; {what}" if one.line in told else what
        return told


def text_of(flows: FlowDirectory, line: str) -> FlowText | None:
    """The file of `line`; None for an unknown line. An unreadable file has no lines."""
    path = flows.generation.paths.get(line)
    if path is None:
        return None
    trouble = flows.trouble
    mistakes = tuple(one for one in trouble.mistakes if one.file == str(path)) if trouble else ()
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        text = ""
    return FlowText(path.name, tuple(text.splitlines()), mistakes)


def foreign_mistakes(flows: FlowDirectory) -> Sequence[FlowMistake]:
    """Mistakes in files that no line in force comes from: whose they are cannot be known."""
    known = {str(path) for path in flows.generation.paths.values()}
    trouble = flows.trouble
    return [one for one in trouble.mistakes if one.file not in known] if trouble else []
