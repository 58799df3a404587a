"""Each thing that can be done, tried by everybody: by page and by API, with one's own calls and another's."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from kame_voice.accounts.viewer import Via
from kame_voice.core.nouns import Role
from kame_voice.store.notes import NoteStore
from tests.support.deeds import DEEDS, NO_DEEDS, Deed, Way
from tests.support.eventually import eventually
from tests.support.house import ACME, THEIR_CALL, ZENITH, House, a_running_call, open_house
from tests.support.people import ROOT, gate_of_app, visiting
from tests.support.routes import routes_of
from tests.support.signed_in import signed_in
from tests.support.told_calls import tell_silent_call

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Person:
    """Somebody who tries: with a browser's session or a program's token, or not signed in at all."""

    name: str
    role: Role | None
    via: Via | None
    http: httpx.AsyncClient

    def may(self, deed: Deed, way: Way) -> bool:
        return (
            self.role is not None
            and self.role.includes(deed.least)
            and (self.via is Via.SESSION or not way.needs_browser)
        )


@dataclass(frozen=True)
class Trial:
    """The house, everybody who tries, and what is made new for each try."""

    house: House
    people: tuple[Person, ...]
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @contextlib.asynccontextmanager
    async def places(self, way: Way, person: Person, theirs: bool) -> AsyncIterator[dict[str, str]]:
        """What the route's parameters and what is sent are filled with; something new each time."""
        house, call = self.house, THEIR_CALL if theirs else self.house.call
        running = house.their_running if theirs else house.running
        found = {
            "call_id": call, "running_id": running, "line": (ZENITH if theirs else ACME)[0],
            "user_id": house.links["user"], "name": f"new-{next(self.numbers)}", "fresh_id": running,
        }  # fmt: skip
        notes = NoteStore(house.line.app.archive.database)
        async with contextlib.AsyncExitStack() as stack:
            if "{note_id}" in way.route:
                note = notes.add(call, "somebody", "a note", gate_of_app(house.line).now())
                found["note_id"] = str(note.id)
            if "{oracle_id}" in way.route:
                live = house.line.app.live_calls.get(running)
                assert live is not None
                found["oracle_id"] = live.whisper("We are open tomorrow.", "somebody")
            if "{fresh_id}" in way.route and not theirs and person.role not in (None, Role.REVIEWER):
                found["fresh_id"] = (await stack.enter_async_context(a_running_call(house.line))).call.id
            if "{old_id}" in way.route:
                found["old_id"] = await self._finished_call()
            if way.route.endswith("/tokens/revoke"):
                self._new_token(found, person)
            yield found

    async def _finished_call(self) -> str:
        """A finished call for somebody to delete."""
        house, call_id = self.house, f"old-{next(self.numbers)}"
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        tell_silent_call(house.line.app.writer, call_id, house.flow, house.words, an_hour_ago)
        await eventually(lambda: house.line.app.archive.calls.get(call_id))
        return call_id

    def _new_token(self, found: dict[str, str], person: Person) -> None:
        people, users = self.house.line.app.accounts.people, gate_of_app(self.house.line).users
        myself = next((user for user in users.all() if user.name == person.name), None)
        owners = {"token": users.get(found["user_id"]), "own_token": myself}
        for name, owner in owners.items():
            found[name] = f"{name}-{next(self.numbers)}"
            if owner is not None:
                people.new_token(owner, found[name], ROOT, None)


