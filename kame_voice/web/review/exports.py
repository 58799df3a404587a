"""One call to take away: transcript, recording, outline. All audited; the outline counts as looking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from concurrent.futures import Executor
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from kame_voice.accounts.trail import Action
from kame_voice.audio.opus_file import opus_pieces
from kame_voice.review.transcripts import as_text, as_vtt
from kame_voice.store.calls import CallDetail
from kame_voice.store.recordings import HEADER_BYTES
from kame_voice.web.auth.viewer import CurrentViewer, audit
from kame_voice.web.review.parts import ReviewParts

__all__ = ["router"]


def router(parts: ReviewParts) -> APIRouter:
    """`/api/calls/{id}/transcript.txt`, `.vtt`, `.json`; `…/recording`, `.wav`, `.opus`; `…/peaks`."""
    routes = APIRouter(prefix="/api/calls", tags=["export"])

    @routes.get("/{call_id}/transcript.txt", summary="Transcript as text", response_class=PlainTextResponse)
    def transcript_text(request: Request, viewer: CurrentViewer, call_id: str) -> Response:
        call = _taken(request, parts.call(viewer, call_id), "txt")
        return _download(as_text(call), f"{call.id}.txt", "text/plain")

    @routes.get("/{call_id}/transcript.vtt", summary="Transcript as WebVTT", response_class=PlainTextResponse)
    def transcript_vtt(request: Request, viewer: CurrentViewer, call_id: str) -> Response:
        call = _taken(request, parts.call(viewer, call_id), "vtt")
        return _download(as_vtt(call), f"{call.id}.vtt", "text/vtt")

    @routes.get("/{call_id}/transcript.json", summary="Everything about a call, as a file")
    def transcript_json(request: Request, viewer: CurrentViewer, call_id: str) -> Response:
        call = _taken(request, parts.call(viewer, call_id), "json")
        return _download(call.model_dump_json(indent=2), f"{call.id}.json", "application/json")

    @routes.get(
        "/{call_id}/recording",
        summary="The two-channel recording (left: caller, right: agent), by HTTP range where asked",
        response_class=FileResponse,
    )
    def listen(request: Request, viewer: CurrentViewer, call_id: str) -> FileResponse:
        call = parts.call(viewer, call_id)
        path = _recording(parts, call)
        if request.headers.get("range", "bytes=0-").startswith("bytes=0-"):
            # A player asks for many ranges: what counts is that it began to listen.
            audit(request, Action.CALL_LISTEN, call_id=call.id, customer=call.customer)
        return FileResponse(
            path, media_type="audio/wav", filename=f"{call.id}.wav", content_disposition_type="inline"
        )

    @routes.get(
        "/{call_id}/recording.wav", summary="The recording as a WAV file", response_class=FileResponse
    )
    def recording_wav(request: Request, viewer: CurrentViewer, call_id: str) -> FileResponse:
        call = parts.call(viewer, call_id)
        path = _recording(parts, call)
        _taken(request, call, "wav")
        return FileResponse(path, media_type="audio/wav", filename=f"{call.id}.wav")

    @routes.get(
        "/{call_id}/recording.opus", summary="The recording as Ogg Opus", response_class=StreamingResponse
    )
    def recording_opus(request: Request, viewer: CurrentViewer, call_id: str) -> StreamingResponse:
        call = parts.call(viewer, call_id)
        path = _recording(parts, call)
        _taken(request, call, "opus")
        return StreamingResponse(
            _taken_in(parts.threads, opus_pieces(path, HEADER_BYTES)),
            media_type="audio/ogg",
            headers={"Content-Disposition": f'attachment; filename="{call.id}.opus"'},
        )

    @routes.get(
        "/{call_id}/peaks",
        summary="The recording's outline: a byte a 50 ms, all of the caller's, then the agent's",
        response_class=Response,
    )
    async def peaks(viewer: CurrentViewer, call_id: str) -> Response:
        call = await run_in_threadpool(parts.call, viewer, call_id)
        outline = await asyncio.get_running_loop().run_in_executor(parts.threads, parts.peaks.of, call.id)
        if outline is None:
            raise HTTPException(404, f"Call {call_id!r} has no recording.")
        return Response(outline, media_type="application/octet-stream")

    return routes


async def _taken_in(threads: Executor, pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made on one of `threads`; the file is closed where the browser went away."""
    loop = asyncio.get_running_loop()
    try:
        while (piece := await loop.run_in_executor(threads, next, pieces, None)) is not None:
            yield piece
    finally:
        threads.submit(pieces.close)


def _recording(parts: ReviewParts, call: CallDetail) -> Path:
    path = parts.archive.recordings.path_of(call.id)
    if path is None:
        raise HTTPException(404, f"Call {call.id!r} has no recording.")
    return path


def _taken(request: Request, call: CallDetail, form: str) -> CallDetail:
    audit(request, Action.CALL_EXPORT, call_id=call.id, customer=call.customer, data={"as": form})
    return call


def _download(text: str, name: str, media_type: str) -> Response:
    # The name is a call's id: letters, digits, - and _ alone.
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{media_type}; charset=utf-8", headers=disposition)
