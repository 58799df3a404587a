"""Pages from templates: a whole one for a browser, or the one block that htmx asks for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection

from kame_voice import __version__
from kame_voice.accounts.secrets import csrf_token
from kame_voice.core.nouns import Role
from kame_voice.web.auth.gate import gate_of
from kame_voice.web.auth.viewer import known_viewer
from kame_voice.web.pages.filters import FILTERS
from kame_voice.web.pages.static import StaticFolder

__all__ = ["NAV", "Pages", "is_htmx", "page"]

_WEB: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class NavItem:
    """A room of the application in its menu; `role` is the least that may enter."""

    title: str
    href: str
    role: Role = Role.REVIEWER


NAV: Final = (
    NavItem("Dashboard", "/"),
    NavItem("Calls", "/calls"),
    NavItem("Live", "/live"),
    NavItem("Unknown questions", "/unknown"),
    NavItem("Lines", "/lines"),
    NavItem("Admin", "/admin", Role.ADMIN),
)


class Pages:
    """The templates and static files of the process."""

    def __init__(self) -> None:
        self.static = StaticFolder(_WEB / "static")
        self.templates = Environment(
            loader=FileSystemLoader(_WEB / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.templates.filters.update(FILTERS)
        self.templates.globals.update(static=self.static.url, version=__version__)

    def html(self, request: HTTPConnection, template: str, block: str | None, context: dict[str, Any]) -> str:
        """The page, or only its block."""
        found = self.templates.get_template(template)
        filled = {**_surroundings(request), **context}
        if block is None:
            return found.render(filled)
        return "".join(found.blocks[block](found.new_context(filled)))


def page(
    request: Request,
    template: str,
    *,
    block: str | None = None,
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    """Render `template`. Where htmx asks and `block` is named, that block of it alone.

    Every template is given `viewer` (or None), `csrf`, `nav`, `path`, `style_nonce()`, `static(name)`. CPU
    work: call it from a plain function, which FastAPI runs in a thread.
    """
    pages: Pages = request.app.state.pages
    part = block if is_htmx(request) else None
    return HTMLResponse(
        pages.html(request, template, part, context), status, headers={"Vary": "HX-Request, Cookie"}
    )


def is_htmx(request: HTTPConnection) -> bool:
    """Whether htmx wants a part of a page, rather than the browser a whole one."""
    headers = request.headers
    return "hx-request" in headers and not (
        "hx-boosted" in headers or "hx-history-restore-request" in headers
    )


def _surroundings(request: HTTPConnection) -> dict[str, Any]:
    viewer = known_viewer(request)
    cookie = gate_of(request).cookies.session(request)
    return {
        "request": request,
        "viewer": viewer,
        "csrf": csrf_token(cookie) if viewer and cookie else "",
        "nav": [item for item in NAV if viewer is not None and viewer.is_at_least(item.role)],
        "path": request.url.path,
        "style_nonce": lambda: style_nonce(request),
    }


def style_nonce(request: HTTPConnection) -> str:
    """A nonce that lets one library's own <style> pass on this page; the headers then name it."""
    if not hasattr(request.state, "style_nonce"):
        request.state.style_nonce = secrets.token_urlsafe(16)
    nonce: str = request.state.style_nonce
    return nonce
