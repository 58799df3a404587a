"""Notes, tags and dispositions: written on the call's page, or by the API. Each is audited."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.store.calls import CallDetail
from kame_voice.store.errors import BadNote
from kame_voice.store.notes import CallNote, Disposition
from kame_voice.web.auth.viewer import CurrentViewer, audit
from kame_voice.web.pages.render import is_htmx, page
from kame_voice.web.review.one_call import notes_context
from kame_voice.web.review.parts import ReviewParts

__all__ = ["router"]

_LATEST_MS: Final = 100_000_000
"""A moment of a call has eight digits at most: no call lasts a day."""


class NewNote(BaseModel):
    """A note to be written; `at_ms` is the moment of the call it is about, null the whole call."""

    text: str = Field(max_length=4000)
    at_ms: int | None = Field(default=None, ge=0, lt=_LATEST_MS)


class Tags(BaseModel):
    """All tags of a call."""

    tags: list[str] = Field(max_length=40)


class Judgement(BaseModel):
    """What became of a call's matter; null takes it back."""

    disposition: Disposition | None


def router(parts: ReviewParts) -> APIRouter:
    """`/api/calls/{id}/notes`, `…/tags`, `…/disposition`, and the page's forms for them."""
    routes = APIRouter(tags=["notes"])
    act = _Acts(parts)

    @routes.get("/api/calls/{call_id}/notes", summary="The notes on a call")
    def get_notes(viewer: CurrentViewer, call_id: str) -> list[CallNote]:
        return parts.notes.of(parts.call(viewer, call_id).id)

    @routes.post("/api/calls/{call_id}/notes", status_code=201, summary="Write a note on a call")
    def add_note(request: Request, viewer: CurrentViewer, call_id: str, new: NewNote) -> CallNote:
        return act.note(request, viewer, parts.call(viewer, call_id), new.text, new.at_ms)

    @routes.delete("/api/calls/{call_id}/notes/{note_id}", status_code=204, summary="Delete a note")
    def delete_note(request: Request, viewer: CurrentViewer, call_id: str, note_id: int) -> None:
        act.remove(request, parts.call(viewer, call_id), note_id)

    @routes.put("/api/calls/{call_id}/tags", summary="Set the tags of a call")
    def put_tags(request: Request, viewer: CurrentViewer, call_id: str, wanted: Tags) -> Tags:
        return Tags(tags=act.tag(request, parts.call(viewer, call_id), " ".join(wanted.tags)))

    @routes.put("/api/calls/{call_id}/disposition", summary="Set what became of a call's matter")
    def put_disposition(
        request: Request, viewer: CurrentViewer, call_id: str, wanted: Judgement
    ) -> Judgement:
        act.dispose(request, parts.call(viewer, call_id), wanted.disposition)
        return wanted

    @routes.post("/calls/{call_id}/notes", include_in_schema=False)
    def note_form(
        request: Request,
        viewer: CurrentViewer,
        call_id: str,
        text: Annotated[str, Form()] = "",
        at_ms: Annotated[str, Form(pattern=r"^[0-9]{0,8}$")] = "",
    ) -> Response:
        call = parts.call(viewer, call_id)
        try:
            act.note(request, viewer, call, text, int(at_ms) if at_ms else None)
        except BadNote as error:
            return act.answer(request, viewer, call_id, str(error))
        return act.answer(request, viewer, call_id)

    @routes.post("/calls/{call_id}/notes/{note_id}/remove", include_in_schema=False)
    def remove_form(request: Request, viewer: CurrentViewer, call_id: str, note_id: int) -> Response:
        act.remove(request, parts.call(viewer, call_id), note_id)
        return act.answer(request, viewer, call_id)

    @routes.post("/calls/{call_id}/judgement", include_in_schema=False)
    def judgement_form(
        request: Request,
        viewer: CurrentViewer,
        call_id: str,
        tags: Annotated[str, Form(max_length=1000)] = "",
        disposition: Annotated[Disposition | Literal[""], Form()] = "",
    ) -> Response:
        call = parts.call(viewer, call_id)
        judged = disposition or None
        try:
            if tags.split() != call.tags:
                act.tag(request, call, tags)
        except BadNote as error:
            return act.answer(request, viewer, call_id, str(error))
        if judged != call.disposition:
            act.dispose(request, call, judged)
        return act.answer(request, viewer, call_id)

    return routes


class _Acts:
    """What is done to a call, with its line in the audit log."""

    def __init__(self, parts: ReviewParts) -> None:
        self._parts = parts

    def note(
        self, request: Request, viewer: Viewer, call: CallDetail, text: str, at_ms: int | None
    ) -> CallNote:
        note = self._parts.notes.add(call.id, viewer.name, text, datetime.now(UTC), at_ms)
        self._audit(request, Action.CALL_NOTE, call, {"note": note.id, "done": "written"})
        return note

    def remove(self, request: Request, call: CallDetail, note_id: int) -> None:
        gone = self._parts.notes.remove(call.id, note_id)
        if gone is None:
            raise HTTPException(404, "There is no such note on this call.")
        # The words go with it: who may read the log may also know what was taken away.
        self._audit(request, Action.CALL_NOTE, call, {"note": note_id, "done": "removed", "was": gone.text})

    def tag(self, request: Request, call: CallDetail, tags: str) -> list[str]:
        kept = self._parts.notes.tag(call.id, [tags])
        self._audit(request, Action.CALL_TAG, call, {"was": call.tags, "is": kept})
        return kept

    def dispose(self, request: Request, call: CallDetail, disposition: Disposition | None) -> None:
        self._parts.notes.dispose(call.id, disposition)
        self._audit(request, Action.CALL_DISPOSITION, call, {"was": call.disposition, "is": disposition})

    def answer(self, request: Request, viewer: Viewer, call_id: str, problem: str | None = None) -> Response:
        """The notes anew for htmx, the call's page for a browser without it."""
        if not is_htmx(request) and problem is None:
            return RedirectResponse(f"/calls/{call_id}#notes", 303)
        call = self._parts.call(viewer, call_id)
        # 422 would not be shown by htmx; the page says what is wrong.
        return page(request, "review/notes.html", call=call, **notes_context(self._parts, call, problem))

    @staticmethod
    def _audit(request: Request, action: Action, call: CallDetail, data: dict[str, object]) -> None:
        audit(request, action, call_id=call.id, customer=call.customer, data=data)
