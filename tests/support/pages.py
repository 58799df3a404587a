"""Every page of the application, with addresses to open it at: what tests of all pages walk.

The list is compared with the app's own route table, so that no page can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI

from kame_voice.core.nouns import Role
from tests.support.house import SITE, House
from tests.support.routes import routes_of

__all__ = ["ERRORS", "NOT_PAGES", "PAGES", "Page", "errors_of", "forgotten", "pages_of"]


@dataclass(frozen=True, slots=True)
class _Sample:
    """`least`: the role that it takes, None where strangers see it too. `addresses` are filled by
    `House.places`. `referer`: the page that it is opened from, where that matters."""

    least: Role | None
    addresses: tuple[str, ...]
    referer: str | None = None
    strangers_only: bool = False


def _for(
    least: Role | None, *addresses: str, referer: str | None = None, strangers_only: bool = False
) -> _Sample:
    return _Sample(least, addresses, referer, strangers_only)


PAGES: Final[Mapping[str, _Sample]] = MappingProxyType(
    {
        "/": _for(Role.REVIEWER, "/", "/?from=2020-01-01&to=2020-01-02", "/?line={line}"),
        "/calls": _for(
            Role.REVIEWER, "/calls", "/calls?text=bikes", "/calls?flag=failure&line=none", "/calls?text=%22"
        ),
        "/calls/{call_id}": _for(
            Role.REVIEWER, "/calls/{call}", "/calls/{call}?text=twelve", "/calls/{silent}", "/calls/{running}"
        ),
        "/calls/{call_id}/flow": _for(Role.REVIEWER, "/calls/{call}/flow"),
        "/live": _for(Role.REVIEWER, "/live"),
        "/live/{call_id}": _for(Role.REVIEWER, "/live/{running}"),
        "/unknown": _for(Role.REVIEWER, "/unknown", "/unknown?line=none"),
        "/unknown/draft": _for(
            Role.REVIEWER,
            "/unknown/draft?line={line}&questions=Can+I+bring+my+dog%3F",
            "/unknown/draft?line={line}&questions=Are+dogs+welcome%3F&id=dogs&answer=Yes%2C+on+a+lead.",
            "/unknown/draft?line={line}&questions=&id=Not+a+name&answer=",
        ),
        "/lines": _for(Role.REVIEWER, "/lines"),
        "/lines/{line}": _for(Role.REVIEWER, "/lines/{line}"),
        "/lines/{line}/ask": _for(
            Role.REVIEWER, "/lines/{line}/ask?question=Do+you+rent+bikes%3F", "/lines/{line}/ask"
        ),
        "/account": _for(Role.REVIEWER, "/account"),
        "/admin/users": _for(Role.ADMIN, "/admin/users"),
        "/admin/users/{user_id}": _for(Role.ADMIN, "/admin/users/{user}"),
        "/admin/audit": _for(Role.ADMIN, "/admin/audit", "/admin/audit?who=nobody"),
        "/talk": _for(None, "/talk"),
        "/talk/{line}": _for(None, "/talk/{line}"),
        "/widget/{line}": _for(None, "/widget/{line}", referer=f"{SITE}/"),
        "/sign-in": _for(None, "/sign-in", "/sign-in?next=%2Fcalls", strangers_only=True),
        "/welcome/{secret}": _for(None, "/welcome/{link}"),
    }
)  # fmt: skip
"""By path of the route table."""

ERRORS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "/there-is-no-such-page": 404,
        "/calls/none": 404,
        "/live/none": 404,
        "/lines/none": 404,
        "/talk/none": 404,
        "/widget/{line}": 403,
        "/welcome/spent": 410,
        "/calls?status=none": 422,
        "/calls/{call}/notes": 405,
    }
)
"""Pages that tell what is wrong, with their status; for who is signed in."""

NOT_PAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/openapi.json": "the API's description, for programs",
        "/static/{version}/{path:path}": "files that pages load",
        "/widget.js": "a script for other sites",
        "/health/live": "for load balancers",
        "/health/ready": "for load balancers",
        "/metrics": "for Prometheus",
        "/calls/rows": "rows of /calls, which its script puts in",
        "/admin": "leads on to /admin/users",
        "/dashboard": "leads on to /",
    }
)
"""Other addresses outside the API that are read, each with the reason why nobody looks at it as a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """One address of one page. `least`: the role that it takes, None where everybody sees it."""

    path: str
    address: str
    least: Role | None
    referer: str | None
    strangers_only: bool
    status: int = 200

    def opens_for(self, role: Role) -> bool:
        """Whether somebody of this role may open it."""
        return self.least is None or role.includes(self.least)

    def __str__(self) -> str:
        return self.address


def pages_of(house: House, *, first_only: bool = False) -> list[Page]:
    """Every address of every page, or only each page's first."""
    return [
        Page(path, address.format_map(house.places), sample.least, sample.referer, sample.strangers_only)
        for path, sample in PAGES.items()
        for address in sample.addresses[: 1 if first_only else None]
    ]


def errors_of(house: House) -> list[Page]:
    """Pages that tell what is wrong."""
    return [
        Page(address, address.format_map(house.places), None, None, False, status)
        for address, status in ERRORS.items()
    ]


def forgotten(app: FastAPI) -> list[str]:
    """What is wrong with the list, as sentences that say what to do."""
    read = {
        route.path for route in routes_of(app) if route.method == "GET" and not route.path.startswith("/api/")
    }
    here = "tests/support/pages.py"
    return [
        *(
            f"GET {path} is not in {here}: add it to PAGES with addresses to open it at and the role that it "
            "takes, or to NOT_PAGES with the reason why it is no page"
            for path in sorted(read - PAGES.keys() - NOT_PAGES.keys())
        ),
        *(
            f"{path} of {here} is no route any more: take it out"
            for path in sorted((PAGES.keys() | NOT_PAGES.keys()) - read)
        ),
        *(f"{path} stands in both PAGES and NOT_PAGES of {here}" for path in PAGES.keys() & NOT_PAGES.keys()),
    ]
