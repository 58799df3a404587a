"""Reads one flow file. Finds all its mistakes at once, each with line and column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from kame_voice.flows.checks import contradictions
from kame_voice.flows.errors import FlowError, FlowMistake
from kame_voice.flows.schema import DUPLICATE_FACT, Flow
from kame_voice.flows.tree import Fault, Keys, Node, Place, Scalar, find, plain, read_tree
from kame_voice.flows.wording import printable, say_path, say_what

__all__ = ["FlowFile", "load_flow", "parse_flow", "read_flow_file"]

_MAX_BYTES: Final = 1 << 20
"""A flow of 500 facts with five questions each has about a third of this."""


@dataclass(frozen=True, slots=True)
class FlowFile:
    """A flow with the file that it came from; `root` knows where in the file each value stands."""

    name: str
    flow: Flow
    root: Node

    def mistake(self, path: tuple[str | int, ...], message: str) -> FlowMistake:
        """A mistake at `path` of this file."""
        return _mistake(self.name, Fault(find(self.root, path), path, message))

    def line_of(self, *path: str | int) -> int:
        """The line of the file in which the value at `path` stands."""
        return find(self.root, path).line


def load_flow(path: Path) -> Flow:
    """The flow of the file at `path`. Raises FlowError with every mistake of the file."""
    return read_flow_file(path).flow


def read_flow_file(path: Path) -> FlowFile:
    """Like `load_flow`, with the places of its values."""
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FlowError([FlowMistake(name, 0, 0, "", f"cannot be read: {reason}")]) from error
    return parse_flow(data, name)


def parse_flow(data: bytes | str, name: str) -> FlowFile:
    """The flow in `data`, UTF-8; `name` leads each mistake. Raises FlowError with all mistakes."""
    root, faults = read_tree(_text(data, name))
    if not faults and (root is None or (isinstance(root, Scalar) and root.text is None)):
        faults = [Fault(Place(1, 1), (), "the file is empty; copy a sample to begin with")]
    elif root is not None and not isinstance(root, Keys):
        faults = [*faults, Fault(root.place, (), "a flow is keys with values, such as 'version: 1'")]
    elif root is not None:
        try:
            flow = Flow.model_validate(plain(root))
        except ValidationError as error:
            faults = [*faults, *contradictions(root), *_schema_faults(root, error)]
        else:
            faults = [*faults, *contradictions(root)]
            if not faults:
                return FlowFile(name, flow, root)
    raise FlowError(_mistake(name, fault) for fault in faults)


def _mistake(name: str, fault: Fault) -> FlowMistake:
    return FlowMistake(
        name, fault.place.line, fault.place.column, say_path(fault.path), printable(fault.message)
    )


def _text(data: bytes | str, name: str) -> str:
    if len(data) > _MAX_BYTES:
        raise FlowError([FlowMistake(name, 0, 0, "", f"is larger than {_MAX_BYTES >> 20} MiB")])
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - before.rfind(b"\n")
        message = f"the byte 0x{data[error.start]:02X} is not UTF-8; save the file as UTF-8"
        raise FlowError([FlowMistake(name, before.count(b"\n") + 1, column, "", message)]) from error


def _schema_faults(root: Node, error: ValidationError) -> Iterator[Fault]:
    for item in error.errors(include_url=False):
        if item["type"] == DUPLICATE_FACT:
            continue
        of_key = item["type"] == "extra_forbidden" or item["loc"][-1:] == ("[key]",)
        path = item["loc"][:-1] if item["loc"][-1:] == ("[key]",) else item["loc"]
        yield Fault(find(root, path, key=of_key), path, say_what(item))
