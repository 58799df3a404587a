"""What people may do with calls, lines and each other: a table of who may, and how each thing is done.

The least role stands here as docs/users.md promises it, not as the code declares it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from kame_voice.accounts.trail import Action
from kame_voice.core.nouns import Role

__all__ = ["DEEDS", "NO_DEEDS", "Deed", "Way"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of doing it: a route, what is sent, and how the server answers who may.

    Parameters of `route` and of what is sent are filled by the test: {call_id}, {running_id}, {line},
    {user_id}, and what is new each time: {note_id}, {oracle_id}, {fresh_id} (a running call), {old_id} (a
    finished one), {name}. `needs_browser`: a token is refused.
    """

    method: str
    route: str
    status: int = 200
    sent: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    needs_browser: bool = False

    @property
    def is_of_api(self) -> bool:
        """It is sent as JSON; by pages, as a form."""
        return self.route.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done. `least`: who may; `noted`: what the audit log calls it."""

    name: str
    least: Role
    ways: tuple[Way, ...]
    noted: Action | None = None

    def __str__(self) -> str:
        return self.name


_REVIEWER, _SUPERVISOR, _ADMIN = Role
_CALL: Final = "/api/calls/{call_id}"
_USER: Final = "/admin/users/{user_id}"

_FILES: Final = ("transcript.txt", "transcript.vtt", "transcript.json", "recording.wav", "recording.opus")

DEEDS: Final = (
    Deed("open a call", _REVIEWER, (Way("GET", "/calls/{call_id}"), Way("GET", _CALL)), Action.CALL_OPEN),
    Deed(
        "search what was said",
        _REVIEWER,
        (Way("GET", "/calls", query="?text=twelve"), Way("GET", "/api/calls", query="?text=twelve")),
        Action.CALL_SEARCH,
    ),
    Deed(
        "listen to a recording",
        _REVIEWER,
        (Way("GET", f"{_CALL}/recording"), Way("GET", f"{_CALL}/peaks")),
        Action.CALL_LISTEN,
    ),
    Deed(
        "export a call",
        _REVIEWER,
        tuple(Way("GET", f"{_CALL}/{name}") for name in _FILES),
        Action.CALL_EXPORT,
    ),
    Deed("export the list", _REVIEWER, (Way("GET", "/api/calls.csv"),), Action.CALL_EXPORT),
    Deed(
        "write a note",
        _REVIEWER,
        (
            Way("POST", "/calls/{call_id}/notes", 303, {"text": "Seen."}),
            Way("POST", f"{_CALL}/notes", 201, {"text": "Seen."}),
        ),
        Action.CALL_NOTE,
    ),
    Deed(
        "remove a note",
        _REVIEWER,
        (
            Way("POST", "/calls/{call_id}/notes/{note_id}/remove", 303),
            Way("DELETE", f"{_CALL}/notes/{{note_id}}", 204),
        ),
        Action.CALL_NOTE,
    ),
    Deed(
        "tag a call",
        _REVIEWER,
        (
            Way("POST", "/calls/{call_id}/judgement", 303, {"tags": "{name}"}),
            Way("PUT", f"{_CALL}/tags", 200, {"tags": ["{name}"]}),
        ),
        Action.CALL_TAG,
    ),
    Deed(
        "judge a call",
        _REVIEWER,
        (
            Way("POST", "/calls/{call_id}/judgement", 303, {"disposition": "resolved"}),
            Way("PUT", f"{_CALL}/disposition", 200, {"disposition": "follow_up"}),
        ),
    ),
    Deed(
        "ask a line",
        _REVIEWER,
        tuple(Way("GET", f"{kind}/lines/{{line}}/ask", query="?question=hello") for kind in ("", "/api")),
        Action.LINE_ASK,
    ),
    Deed(
        "draft a fact",
        _REVIEWER,
        (Way("GET", "/unknown/draft", query="?line={line}&questions=Why%3F&answer=Because."),),
    ),
    Deed(
        "watch a running call",
        _REVIEWER,
        (Way("GET", "/live/{running_id}"), Way("GET", "/api/calls/{running_id}/events")),
        Action.LIVE_WATCH,
    ),
    Deed("listen in", _SUPERVISOR, (Way("WS", "/api/calls/{running_id}/listen"),), Action.LIVE_LISTEN),
    Deed(
        "whisper",
        _SUPERVISOR,
        (
            Way("POST", "/api/calls/{running_id}/whisper", 201, {"text": "We close at noon."}),
            Way("DELETE", "/api/calls/{running_id}/whisper/{oracle_id}", 204),
        ),
        Action.LIVE_WHISPER,
    ),
    Deed("hang up", _SUPERVISOR, (Way("POST", "/api/calls/{fresh_id}/hang-up", 202),), Action.LIVE_HANG_UP),
    Deed(
        "delete a call",
        _ADMIN,
        (Way("POST", "/calls/{old_id}/delete", 303), Way("DELETE", "/api/calls/{old_id}", 204)),
        Action.CALL_DELETE,
    ),
    Deed("read the audit log", _ADMIN, (Way("GET", "/admin/audit"), Way("GET", "/api/audit"))),
    Deed(
        "add a user",
        _ADMIN,
        (Way("POST", "/admin/users", 200, {"name": "{name}", "role": "admin"}),),
        Action.USER_ADD,
    ),
    Deed(
        "change a user",
        _ADMIN,
        (Way("POST", _USER, 303, {"role": "reviewer", "customer": "{name}"}),),
        Action.USER_CUSTOMERS,
    ),
    Deed("make a link for a user", _ADMIN, (Way("POST", f"{_USER}/link", 200),), Action.USER_LINK),
    Deed("disable a user", _ADMIN, (Way("POST", f"{_USER}/disable", 303),), Action.USER_DISABLE),
    Deed("enable a user", _ADMIN, (Way("POST", f"{_USER}/enable", 303),), Action.USER_ENABLE),
    Deed("sign a user out", _ADMIN, (Way("POST", f"{_USER}/sign-out", 303),), Action.USER_SIGN_OUT),
    Deed(
        "revoke a user's token",
        _ADMIN,
        (Way("POST", f"{_USER}/tokens/revoke", 303, {"name": "{token}"}),),
        Action.TOKEN_REVOKE,
    ),
    Deed(
        "change one's password",
        _REVIEWER,
        (Way("POST", "/account/password", 422, {"current": "not it"}, needs_browser=True),),
    ),
    Deed(
        "make a token",
        _REVIEWER,
        (Way("POST", "/account/tokens", 200, {"name": "{name}"}, needs_browser=True),),
        Action.TOKEN_NEW,
    ),
    Deed(
        "revoke one's token",
        _REVIEWER,
        (Way("POST", "/account/tokens/revoke", 303, {"name": "{own_token}"}, needs_browser=True),),
        Action.TOKEN_REVOKE,
    ),
    Deed(
        "sign one's other browsers out",
        _REVIEWER,
        (Way("POST", "/account/sessions/close-others", 303, needs_browser=True),),
        Action.USER_SIGN_OUT,
    ),
)

NO_DEEDS: Final = {
    "/sign-out": "ends the session with which everything else is tried; tests/web/test_sign_in.py has it",
    "/account/sessions/close": "takes a session's own hash; tests/web/test_sign_in.py has it",
}
"""Routes that change something and are not tried here, with the reason."""
