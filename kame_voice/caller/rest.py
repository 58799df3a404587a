"""A stand-in for Twilio's REST API on loopback, so that a server's own hang-up can be exercised.

Only what hanging up takes: `POST /2010-04-01/Accounts/{sid}/Calls/{CallSid}.json` with
`Status=completed`, and `GET` of the same. A call that is over or unknown is 404 with code 20404.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

from kame_voice.caller.errors import PortTaken
from kame_voice.caller.twilio_side import CallIdentity

__all__ = ["RestStandIn", "serving_rest"]

_CALL: Final = re.compile(r"^/2010-04-01/Accounts/(AC[0-9a-zA-Z]+)/Calls/(CA[0-9a-f]+)\.json$")


class RestStandIn:
    """The calls that can be hung up, shared by all callers of a process.

    `auth_token` empty: any credentials do. Its methods are called from the event loop, its HTTP
    side runs in a thread; `url` is what `KAME_TWILIO_API_URL` is to be.
    """

    def __init__(self, auth_token: str = "") -> None:
        self.url = ""
        self.requests: list[str] = []
        self._auth_token = auth_token
        self._calls: dict[str, tuple[CallIdentity, Callable[[], None]]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def holding(self, call: CallIdentity, on_completed: Callable[[], None]) -> Iterator[None]:
        """While the body runs the call is in progress; `on_completed` is called on this event loop."""
        loop = asyncio.get_running_loop()

        def complete() -> None:
            loop.call_soon_threadsafe(on_completed)

        with self._lock:
            self._calls[call.call_sid] = (call, complete)
        try:
            yield
        finally:
            with self._lock:
                self._calls.pop(call.call_sid, None)

    def answer(self, method: str, path: str, authorization: str, body: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request."""
        match = _CALL.match(path.partition("?")[0])
        with self._lock:
            self.requests.append(f"{method} {path} {body}")
            held = self._calls.get(match[2]) if match else None
        if not self._authorised(match[1] if match else "", authorization):
            return 401, _error(401, 20003, "Authenticate")
        if held is None:
            return 404, _error(404, 20404, f"The requested resource {path} was not found")
        call, complete = held
        status = "in-progress"
        if method == "POST":
            wanted = parse_qs(body).get("Status", [""])[0]
            if wanted != "completed":
                return 400, _error(400, 20001, f"Status must be completed here, not {wanted!r}")
            complete()
            status = "completed"
        return 200, {
            "sid": call.call_sid,
            "account_sid": call.account_sid,
            "from": call.from_number,
            "to": call.to_number,
            "status": status,
            "direction": "inbound",
            "api_version": "2010-04-01",
        }

    def _authorised(self, account_sid: str, authorization: str) -> bool:
        if not self._auth_token:
            return True
        wanted = base64.b64encode(f"{account_sid}:{self._auth_token}".encode()).decode()
        return hmac.compare_digest(authorization, f"Basic {wanted}")


def _error(status: int, code: int, message: str) -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }


@contextlib.contextmanager
def serving_rest(stand_in: RestStandIn, port: int = 0) -> Iterator[int]:
    """Serve `stand_in` on loopback while the body runs; yields the port. Raises PortTaken."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
            status, answer = stand_in.answer(
                self.command, self.path, self.headers.get("Authorization", ""), body
            )
            data = json.dumps(answer).encode()
            self.send_response(HTTPStatus(status))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr; `RestStandIn.requests` keeps them."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise PortTaken(
            f"cannot listen: {error.strerror or error}", where=f"127.0.0.1:{port}", do="choose another port"
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="twilio rest stand-in", daemon=True)
    thread.start()
    bound = int(server.server_address[1])
    stand_in.url = f"http://127.0.0.1:{bound}"
    try:
        yield bound
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
