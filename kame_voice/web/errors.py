"""Whatever goes wrong, told in one clear sentence: as a page to people, as JSON to programs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from kame_voice.core.errors import KameError
from kame_voice.legs.webrtc_peer import BadOffer
from kame_voice.store.errors import BadCursor, BadNote, BadSearch
from kame_voice.web.auth.gate import gate_of
from kame_voice.web.auth.viewer import known_viewer, optional_viewer
from kame_voice.web.browser_door import BrowserRefused
from kame_voice.web.pages.render import is_htmx, page
from kame_voice.web.security_headers import add_security_headers

__all__ = ["answer_errors", "wants_page"]

log = structlog.get_logger()

_TITLES = {
    401: "Sign in first",
    403: "Not for you",
    404: "There is nothing here",
    500: "Something broke on our side",
    503: "Not available right now",
}


def answer_errors(web: FastAPI) -> None:
    """What the asker got wrong is a 4xx; whatever else fails is ours for now (503), a bug is a 500."""

    async def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.UNAUTHORIZED and _is_for_people(request):
            return _to_sign_in(request)
        await _know_viewer(request)
        return await _answer(request, error.status_code, str(error.detail), error.headers)

    async def bad_offer(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, BadOffer)
        return JSONResponse({"code": error.code, "detail": error.what, "do": error.do}, 400)

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, BrowserRefused)
        return JSONResponse({"code": error.code, "detail": error.what, "do": error.do}, error.status)

    async def bad_request(request: Request, error: Exception) -> Response:
        return await _answer(request, 400, str(error))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if not _is_for_people(request):
            return _refused_fields(error)
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors())
        return await _answer(request, 422, wrong)

    async def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it: the peer left in the middle of its request

    async def unavailable(request: Request, error: Exception) -> Response:
        assert isinstance(error, KameError)
        log.error("request failed", path=request.url.path, error=str(error))
        # without `where`: it may be a path of this machine or a database's address, and the asker a stranger
        return await _answer(request, 503, error.sentences)

    async def broken(request: Request, error: Exception) -> Response:
        log.error("request broke", path=request.url.path, exc_info=error)
        answer = await _answer(request, 500, "The fault is in the server's log.")
        # This handler's answer passes no middleware, so it would go without them.
        https = gate_of(request).settings.public_url.startswith("https://")
        add_security_headers(answer.headers, request.scope, https=https)
        return answer

    web.add_exception_handler(HTTPException, told)
    web.add_exception_handler(RequestValidationError, invalid)
    web.add_exception_handler(BadOffer, bad_offer)
    web.add_exception_handler(BrowserRefused, refused)
    for kind in (BadCursor, BadSearch, BadNote):
        web.add_exception_handler(kind, bad_request)
    web.add_exception_handler(ClientDisconnect, gone)
    web.add_exception_handler(KameError, unavailable)
    web.add_exception_handler(Exception, broken)


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page, as against a program, a script or htmx."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _is_for_people(request: Request) -> bool:
    return wants_page(request) or (is_htmx(request) and not request.url.path.startswith("/api/"))


async def _answer(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    if not wants_page(request):
        return _AnyJson({"detail": detail}, status, headers)
    phrase = HTTPStatus(status).phrase
    title = _TITLES.get(status) or phrase
    if detail == phrase:  # the framework's own word, which says nothing more to people
        detail = "Look at the address, or begin at the start."
    return await run_in_threadpool(
        page, request, "error.html", status=status, title=title, detail=detail, code=status
    )


class _AnyJson(JSONResponse):
    """Also what UTF-8 cannot hold: half a surrogate pair goes back as the escape that it came as."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _refused_fields(error: RequestValidationError) -> JSONResponse:
    """FastAPI's answer without the input itself, which may be huge, or a number that JSON does not know."""
    fields = [{key: item[key] for key in ("type", "loc", "msg")} for item in error.errors()]
    return _AnyJson({"detail": fields}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _know_viewer(request: Request) -> None:
    """Where no route has asked who is there, as at an address that there is not: so that the menu stays."""
    if wants_page(request) and known_viewer(request) is None:
        with contextlib.suppress(KameError):  # without a database the page is told to a stranger
            await optional_viewer(request)


def _to_sign_in(request: Request) -> Response:
    """Back to where they were after signing in; a form that was sent is not sent again."""
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    after = f"?next={quote(here, safe='')}" if request.method == "GET" and here != "/" else ""
    return RedirectResponse(f"/sign-in{after}", status_code=303)
