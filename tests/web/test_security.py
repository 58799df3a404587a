"""Nobody reaches what is not theirs: checked on every route that the app has, those to come included."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from kame_voice.caller.scripts import stay
from kame_voice.core.nouns import Role, Speaker
from kame_voice.store.rows import CallRow, CallStatus, EventRow, OracleRow, TurnRow
from kame_voice.web.auth.public import PUBLIC
from tests.support.people import add_user, as_user, gate_of_app, visiting
from tests.support.routes import RouteUnderTest, routes_of
from tests.support.running_app import RunningApp, flow_text, running_app

pytestmark = pytest.mark.anyio

SECRET = "marzipan"
"""Said on the other customer's call, and written in its flow."""
THEIRS = "call-of-zenith"
OURS = "call-of-acme"
BODIES = {
    "notes": {"text": "a note"},
    "tags": {"tags": ["seen"]},
    "disposition": {"disposition": "resolved"},
    "whisper": {"text": "a hint"},
    "ask": {"question": "When are you open?"},
}
"""What a valid request to change something holds, by the last word of its path."""


@dataclass(frozen=True)
class World:
    """Two customers on one server: a finished call of each, and a running one of the other's."""

    line: RunningApp
    running: str

    @property
    def routes(self) -> list[RouteUnderTest]:
        return routes_of(self.line.app.asgi)

    def of(self, **wanted: bool) -> list[RouteUnderTest]:
        return [
            route
            for route in self.routes
            if all(getattr(route, name) == is_so for name, is_so in wanted.items())
        ]


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    zenith = flow_text("zenith-main", "+15550200").replace("customer: acme", "customer: zenith")
    zenith = zenith.replace("twelve euros", f"twelve {SECRET}")
    async with running_app(tmp_path_factory.mktemp("security"), flow_text(), zenith) as line:
        await asyncio.to_thread(keep_calls, line)
        calling = asyncio.create_task(line.caller().call(line.identity("+15550200"), stay(120_000)))
        while not (running := line.app.live_calls.running()):  # noqa: ASYNC110 — a state, not an event
            await asyncio.sleep(0.02)
        yield World(line, running[0].call.id)
        calling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await calling


def keep_calls(line: RunningApp) -> None:
    noon = datetime(2026, 11, 5, 12, tzinfo=UTC)
    writer = line.app.writer
    for call_id, customer, words in ((THEIRS, "zenith", SECRET), (OURS, "acme", "hello")):
        flow = line.app.flows.generation.by_line[f"{customer}-main"]
        writer.put(
            CallRow(
                id=call_id, provider_id=f"CA-{call_id}", line=flow.line, customer=customer,
                from_number="+15559" + ("111" if customer == "zenith" else "222"), to_number="+15550200",
                flow_version=flow.content_hash, front_end="spoken", oracle_mode="partial",
                status=CallStatus.COMPLETED, started_at=noon, answered_at=noon, ended_at=noon,
                duration_ms=2000, recording=f"{call_id}.wav",
            )
        )  # fmt: skip
        writer.put(TurnRow(call_id=call_id, index=0, speaker="caller", text=words, start_ms=0, end_ms=900))
        writer.put(
            OracleRow(
                call_id=call_id, id="o1", source="llm", basis=words, is_final=True, asked_ms=1,
                outcome="adopted", text=words,
            )
        )  # fmt: skip
        writer.put(EventRow(call_id=call_id, index=0, at_ms=1, kind="dtmf", data={"digit": "1"}))
        writer.start_recording(call_id, lambda: 9)
        writer.sound(call_id, Speaker.CALLER, np.zeros(24_000, np.float32), 0)
        writer.finish_recording(call_id, 24_000)
    while line.app.archive.recordings.path_of(THEIRS) is None or line.app.archive.calls.get(OURS) is None:
        time.sleep(0.02)


