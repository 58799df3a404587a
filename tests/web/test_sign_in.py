"""Signing in and out: who gets in, what a stranger learns, and what a session is worth."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import pytest

from kame_voice.accounts.secrets import digest
from kame_voice.core.nouns import Role
from kame_voice.web.auth.destination import safe_destination
from tests.support.people import PASSWORD, add_user, as_user, gate_of_app, visiting
from tests.support.running_app import RunningApp, running_app

pytestmark = pytest.mark.anyio


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as line:
        yield line


def csrf_of(answer: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', answer.text)
    assert found is not None
    return found[1]


async def sign_in(
    client: httpx.AsyncClient, name: str = "rita", password: str = PASSWORD, **more: str
) -> httpx.Response:
    token = csrf_of(await client.get("/sign-in"))
    return await client.post("/sign-in", data={"csrf": token, "name": name, "password": password, **more})


async def test_the_right_password_opens_a_session_and_signing_out_ends_it(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        answer = await sign_in(client, "Rita")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        account = await client.get("/account")
        assert account.status_code == 200
        cookie = client.cookies["kame_session"]
        out = await client.post("/sign-out", data={"csrf": csrf_of(account)})
        assert out.headers["location"] == "/sign-in"
        assert "kame_session" not in client.cookies
        client.cookies.set("kame_session", cookie)
        assert (await client.get("/account")).status_code == 303


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        cookie = next(
            c for c in (await sign_in(client)).headers.get_list("set-cookie") if "kame_session" in c
        )
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_under_https_the_cookie_never_travels_in_the_clear(tmp_path: Path) -> None:
    async with (
        running_app(tmp_path, public_url="https://voice.example.com") as line,
        visiting(line) as client,
    ):
        answer = await client.get("/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert "max-age=" in answer.headers["strict-transport-security"]


async def test_only_the_hash_of_a_session_is_kept(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        await sign_in(client)
        secret = client.cookies["kame_session"]
    disk = b"".join(path.read_bytes() for path in (line.app.settings.data_dir).glob("kame.db*"))
    assert secret.encode() not in disk
    assert digest(secret).encode() in disk
    assert PASSWORD.encode() not in disk


async def test_a_session_that_somebody_planted_is_not_the_one_that_opens(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        client.cookies.set("kame_session", "planted", domain="127.0.0.1", path="/")
        await sign_in(client)
        assert client.cookies["kame_session"] != "planted"
    async with visiting(line) as attacker:
        attacker.cookies.set("kame_session", "planted")
        assert (await attacker.get("/account")).status_code == 303


async def test_signing_in_again_ends_the_session_before(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        page = await client.get("/sign-in")
        token, visit = csrf_of(page), client.cookies["kame_visit"]
        await client.post("/sign-in", data={"csrf": token, "name": "rita", "password": PASSWORD})
        first = client.cookies["kame_session"]
        client.cookies.set("kame_visit", visit, domain="127.0.0.1", path="/")
        await client.post("/sign-in", data={"csrf": token, "name": "rita", "password": PASSWORD})
        assert client.cookies["kame_session"] != first
    async with visiting(line) as client:
        client.cookies.set("kame_session", first)
        assert (await client.get("/account")).status_code == 303


async def test_an_idle_session_and_an_old_one_end(line: RunningApp) -> None:
    gate = gate_of_app(line)
    user = add_user(line)
    now = gate.now()
    for number, (age, lifetime) in enumerate(
        [(gate.idle + timedelta(seconds=1), gate.lifetime), (timedelta(hours=1), timedelta(minutes=59))]
    ):
        gate.keys.open_session(f"h{number}", user.id, now - age, lifetime, address=None, browser=None)
        assert gate.keys.user_of_session(f"h{number}", now, gate.idle) is None


async def test_a_stranger_learns_nothing_about_who_has_an_account(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    add_user(line, "invited")
    gone = add_user(line, "gone", password=PASSWORD)
    add_user(line, "root", Role.ADMIN)
    gate_of_app(line).users.disable(gone.id, gate_of_app(line).now())
    told = set()
    async with visiting(line) as client:
        for name, password in (("rita", "wrong"), ("nobody", "wrong"), ("invited", ""), ("gone", PASSWORD)):
            answer = await sign_in(client, name, password)
            assert answer.status_code == 401
            told.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(told) == 1


async def test_an_unknown_name_takes_as_long_as_a_known_one(line: RunningApp) -> None:
    user = add_user(line, password=PASSWORD)
    passwords = line.app.accounts.passwords
    kept = gate_of_app(line).users.password_of(user.name)
    assert kept is not None

    def took(hash_: str | None) -> float:
        before = perf_counter()
        assert not passwords.fits("wrong password", hash_)
        return perf_counter() - before

    took(None)
    known, unknown = ([took(hash_) for _ in range(5)] for hash_ in (kept[1], None))
    # Both compute one whole argon2 hash: a shortcut would be hundreds of times as fast.
    assert median(unknown) > median(known) / 4


async def test_trying_passwords_is_stopped_with_clear_words(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        token = csrf_of(await client.get("/sign-in"))
        form = {"csrf": token, "name": "rita", "password": "wrong"}
        codes = [(await client.post("/sign-in", data=form)).status_code for _ in range(10)]
        assert codes == [401] * 10
        answer = await client.post("/sign-in", data={**form, "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many tries. Wait" in answer.text
    assert "kame_session" not in client.cookies


async def test_one_network_cannot_try_many_names(line: RunningApp) -> None:
    async with visiting(line) as client:
        form = {"csrf": csrf_of(await client.get("/sign-in")), "password": "x"}
        codes = [
            (await client.post("/sign-in", data={**form, "name": f"u{n}"})).status_code for n in range(31)
        ]
    assert codes == [401] * 30 + [429]


@pytest.mark.parametrize("missing", ["token", "cookie", "origin"])
async def test_a_sign_in_that_another_site_sends_is_refused(line: RunningApp, missing: str) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        token = csrf_of(await client.get("/sign-in"))
        if missing == "cookie":
            client.cookies.clear()
        answer = await client.post(
            "/sign-in",
            data={"csrf": "0" * 64 if missing == "token" else token, "name": "rita", "password": PASSWORD},
            headers={"origin": "https://evil.example"} if missing == "origin" else {},
        )
    assert answer.status_code == 403
    assert "kame_session" not in client.cookies


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "/\t/evil.example", "///evil.example",
        "javascript:alert(1)", "/%0d\n//evil.example", "evil.example", "", "/" + "a" * 3000,
    ],
)  # fmt: skip
def test_after_signing_in_nobody_is_sent_to_another_site(wanted: str) -> None:
    assert safe_destination(wanted) == "/"


async def test_after_signing_in_people_are_where_they_wanted_to_be(line: RunningApp) -> None:
    add_user(line, password=PASSWORD)
    async with visiting(line) as client:
        answer = await client.get("/account?done=password")
        assert answer.headers["location"] == "/sign-in?next=%2Faccount%3Fdone%3Dpassword"
        assert 'value="/account?done=password"' in (await client.get(answer.headers["location"])).text
        answer = await sign_in(client, next="/account?done=password")
        assert answer.headers["location"] == "/account?done=password"
        assert (await client.get("/sign-in?next=//evil.example")).headers["location"] == "/"


# First start and links.


async def test_before_anybody_has_an_account_a_browser_is_told_which_link_to_open(tmp_path: Path) -> None:
    async with running_app(tmp_path, api_token="") as line, visiting(line) as client:
        page = await client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 403
    assert "Nobody can sign in yet" in page.text
    assert "kame-voice serve" in page.text


async def test_the_first_admin_comes_in_by_a_link_that_works_once(line: RunningApp) -> None:
    link = line.app.accounts.set_up_link()
    assert link is not None
    path = link.removeprefix(line.url)
    async with visiting(line) as client:
        form = await client.get(path)
        sent = {"csrf": csrf_of(form), "name": "Root", "password": PASSWORD, "again": PASSWORD}
        short = await client.post(path, data={**sent, "password": "short", "again": "short"})
        assert short.status_code == 422
        assert "shorter than 12" in short.text
        assert (await client.post(path, data=sent)).headers["location"] == "/"
        assert (await client.get("/admin/users")).status_code == 200
    async with visiting(line) as client:
        assert (await client.get(path)).status_code == 410
    assert line.app.accounts.set_up_link() is None
    assert gate_of_app(line).users.named("root").role is Role.ADMIN


async def test_a_second_set_up_link_dies_with_the_first_ones_use(line: RunningApp) -> None:
    first, second = (str(line.app.accounts.set_up_link()).removeprefix(line.url) for _ in range(2))
    async with visiting(line) as client:
        token = csrf_of(await client.get(first))
        sent = {"csrf": token, "name": "root", "password": PASSWORD, "again": PASSWORD}
        assert (await client.post(first, data=sent)).status_code == 303
    async with visiting(line) as client:
        assert (await client.get(second)).status_code == 410


async def test_an_invited_user_sets_a_password_by_link_and_an_expired_one_does_not(line: RunningApp) -> None:
    async with as_user(line, "root", Role.ADMIN) as admin:
        shown = await admin.post("/admin/users", data={"name": "mia", "role": "reviewer", "customer": "acme"})
        link = re.search(r"/welcome/[\w-]+", shown.text)
        assert link is not None
    gate = gate_of_app(line)
    mia = gate.users.named("mia")
    async with visiting(line) as client:
        token = csrf_of(await client.get(link[0]))
        sent = {"csrf": token, "password": PASSWORD, "again": PASSWORD}
        assert (await client.post(link[0], data=sent)).status_code == 303
        assert (await client.post(link[0], data=sent)).status_code == 403
    gate.users.add_link(digest("late"), mia.id, gate.now() - timedelta(days=2), gate.now() - timedelta(1))
    async with visiting(line) as client:
        assert (await client.get("/welcome/late")).status_code == 410
