"""`/admin/users`: who may sign in, with which role, and whose calls they see. For admins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from kame_voice.accounts.passwords import MIN_LENGTH
from kame_voice.accounts.people import LINK_LIFETIME, BadUser, People
from kame_voice.core.nouns import Role
from kame_voice.store.errors import LastAdmin, TokenNotFound, UserExists
from kame_voice.store.users import EVERY_CUSTOMER, UserRecord
from kame_voice.web.auth.gate import Gate
from kame_voice.web.auth.viewer import Admin, address_of
from kame_voice.web.pages.render import page

__all__ = ["router"]

_Text = Annotated[str, Form(max_length=1024)]
_Choices = Annotated[list[str], Form(default_factory=list, max_length=500)]
_DONE = {
    "saved": "Saved.",
    "disabled": "Disabled: signed out everywhere, and tokens no longer work.",
    "enabled": "Enabled again.",
    "out": "Signed out everywhere.",
    "token": "The token is revoked.",
}


def router(gate: Gate, people: People, customers: Callable[[], Iterable[str]]) -> APIRouter:
    """`customers` are those that flows name today."""
    routes = APIRouter(prefix="/admin", include_in_schema=False)

    def found(user_id: str) -> UserRecord:
        user = gate.users.get(user_id)
        if user is None:
            raise HTTPException(404, "There is no such user.")
        return user

    def choices(chosen: Iterable[str] = ()) -> list[str]:
        return sorted({*customers(), *chosen} - {EVERY_CUSTOMER})

    def show_all(request: Request, *, status: int = 200, **more: Any) -> Response:
        context: dict[str, Any] = {
            "users": gate.users.all(),
            "roles": list(Role),
            "choices": choices(),
            "mistake": None,
            "form": {"name": "", "role": Role.REVIEWER.value, "customers": []},
        }
        return page(request, "accounts/users.html", status=status, **{**context, **more})

    def show_one(request: Request, user: UserRecord, *, status: int = 200, **more: Any) -> Response:
        context: dict[str, Any] = {
            "user": user,
            "roles": list(Role),
            "choices": choices(user.customers),
            "tokens": gate.keys.tokens(user.id),
            "sessions": gate.keys.sessions(user.id, gate.now(), gate.idle),
            "done": _DONE.get(request.query_params.get("done", "")),
            "mistake": None,
            "link": None,
            "link_hours": int(LINK_LIFETIME.total_seconds() // 3600),
            "min_length": MIN_LENGTH,
        }
        return page(request, "accounts/user.html", status=status, **{**context, **more})

    def new_link(request: Request, user: UserRecord, viewer: Admin) -> str:
        secret = people.link(user, viewer, address_of(request))
        base = gate.settings.public_url or str(request.base_url).rstrip("/")
        return f"{base}/welcome/{secret}"

    @routes.get("")
    def start(viewer: Admin) -> Response:
        return RedirectResponse("/admin/users", status_code=303)

    @routes.get("/users")
    def show_users(request: Request, viewer: Admin) -> Response:
        return show_all(request)

    @routes.post("/users")
    def add_user(
        request: Request,
        viewer: Admin,
        customer: _Choices,
        name: _Text = "",
        role: Annotated[Role, Form()] = Role.REVIEWER,
    ) -> Response:
        try:
            user = people.add(name, role, customer, viewer, address_of(request))
        except (BadUser, UserExists) as error:
            form = {"name": name, "role": role.value, "customers": customer}
            return show_all(request, status=422, mistake=error.sentences, form=form)
        # The link is shown in this answer and never again, so it is not a redirect.
        return show_one(request, user, link=new_link(request, user, viewer))

    @routes.get("/users/{user_id}")
    def show_user(request: Request, user_id: str, viewer: Admin) -> Response:
        return show_one(request, found(user_id))

    @routes.post("/users/{user_id}")
    def change_user(
        request: Request, user_id: str, viewer: Admin, customer: _Choices, role: Annotated[Role, Form()]
    ) -> Response:
        user = found(user_id)
        try:
            people.set_customers(user, customer, viewer, address_of(request))
            people.set_role(user, role, viewer, address_of(request))
        except (BadUser, LastAdmin) as error:
            return show_one(request, found(user_id), status=422, mistake=error.sentences)
        return _back(user_id, "saved")

    @routes.post("/users/{user_id}/link")
    def make_link(request: Request, user_id: str, viewer: Admin) -> Response:
        user = found(user_id)
        return show_one(request, user, link=new_link(request, user, viewer))

    @routes.post("/users/{user_id}/disable")
    def disable(request: Request, user_id: str, viewer: Admin) -> Response:
        user = found(user_id)
        try:
            people.disable(user, viewer, address_of(request))
        except LastAdmin as error:
            return show_one(request, user, status=422, mistake=error.sentences)
        return _back(user_id, "disabled")

    @routes.post("/users/{user_id}/enable")
    def enable(request: Request, user_id: str, viewer: Admin) -> Response:
        people.enable(found(user_id), viewer, address_of(request))
        return _back(user_id, "enabled")

    @routes.post("/users/{user_id}/sign-out")
    def sign_out(request: Request, user_id: str, viewer: Admin) -> Response:
        people.sign_out_everywhere(found(user_id), viewer, address_of(request))
        return _back(user_id, "out")

    @routes.post("/users/{user_id}/tokens/revoke")
    def revoke_token(request: Request, user_id: str, viewer: Admin, name: _Text = "") -> Response:
        try:
            people.revoke_token(found(user_id), name, viewer, address_of(request))
        except TokenNotFound as error:
            raise HTTPException(404, "This user has no such token.") from error
        return _back(user_id, "token")

    return routes


def _back(user_id: str, done: str) -> Response:
    return RedirectResponse(f"/admin/users/{user_id}?done={done}", status_code=303)