def body_of(route: RouteUnderTest) -> dict[str, object]:
    last = route.path.rsplit("/", 1)[-1]
    return (
        {"json": BODIES.get(last, {})} if route.path.startswith("/api/") else {"data": BODIES.get(last, {})}
    )


async def answer_of(client: httpx.AsyncClient, route: RouteUnderTest, url: str) -> tuple[int, str]:
    """Status, and what is sent within a moment: streams of events do not end."""
    text = ""
    body = body_of(route) if route.changes else {}
    async with client.stream(route.method, url, **body) as answer:  # type: ignore[arg-type]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                0.4 if "event-stream" in answer.headers.get("content-type", "") else 10
            ):
                async for chunk in answer.aiter_bytes():
                    text += chunk.decode("latin-1")
    return answer.status_code, text


async def refuses_socket(world: World, url: str, cookie: str | None, origin: str | None = None) -> bool:
    """Whether the server turns this WebSocket away before it is open."""
    headers = {"cookie": cookie} if cookie else {}
    if origin:
        headers["origin"] = origin
    try:
        async with connect("ws" + world.line.url.removeprefix("http") + url, additional_headers=headers):
            return False
    except InvalidStatus as refusal:
        return refusal.response.status_code == 403


def cookies_of(client: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def test_every_route_needs_a_viewer_or_is_declared_public_with_a_reason(world: World) -> None:
    undeclared = [str(route) for route in world.routes if not route.protected and not route.public]
    assert not undeclared, "declare a viewer, or a reason in web/auth/public.py"
    assert not [path for path in PUBLIC if path not in {route.path for route in world.routes}]
    assert all(len(reason) > 10 for reason in PUBLIC.values())


async def test_a_stranger_gets_into_no_protected_route(world: World) -> None:
    let_in = []
    async with visiting(world.line) as client:
        for route in world.of(protected=True):
            url = route.url(call_id=THEIRS, line="zenith-main")
            if route.method == "WS":
                if not await refuses_socket(world, url, None):
                    let_in.append(str(route))
                continue
            status, text = await answer_of(client, route, url)
            away = status in (401, 403) or (status == 303 and not text)
            if not away or SECRET in text:
                let_in.append(f"{route} → {status}")
    assert not let_in


async def test_no_route_tells_one_customer_of_another(world: World) -> None:
    leaks = []
    async with as_user(world.line, "sue", Role.SUPERVISOR, ["acme"]) as client:
        for route in world.of(protected=True):
            for call_id in (THEIRS, world.running):
                url = route.url(call_id=call_id, line="zenith-main", user_id="1")
                url += "?question=hello&q=hello" if url.endswith("/ask") else ""
                if route.method == "WS":
                    if not await refuses_socket(world, url, cookies_of(client)):
                        leaks.append(str(route))
                    continue
                if route.path in ("/sign-out", "/account/sessions/close-others"):
                    continue
                status, text = await answer_of(client, route, url)
                named = [word for word in (SECRET, THEIRS, world.running, "+15559111") if word in text]
                about_theirs = "{call_id}" in route.path or "{line}" in route.path
                if (named and status != 404) or SECRET in text:
                    leaks.append(f"{route} → {status} tells {named}")
                if about_theirs and status not in (404, 403):
                    leaks.append(f"{route} → {status}")
    assert not leaks


async def test_asking_for_another_customers_line_or_words_finds_nothing(world: World) -> None:
    leaks = []
    asked = [
        {"line": "zenith-main"},
        {"customer": "zenith"},
        {"q": SECRET},
        {"words": SECRET},
        {"call_id": THEIRS},
    ]
    async with as_user(world.line, "ana", Role.REVIEWER, ["acme"]) as client:
        for route in world.of(protected=True):
            if route.method != "GET" or "{" in route.path:
                continue
            for query in asked:
                url = f"{route.path}?{httpx.QueryParams(query)}"
                status, text = await answer_of(client, route, url)
                if any(word in text.replace(f'value="{SECRET}"', "") for word in (THEIRS, "+15559111")):
                    leaks.append(f"{url} → {status}")
    assert not leaks


async def test_the_same_routes_do_tell_an_admin(world: World) -> None:
    """Else the tests above would pass on a server that tells nobody anything."""
    silent, told = [], 0
    async with as_user(world.line, "root", Role.ADMIN, []) as client:
        for route in world.of(protected=True):
            if route.method == "GET" and "{call_id}" in route.path and not route.path.startswith("/live"):
                status, _ = await answer_of(client, route, route.url(call_id=THEIRS))
                told += 1
                if status != 200:
                    silent.append(f"{route} → {status}")
        assert SECRET in (await client.get(f"/api/calls/{THEIRS}")).text
    assert not silent
    assert told > 8


async def test_each_role_is_asked_for(world: World) -> None:
    let_in = []
    async with as_user(world.line, "rob", Role.REVIEWER, ["acme", "zenith"]) as client:
        for route in (route for route in world.routes if route.role is not None):
            url = route.url(call_id=world.running, line="zenith-main")
            if route.method == "WS":
                refused = await refuses_socket(world, url, cookies_of(client))
            else:
                refused = (await answer_of(client, route, url))[0] == 403
            if not refused:
                let_in.append(str(route))
    assert not let_in


async def test_nothing_is_changed_by_a_cookie_alone_or_from_another_site(world: World) -> None:
    done = []
    async with as_user(world.line, "adm", Role.ADMIN, []) as client:
        token = client.headers["x-csrf-token"]
        for route in world.of(protected=True, changes=True):
            url = route.url(call_id=THEIRS, line="zenith-main")
            for headers in (
                {"x-csrf-token": ""},
                {"x-csrf-token": "0" * 64},
                {"x-csrf-token": token, "origin": "https://evil.example"},
                {"x-csrf-token": token, "origin": "null"},
                {"x-csrf-token": token, "sec-fetch-site": "cross-site"},
            ):
                answer = await client.request(route.method, url, headers=headers, **body_of(route))  # type: ignore[arg-type]
                if answer.status_code != 403:
                    done.append(f"{route} {headers} → {answer.status_code}")
        for route in world.routes:
            if route.method == "WS" and route.protected:
                url = route.url(call_id=world.running)
                if not await refuses_socket(world, url, cookies_of(client), "https://evil.example"):
                    done.append(str(route))
    assert not done


def missing_headers(answer: httpx.Response, path: str) -> list[str]:
    """Which protections an answer comes without."""
    policy = answer.headers.get("content-security-policy", "")
    wanted = {
        "nosniff": answer.headers.get("x-content-type-options") == "nosniff",
        "policy": "default-src 'self'" in policy and "unsafe" not in policy,
        "framing": "frame-ancestors 'none'" in policy or path == "/widget/{line}",
        "referrer": answer.headers.get("referrer-policy") == "same-origin",
        "cache": bool(answer.headers.get("cache-control")),
    }
    return [f"{path}: {name}" for name, is_so in wanted.items() if not is_so]


async def test_every_answer_carries_the_headers_that_protect_it(world: World) -> None:
    bare = []
    async with as_user(world.line, "hed", Role.ADMIN, []) as client:
        for route in world.routes:
            if route.method != "GET":
                continue
            url = route.url(call_id=THEIRS, line="acme-main", version="x", path="app.css", secret="none")
            async with client.stream("GET", url) as answer:
                bare += missing_headers(answer, route.path)
    assert not bare


async def test_so_does_the_answer_after_a_bug(tmp_path: Path) -> None:
    async with running_app(tmp_path) as line, visiting(line) as client:

        @line.app.asgi.get("/a-bug")
        def a_bug() -> None:
            raise ZeroDivisionError

        answer = await client.get("/a-bug")
        assert answer.status_code == 500
        assert "ZeroDivisionError" not in answer.text
        assert not missing_headers(answer, "/a-bug")


@pytest.mark.parametrize(
    "call_id",
    [
        "../kame",
        "..%2fkame.db",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..%5ckame",
        "%00",
        "/etc/passwd",
        ".",
    ],
)
async def test_no_recording_leads_out_of_its_folder(world: World, call_id: str) -> None:
    async with as_user(world.line, "p" + str(abs(hash(call_id))), Role.ADMIN, []) as client:
        for route in world.of(protected=True):
            if route.method == "GET" and "{call_id}/" in route.path:
                status, text = await answer_of(client, route, route.url(call_id=call_id))
                assert status in (404, 303, 307), str(route)
                assert "SQLite" not in text
                assert "root:" not in text


async def test_a_token_is_worth_what_its_user_is_and_ends_with_it(world: World) -> None:
    people, gate = world.line.app.accounts.people, gate_of_app(world.line)
    user = add_user(world.line, "robot", Role.REVIEWER, ["acme"])
    from tests.support.people import ROOT

    _, token = people.new_token(user, "nightly", ROOT, None)
    auth = {"authorization": f"Bearer {token}"}
    async with visiting(world.line) as client:
        assert (await client.get(f"/api/calls/{OURS}", headers=auth)).status_code == 200
        assert (await client.get(f"/api/calls/{THEIRS}", headers=auth)).status_code == 404
        assert (await client.post("/account/tokens", headers=auth, data={"name": "more"})).status_code == 403
        assert gate.keys.tokens(user.id)[0].used_at is not None
        disk = b"".join(path.read_bytes() for path in world.line.app.settings.data_dir.glob("kame.db*"))
        assert token.encode() not in disk
        gate.users.disable(user.id, gate.now())
        assert (await client.get("/api/calls", headers=auth)).status_code == 401
        gate.users.enable(user.id)
        people.revoke_token(user, "nightly", ROOT, None)
        assert (await client.get("/api/calls", headers=auth)).status_code == 401


async def test_what_callers_and_users_write_is_text_on_every_page(world: World) -> None:
    """Escaping, checked without a browser: no page hands on a tag that somebody said or typed."""
    tag = "<img src=x onerror=alert(1)>"
    noon = datetime(2026, 11, 6, 12, tzinfo=UTC)
    flow = world.line.app.flows.generation.by_line["acme-main"]
    world.line.app.writer.put(
        CallRow(
            id="call-xss", provider_id=tag, line=flow.line, customer="acme", from_number=tag, to_number=tag,
            flow_version=flow.content_hash, front_end=tag, oracle_mode=tag, status=CallStatus.COMPLETED,
            started_at=noon, answered_at=noon, ended_at=noon, duration_ms=2000, end_reason=tag,
        )
    )  # fmt: skip
    world.line.app.writer.put(
        TurnRow(call_id="call-xss", index=0, speaker="caller", text=f"marmalade {tag}", start_ms=0, end_ms=9)
    )
    while world.line.app.archive.calls.get("call-xss") is None:  # noqa: ASYNC110 — the writer tells nobody
        await asyncio.sleep(0.05)
    raw, shown = [], 0
    async with as_user(world.line, "xss", Role.ADMIN, []) as client:
        await client.post("/calls/call-xss/notes", data={"text": tag})
        await client.post("/sign-in", data={"name": tag})
        for route in world.of(protected=True):
            if route.method != "GET":
                continue
            for query in ("", f"?{httpx.QueryParams(q='marmalade', who=tag, line=tag, next=tag)}"):
                url = route.url(call_id="call-xss", line="acme-main") + query
                async with client.stream("GET", url) as answer:
                    if "text/html" not in answer.headers.get("content-type", ""):
                        continue
                    text = (await answer.aread()).decode()
                shown += "&lt;img src=x" in text
                if "<img src=x" in text:
                    raw.append(url)
    assert not raw
    assert shown > 1
