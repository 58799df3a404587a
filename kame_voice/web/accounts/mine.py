"""`/account`: one's own password, API tokens and signed-in browsers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from kame_voice.accounts.passwords import MIN_LENGTH, WeakPassword
from kame_voice.accounts.people import BadUser, People
from kame_voice.accounts.secrets import digest, same
from kame_voice.accounts.sign_in import SignIn, Visitor, WrongPassword
from kame_voice.accounts.throttle import TooManyTries
from kame_voice.accounts.viewer import Via, Viewer
from kame_voice.store.errors import TokenExists, TokenNotFound
from kame_voice.store.users import UserRecord
from kame_voice.web.auth.gate import Gate
from kame_voice.web.auth.viewer import CurrentViewer, address_of
from kame_voice.web.pages.render import page

__all__ = ["router"]

_Text = Annotated[str, Form(max_length=1024)]
_DONE = {
    "password": "Your password is changed. Your other browsers are signed out.",
    "token": "The token is revoked.",
    "session": "That browser is signed out.",
    "sessions": "Your other browsers are signed out.",
}


def router(gate: Gate, sign_in: SignIn, people: People) -> APIRouter:
    """All of it for people who signed in by browser: a token cannot make itself a longer life."""
    routes = APIRouter(prefix="/account", include_in_schema=False)

    def myself(viewer: Viewer) -> UserRecord:
        user = gate.users.get(viewer.user_id) if viewer.via is Via.SESSION and viewer.user_id else None
        if user is None:
            raise HTTPException(403, "This is for people who signed in with name and password.")
        return user

    def show(request: Request, me: UserRecord, *, status: int = 200, **more: Any) -> Response:
        here = digest(gate.cookies.session(request) or "")
        context: dict[str, Any] = {
            "me": me,
            "tokens": gate.keys.tokens(me.id),
            "sessions": gate.keys.sessions(me.id, gate.now(), gate.idle),
            "here": here,
            "min_length": MIN_LENGTH,
            "done": _DONE.get(request.query_params.get("done", "")),
            "mistake": None,
            "new_token": None,
        }
        return page(request, "accounts/mine.html", status=status, **{**context, **more})

    @routes.get("")
    def show_account(request: Request, viewer: CurrentViewer) -> Response:
        return show(request, myself(viewer))

    @routes.post("/password")
    def change_password(
        request: Request,
        viewer: CurrentViewer,
        current: _Text = "",
        password: _Text = "",
        again: _Text = "",
    ) -> Response:
        me = myself(viewer)
        try:
            if password != again:
                raise WeakPassword("the two new passwords differ", do="type them again")
            sign_in.confirm(viewer, current, Visitor(address_of(request)))
            people.set_password(me, password, viewer, address_of(request), gate.cookies.session(request))
        except WrongPassword:
            return show(request, me, status=422, mistake=("password", "Your current password is not that."))
        except (WeakPassword, TooManyTries) as error:
            return show(request, me, status=422, mistake=("password", error.sentences))
        return _back("password")

    @routes.post("/tokens")
    def new_token(request: Request, viewer: CurrentViewer, name: _Text = "") -> Response:
        me = myself(viewer)
        try:
            _, secret = people.new_token(me, name, viewer, address_of(request))
        except (BadUser, TokenExists) as error:
            return show(request, me, status=422, mistake=("token", error.sentences))
        # Shown in this answer and never again, so it is not a redirect.
        return show(request, me, new_token=(name, secret))

    @routes.post("/tokens/revoke")
    def revoke_token(request: Request, viewer: CurrentViewer, name: _Text = "") -> Response:
        try:
            people.revoke_token(myself(viewer), name, viewer, address_of(request))
        except TokenNotFound as error:
            raise HTTPException(404, "You have no such token.") from error
        return _back("token")

    @routes.post("/sessions/close")
    def close_session(request: Request, viewer: CurrentViewer, session: _Text = "") -> Response:
        mine = gate.keys.sessions(myself(viewer).id, gate.now(), gate.idle)
        for known in mine:
            if same(known.hash, session):
                gate.keys.close_session(known.hash)
                return _back("session")
        raise HTTPException(404, "You have no such session.")

    @routes.post("/sessions/close-others")
    def close_others(request: Request, viewer: CurrentViewer) -> Response:
        me = myself(viewer)
        people.sign_out_everywhere(me, viewer, address_of(request), gate.cookies.session(request))
        return _back("sessions")

    return routes


def _back(done: str) -> Response:
    return RedirectResponse(f"/account?done={done}", status_code=303)
