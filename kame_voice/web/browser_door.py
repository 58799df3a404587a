"""Who is let in from a browser: checked for every call, before a slot is taken for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kame_voice.core.addresses import home_of
from kame_voice.core.errors import KameError
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.schema import Flow
from kame_voice.web.widget_pass import WidgetPasses

__all__ = [
    "PUBLIC_CALLER",
    "STAFF_CALLER",
    "BrowserDoor",
    "BrowserRefused",
    "ClosedToBrowsers",
    "DailyLimit",
    "ForeignSite",
    "TooManyCalls",
    "UnknownLine",
]

PUBLIC_CALLER: Final = "browser:"
"""What the number of a caller from the public begins with, in the record; the network address follows."""
STAFF_CALLER: Final = "staff:"
"""The same for somebody signed in; their name follows."""


class BrowserRefused(KameError):
    """A call from a browser that is not taken; `status` is the HTTP status of the answer."""

    code = "browser-refused"
    status = 403


class UnknownLine(BrowserRefused):
    """No flow has this name."""

    code = "unknown-line"
    status = 404


class ClosedToBrowsers(BrowserRefused):
    """The line's flow does not let this caller in from a browser."""

    code = "closed-to-browsers"


class ForeignSite(BrowserRefused):
    """The call button stands on a site that the line's flow does not name."""

    code = "foreign-site"


class TooManyCalls(BrowserRefused):
    """One network address called too often within an hour."""

    code = "too-many-calls"
    status = 429


class DailyLimit(BrowserRefused):
    """The line's calls of the public in 24 hours are used up."""

    code = "daily-limit"
    status = 429


class BrowserDoor:
    """`check` before a call, `count` once it has its slot.

    `calls_of_the_day` counts a line's calls of the public in the last 24 hours from their record, so
    that a restart forgets none. The hour's calls of an address are kept in memory only.
    """

    def __init__(
        self,
        flows: FlowDirectory,
        passes: WidgetPasses,
        calls_of_the_day: Callable[[str], Awaitable[int]],
    ) -> None:
        self._flows = flows
        self._passes = passes
        self._calls_of_the_day = calls_of_the_day
        self._hour = MovingWindowRateLimiter(MemoryStorage())

    def line(self, name: str) -> Flow:
        """The flow of the line called `name`. Raises UnknownLine."""
        flow = self._flows.line(name)
        if flow is None:
            raise UnknownLine(f"there is no line {name!r}", do="choose one at /talk")
        return flow

    async def check(self, flow: Flow, *, address: str, staff: bool, widget_pass: str | None = None) -> None:
        """Return where this caller may be let in now. Raises a BrowserRefused.

        `staff`: somebody signed in who may see the line. `widget_pass`: given to the frame of a call button.
        """
        if staff:
            return
        self._may_call(flow, widget_pass)
        if not self._hour.test(_per_hour(flow), flow.line, home_of(address)):
            raise TooManyCalls(
                "too many calls from your network in the last hour", do="try again in an hour, or phone us"
            )
        if await self._calls_of_the_day(flow.line) >= flow.browser.max_calls_per_day:
            raise DailyLimit("no more calls from the web today", do="try again tomorrow, or phone us")

    def count(self, flow: Flow, *, address: str) -> None:
        """A caller who is not staff got a slot."""
        self._hour.hit(_per_hour(flow), flow.line, home_of(address))

    def site(self, flow: Flow, origin: str | None) -> str:
        """The site on which a call button of `flow` may stand. Raises ClosedToBrowsers or ForeignSite.

        `origin`: as the browser names the page around the button, None where it does not.
        """
        if not flow.browser.widget:
            raise ClosedToBrowsers(
                f"the line {flow.line} has no call button", do="its flow opens it with browser.widget"
            )
        if origin is None or origin.lower() not in flow.browser.origins:
            raise ForeignSite(
                f"the line {flow.line} may not be called from {origin or 'an unnamed site'}",
                do="its flow names the sites in browser.origins",
            )
        return origin.lower()

    def _may_call(self, flow: Flow, widget_pass: str | None) -> None:
        if widget_pass is not None:
            origin = self._passes.origin(flow.line, widget_pass)
            if origin is None:
                raise ForeignSite("this page has been open for too long", do="reload it and call again")
            self.site(flow, origin)
        elif not flow.browser.talk:
            raise ClosedToBrowsers(
                f"the line {flow.line} takes no calls from this page", do="sign in, or phone us"
            )


def _per_hour(flow: Flow) -> RateLimitItemPerHour:
    return RateLimitItemPerHour(flow.browser.max_calls_per_hour)
