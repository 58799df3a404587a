"""Who is let in from a browser: checked for every call, before a slot is taken for it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Collection
from typing import Final, Protocol

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
    "CallsOfTheDay",
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


class CallsOfTheDay(Protocol):
    """A line's calls of the public in the last 24 hours, by their record, so that a restart forgets none."""

    def __call__(self, line: str, besides: Collection[str]) -> Awaitable[int]:
        """All but the calls `besides`, by their provider ids."""
        ...


class BrowserDoor:
    """`admit` a call, and tell when it is `over`; `check` whether one would be admitted.

    The hour's calls of an address are kept in memory only. A call takes its place among those of the hour and
    of the day before anything is waited for, so that of offers that come together no more get in than may.
    """

    def __init__(self, flows: FlowDirectory, passes: WidgetPasses, calls_of_the_day: CallsOfTheDay) -> None:
        self._flows = flows
        self._passes = passes
        self._calls_of_the_day = calls_of_the_day
        self._hour = MovingWindowRateLimiter(MemoryStorage())
        self._entering: Counter[tuple[str, str]] = Counter()
        self._inside: dict[str, str] = {}

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
        self._check_hour(flow, home_of(address))
        await self._check_day(flow, self._inside_on(flow))

    @contextlib.asynccontextmanager
    async def admit(
        self, flow: Flow, *, call: str, address: str, staff: bool, widget_pass: str | None = None
    ) -> AsyncIterator[None]:
        """The body takes a slot for `call` (its provider id) and answers it. Raises as `check` does.

        A body that fails gives the call's place back; else the call counts, and `over` must be told.
        """
        if staff:
            yield
            return
        self._may_call(flow, widget_pass)
        home = home_of(address)
        self._check_hour(flow, home)
        before = self._inside_on(flow)
        self._entering[flow.line, home] += 1
        self._inside[call] = flow.line
        try:
            await self._check_day(flow, before)
            yield
        except BaseException:
            self.over(call)
            raise
        else:
            self._hour.hit(_per_hour(flow), flow.line, home)
        finally:
            self._entering[flow.line, home] -= 1
            if not self._entering[flow.line, home]:
                del self._entering[flow.line, home]

    def over(self, call: str) -> None:
        """From now on the record alone tells of `call`, if it was one. Does nothing for staff's."""
        self._inside.pop(call, None)

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

    def _inside_on(self, flow: Flow) -> tuple[str, ...]:
        """The calls that the record may not have yet."""
        return tuple(call for call, line in self._inside.items() if line == flow.line)

    def _check_hour(self, flow: Flow, home: str) -> None:
        cost = 1 + self._entering[flow.line, home]
        if not self._hour.test(_per_hour(flow), flow.line, home, cost=cost):
            raise TooManyCalls(
                "too many calls from your network in the last hour", do="try again in an hour, or phone us"
            )

    async def _check_day(self, flow: Flow, inside: Collection[str]) -> None:
        on_record = await self._calls_of_the_day(flow.line, inside)
        if on_record + len(inside) >= flow.browser.max_calls_per_day:
            raise DailyLimit("no more calls from the web today", do="try again tomorrow, or phone us")

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
