"""What can be wrong with a flow file: each mistake with its place, all mistakes of a reading in one error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kame_voice.core.errors import KameError

__all__ = ["FlowError", "FlowMistake"]


@dataclass(frozen=True, slots=True, order=True)
class FlowMistake:
    """One mistake; reads `flows/harbor-dental.yaml:14:9: facts[2].answer: is missing`.

    `line` and `column` count from 1 as editors do; both are 0 where the fault is not inside the
    file (it cannot be read, the folder is gone). `path` is the field's, empty for the whole file.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class FlowError(KameError):
    """Flow files that cannot be used; `mistakes` has every mistake found, in file order."""

    code = "bad-flow"

    def __init__(self, mistakes: Iterable[FlowMistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        lines = [str(mistake) for mistake in self.mistakes]
        heading = [f"{len(lines)} mistakes in flow files"] if len(lines) > 1 else []
        super().__init__("\n".join([*heading, *lines]))
