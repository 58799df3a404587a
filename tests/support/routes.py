"""The app's own route table, as security tests walk it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from kame_voice.core.nouns import Role
from kame_voice.web.auth.public import PUBLIC
from kame_voice.web.auth.viewer import require, viewer

__all__ = ["RouteUnderTest", "routes_of"]


@dataclass(frozen=True)
class RouteUnderTest:
    """One method of one path; `method` is "WS" for a WebSocket. `role`: the least that may use it."""

    method: str
    path: str
    protected: bool
    role: Role | None

    @property
    def public(self) -> bool:
        """Whether it is declared to be open to everybody."""
        return self.path in PUBLIC

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.method in ("POST", "PUT", "PATCH", "DELETE")

    def url(self, **parts: str) -> str:
        """The path with its parameters filled in; those not given become "1"."""
        filled = self.path
        for name in _parameters(self.path):
            filled = filled.replace("{" + name + "}", parts.get(name.partition(":")[0], "1"))
        return filled

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes_of(app: FastAPI) -> list[RouteUnderTest]:
    """Every route, one entry a method; HEAD and OPTIONS follow from GET."""
    found = []
    for context in iter_route_contexts(app.routes):
        needs = set(_calls(getattr(context, "dependant", None)))
        role = next((role for role in reversed(Role) if require(role) in needs), None)
        path = context.path or ""
        found += [
            RouteUnderTest(method, path, viewer in needs, role)
            for method in sorted((context.methods or {"WS"}) - {"HEAD", "OPTIONS"})
        ]
    return found


def _calls(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield dependant.call
        for needed in dependant.dependencies:
            yield from _calls(needed)


def _parameters(path: str) -> Iterator[str]:
    for part in path.split("{")[1:]:
        yield part.partition("}")[0]
