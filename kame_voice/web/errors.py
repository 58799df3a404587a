"""Our own errors as HTTP answers: one clear sentence, no stack trace."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from kame_voice.core.errors import KameError
from kame_voice.store.errors import BadCursor

__all__ = ["answer_errors"]

log = structlog.get_logger()


def answer_errors(web: FastAPI) -> None:
    """A bad cursor is the asker's mistake (400); whatever else fails is ours for now (503)."""

    async def bad_request(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 400)

    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, error=str(error))
        return JSONResponse({"detail": str(error)}, 503)

    web.add_exception_handler(BadCursor, bad_request)
    web.add_exception_handler(KameError, unavailable)