@pytest.fixture(scope="module")
async def trial(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    async with (
        open_house(tmp_path_factory.mktemp("who-may")) as house,
        visiting(house.line) as stranger,
        contextlib.AsyncExitStack() as stack,
    ):
        people = [Person("stranger", None, None, stranger)]
        for role in Role:
            http = await stack.enter_async_context(signed_in(house.line, role, name=f"{role.value}-page"))
            http.headers["accept"] = "text/html"
            people.append(Person(f"{role.value}-page", role, Via.SESSION, http))
            gate = gate_of_app(house.line)
            robot = gate.users.add(f"{role.value}-api", role, ["acme"], gate.now())
            _, token = house.line.app.accounts.people.new_token(robot, "trial", ROOT, None)
            program = httpx.AsyncClient(
                base_url=house.url, trust_env=False, headers={"authorization": f"Bearer {token}"}
            )
            people.append(Person(robot.name, role, Via.TOKEN, await stack.enter_async_context(program)))
        yield Trial(house, tuple(people))


async def tried(person: Person, way: Way, places: dict[str, str]) -> int:
    """The status that this person gets for it."""
    address = way.route.format_map(places) + way.query.format_map(places)
    if way.method == "WS":
        return await _listened(person, address)
    sent: Any = json.loads(_filled(json.dumps(way.sent), places))
    body = {} if way.method == "GET" else {"json" if way.is_of_api else "data": sent}
    async with person.http.stream(way.method, address, **body) as answer:  # a stream of events has no end
        return answer.status_code


def _filled(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace("{" + name + "}", value)
    return text


async def _listened(person: Person, address: str) -> int:
    headers = {name: person.http.headers[name] for name in ("authorization",) if name in person.http.headers}
    if person.http.cookies:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    url = str(person.http.base_url).replace("http", "ws", 1).rstrip("/") + address
    try:
        async with connect(url, additional_headers=headers, proxy=None):
            return 200
    except InvalidStatus as refused:
        return refused.response.status_code


def refusal(person: Person, way: Way) -> set[int]:
    """How somebody who may not is told so: a browser's stranger is led to the door."""
    if way.method == "WS":
        return {403}
    if person.role is None:
        return {401} if way.is_of_api else {303, 401}
    return {403}


async def test_every_route_that_changes_something_is_tried(trial: Trial) -> None:
    named = {"running_id": "call_id", "fresh_id": "call_id", "old_id": "call_id"}
    tried_here = {(way.method, way.route.format_map(Renamed(named))) for deed in DEEDS for way in deed.ways}
    forgotten = [
        f"{route} is tried by nobody: add it to DEEDS in tests/support/deeds.py with who may, "
        "or to NO_DEEDS with the reason"
        for route in routes_of(trial.house.line.app.asgi)
        if route.protected
        and (route.changes or route.method == "WS")
        and (route.method, route.path) not in tried_here
        and route.path not in NO_DEEDS
    ]
    assert not forgotten, "\n".join(forgotten)


class Renamed(dict[str, str]):
    """For `format_map`: parameters as they are, but for some."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"

    def __getitem__(self, name: str) -> str:
        return "{" + self.get(name, name) + "}"


@pytest.mark.parametrize("deed", DEEDS, ids=str)
async def test_who_may_does_it_and_nobody_else(trial: Trial, deed: Deed) -> None:
    wrong, doers, began = [], set(), gate_of_app(trial.house.line).now()
    for way in deed.ways:
        for person in trial.people:
            async with trial.places(way, person, theirs=False) as places:
                status = await tried(person, way, places)
            wanted = {way.status} if person.may(deed, way) else refusal(person, way)
            if person.may(deed, way):
                doers.add(person.name)
            if status not in wanted:
                wrong.append(f"{way} by {person.name} → {status}, not {sorted(wanted)}")
    assert not wrong, "\n".join(wrong)
    if deed.noted is not None:
        everybody = {person.name for person in trial.people}
        log, noted = trial.house.line.app.archive.audit, deed.noted.value

        def written_down() -> bool:
            names = {
                entry.who for entry in log.page(action=noted, since=began, limit=500).entries
            } & everybody
            assert names <= doers, f"{noted} by {names - doers}"
            return names == doers

        await eventually(written_down)


ABOUT_CALLS = [
    deed for deed in DEEDS
    if any(name in way.route + way.query for way in deed.ways for name in ("_id}", "{line}"))
    and deed.least is not Role.ADMIN
]  # fmt: skip


@pytest.mark.parametrize("deed", ABOUT_CALLS, ids=str)
async def test_nobody_does_it_to_another_customer_s_calls_and_lines(trial: Trial, deed: Deed) -> None:
    """An admin sees every customer; to everybody else there is no such call."""
    wrong = []
    for way in deed.ways:
        for person in trial.people:
            if person.role is Role.ADMIN:
                continue
            async with trial.places(way, person, theirs=True) as places:
                status = await tried(person, way, places)
            wanted = {404, 403} if way.method == "WS" else {404}
            if not person.may(deed, way):
                wanted = refusal(person, way)
            if status not in wanted:
                wrong.append(f"{way} by {person.name} → {status}, not {sorted(wanted)}")
    assert not wrong, "\n".join(wrong)
    theirs = trial.house.line.app.archive.calls.get(THEIR_CALL)
    assert theirs is not None
    assert (theirs.tags, theirs.disposition) == (["price"], None)
    notes = NoteStore(trial.house.line.app.archive.database).of(THEIR_CALL)
    assert {note.author for note in notes} <= {"rita", "somebody"}
    assert trial.house.line.app.live_calls.get(trial.house.their_running) is not None


async def test_a_token_that_is_gone_is_told_as_gone(trial: Trial) -> None:
    """As by the second of two admins who revoke it."""
    [admin] = [person for person in trial.people if person.name == "admin-page"]
    for address in (f"/admin/users/{trial.house.links['user']}/tokens/revoke", "/account/tokens/revoke"):
        assert (await admin.http.post(address, data={"name": "gone"})).status_code == 404
