"""Signing in and out, and one-time links: the first admin's, invitations, forgotten passwords."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from kame_voice.accounts.passwords import MIN_LENGTH, WeakPassword
from kame_voice.accounts.people import BadUser, People
from kame_voice.accounts.secrets import csrf_token, digest, new_secret
from kame_voice.accounts.sign_in import SignIn, Visitor, WrongPassword
from kame_voice.accounts.throttle import TooManyTries
from kame_voice.accounts.trail import Action
from kame_voice.store.errors import LinkSpent
from kame_voice.web.auth.csrf import check_visit
from kame_voice.web.auth.destination import safe_destination
from kame_voice.web.auth.gate import Gate
from kame_voice.web.auth.viewer import CurrentViewer, OptionalViewer, address_of, audit
from kame_voice.web.pages.render import page

__all__ = ["router"]

_Text = Annotated[str, Form(max_length=1024)]


def router(gate: Gate, sign_in: SignIn, people: People) -> APIRouter:
    """`/sign-in`, `/sign-out`, `/welcome/{secret}`. All functions block, so they are plain ones."""
    routes = APIRouter(include_in_schema=False)

    def form(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A page whose form belongs to a visitor's cookie, which is made where there is none."""
        visit = gate.cookies.visit(request) or new_secret()
        answer = page(request, template, status=status, **{**context, "csrf": csrf_token(visit)})
        gate.cookies.set_visit(answer, visit)
        return answer

    def signed_in(request: Request, secret: str, destination: str) -> Response:
        """Off to where they wanted, with a session of their own; one that was open before ends."""
        before = gate.cookies.session(request)
        if before is not None:
            gate.keys.close_session(digest(before))
        answer = RedirectResponse(destination, status_code=303)
        gate.cookies.set_session(answer, secret, gate.lifetime)
        return answer

    @routes.get("/sign-in")
    def show_sign_in(request: Request, viewer: OptionalViewer, next: str = "/") -> Response:
        if viewer is not None:
            return RedirectResponse(safe_destination(next), status_code=303)
        return form(
            request,
            "accounts/sign-in.html",
            next=safe_destination(next),
            name="",
            mistake=None,
            nobody=not gate.users.any(),
        )

    @routes.post("/sign-in", dependencies=[Depends(check_visit)])
    def do_sign_in(request: Request, name: _Text = "", password: _Text = "", next: _Text = "/") -> Response:
        destination = safe_destination(next)
        try:
            secret = sign_in.by_password(name.strip(), password, _visitor(request))
        except (WrongPassword, TooManyTries) as error:
            late = isinstance(error, TooManyTries)
            answer = form(
                request,
                "accounts/sign-in.html",
                429 if late else 401,
                next=destination,
                name=name,
                mistake=error.sentences,
                nobody=False,
            )
            if isinstance(error, TooManyTries):
                answer.headers["Retry-After"] = str(error.wait_s)
            return answer
        return signed_in(request, secret, destination)

    @routes.post("/sign-out")
    def do_sign_out(request: Request, viewer: CurrentViewer) -> Response:
        cookie = gate.cookies.session(request)
        if cookie is not None:
            gate.keys.close_session(digest(cookie))
        audit(request, Action.SIGN_OUT)
        answer = RedirectResponse("/sign-in", status_code=303)
        gate.cookies.clear_session(answer)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    @routes.get("/welcome/{secret}")
    def show_welcome(request: Request, secret: str) -> Response:
        try:
            owner = people.linked(secret)
        except LinkSpent as error:
            return page(request, "accounts/link-spent.html", status=410, mistake=error.sentences)
        return form(
            request, "accounts/welcome.html", owner=owner, name="", mistake=None, min_length=MIN_LENGTH
        )

    @routes.post("/welcome/{secret}", dependencies=[Depends(check_visit)])
    def do_welcome(
        request: Request, secret: str, name: _Text = "", password: _Text = "", again: _Text = ""
    ) -> Response:
        try:
            owner = people.linked(secret)
            if password != again:
                raise WeakPassword("the two passwords differ", do="type them again")
            user = people.spend_link(secret, name, password, address_of(request))
        except LinkSpent as error:
            return page(request, "accounts/link-spent.html", status=410, mistake=error.sentences)
        except (WeakPassword, BadUser) as error:
            return form(
                request,
                "accounts/welcome.html",
                422,
                owner=owner,
                name=name,
                mistake=error.sentences,
                min_length=MIN_LENGTH,
            )
        return signed_in(request, sign_in.open(user, _visitor(request)), "/")

    return routes


def _visitor(request: Request) -> Visitor:
    return Visitor(address_of(request), request.headers.get("user-agent"))
