"""Our own errors as HTTP answers: one clear sentence, no stack trace."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from kame_voice.core.errors import KameError
from kame_voice.legs.webrtc_peer import BadOffer
from kame_voice.store.errors import BadCursor
from kame_voice.web.browser_door import BrowserRefused

__all__ = ["answer_errors"]

log = structlog.get_logger()


def answer_errors(web: FastAPI) -> None:
    """What the asker did is 4xx: a bad cursor or offer, a browser's call refused. The rest is ours (503)."""

    async def bad_request(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 400)

    async def bad_offer(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, BadOffer)
        return JSONResponse({"code": error.code, "detail": error.what, "do": error.do}, 400)

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, BrowserRefused)
        return JSONResponse({"code": error.code, "detail": error.what, "do": error.do}, error.status)

    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, error=str(error))
        return JSONResponse({"detail": str(error)}, 503)

    web.add_exception_handler(BadCursor, bad_request)
    web.add_exception_handler(BadOffer, bad_offer)
    web.add_exception_handler(BrowserRefused, refused)
    web.add_exception_handler(KameError, unavailable)
