"""A flow as YAML, and what is different in today's. Pure."""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ruamel.yaml import YAML

__all__ = ["DiffLine", "as_yaml", "difference"]

_CONTEXT: Final = 3
_KINDS: Final[dict[str, Literal["gone", "new", "place", "same"]]] = {
    "-": "gone",
    "+": "new",
    "@": "place",
    " ": "same",
}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of the difference. `gone`: only the call's flow has it; `new`: only today's."""

    kind: Literal["gone", "new", "place", "same"]
    text: str


def as_yaml(content: Mapping[str, Any]) -> str:
    """The flow's content as a flow file spells it, defaults included; without a file's comments."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_without_nothing(content), out)
    return out.getvalue()


def difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[DiffLine]:
    """What changed from `then` to `now`, with three lines around; empty where nothing did."""
    lines = difflib.unified_diff(
        as_yaml(then).splitlines(), as_yaml(now).splitlines(), n=_CONTEXT, lineterm=""
    )
    return [DiffLine(_KINDS[line[0]], line[1:]) for line in list(lines)[2:]]


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nothing(inner) for name, inner in value.items() if inner is not None}
    return [_without_nothing(inner) for inner in value] if isinstance(value, list | tuple) else value
