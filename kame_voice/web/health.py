"""Liveness, readiness and metrics."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from kame_voice.core.telemetry import Telemetry

__all__ = ["router"]


def router(
    telemetry: Telemetry, why_not_ready: Callable[[], str | None], free_slots: Callable[[], int]
) -> APIRouter:
    """`why_not_ready` is None when calls can be taken, else the reason in a few words."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live", response_class=PlainTextResponse, summary="The process runs")
    async def live() -> str:
        return "live\n"

    @routes.get("/health/ready", response_model=dict[str, str], summary="Calls can be taken")
    async def ready() -> JSONResponse:
        reason = why_not_ready()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    @routes.get("/metrics", response_class=Response, summary="Prometheus metrics")
    async def metrics() -> Response:
        telemetry.slots_free.set(free_slots())
        return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
