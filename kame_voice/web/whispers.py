"""`/api/calls/{id}/whisper`: a supervisor's words, said by the agent of a running call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.calls.live import LiveCall, LiveCalls
from kame_voice.oracle.base import WhisperRefused
from kame_voice.web.auth.viewer import Supervisor, audit

__all__ = ["Whisper", "Whispered", "add_whispers"]


class Whisper(BaseModel):
    """What is to be said."""

    text: Annotated[str, Field(min_length=1, max_length=600, description="As it is to be spoken.")]


class Whispered(BaseModel):
    """A whisper that was taken."""

    oracle: str = Field(description="Its oracle, by which it can be withdrawn and found on the record.")


def add_whispers(routes: APIRouter, live_calls: LiveCalls) -> None:
    """Add the routes to the API's. Coroutines: a call belongs to the event loop's thread."""

    def found(call_id: str, viewer: Viewer) -> LiveCall:
        live = live_calls.get(call_id)
        if live is None or not viewer.may_see(live.call.customer):
            raise HTTPException(404, f"There is no running call {call_id!r}.")
        return live

    @routes.post(
        "/calls/{call_id}/whisper", status_code=201, summary="Have the agent say something on a running call"
    )
    async def whisper(request: Request, call_id: str, said: Whisper, viewer: Supervisor) -> Whispered:
        live = found(call_id, viewer)
        try:
            oracle = live.whisper(said.text, viewer.name)
        except WhisperRefused as refused:
            raise HTTPException(422, str(refused)) from refused
        data = {"oracle": oracle, "text": said.text}
        audit(request, Action.LIVE_WHISPER, call_id=call_id, customer=live.call.customer, data=data)
        return Whispered(oracle=oracle)

    @routes.delete(
        "/calls/{call_id}/whisper/{oracle_id}",
        status_code=204,
        summary="Take a whisper back that is not spoken yet",
    )
    async def withdraw(request: Request, call_id: str, oracle_id: str, viewer: Supervisor) -> None:
        live = found(call_id, viewer)
        if not live.withdraw_whisper(oracle_id, viewer.name):
            raise HTTPException(409, "This whisper was spoken already, replaced, or never made.")
        data = {"oracle": oracle_id, "withdrawn": True}
        audit(request, Action.LIVE_WHISPER, call_id=call_id, customer=live.call.customer, data=data)
