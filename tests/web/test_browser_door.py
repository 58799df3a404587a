"""Who is let in from a browser, and what the others are told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection
from pathlib import Path

import pytest

from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.directory import FlowDirectory
from kame_voice.web.browser_door import (
    BrowserDoor,
    BrowserRefused,
    ClosedToBrowsers,
    DailyLimit,
    ForeignSite,
    TooManyCalls,
    UnknownLine,
)
from kame_voice.web.widget_pass import PASS_FOR_S, WidgetPasses
from tests.support.running_app import flow_text

pytestmark = pytest.mark.anyio

SITE = "https://www.acme.example"
OPEN = "browser: {talk: true, max_calls_per_hour: 2, max_calls_per_day: 5}\n"
BUTTON = f"browser: {{widget: true, origins: ['{SITE}']}}\n"


class Setting:
    """A door to one line with the given `browser:` section, and what it looks at."""

    def __init__(self, folder: Path, section: str) -> None:
        (folder / "acme.yaml").write_text(flow_text(more=section))
        self.now = 1000.0
        self.today = 0
        self.on_record: list[str] = []
        self._calls = itertools.count(1)
        self.passes = WidgetPasses(lambda: self.now)
        self.flows = FlowDirectory(folder, Telemetry())
        self.door = BrowserDoor(self.flows, self.passes, self._calls_of_the_day)

    async def _calls_of_the_day(self, line: str, besides: Collection[str]) -> int:
        assert line == "acme-main"
        await asyncio.sleep(0)
        return self.today + len(set(self.on_record) - set(besides))

    async def call(self, address: str = "192.0.2.1", *, staff: bool = False, given: str | None = None) -> str:
        flow, call = self.door.line("acme-main"), f"call {next(self._calls)}"
        async with self.door.admit(flow, call=call, address=address, staff=staff, widget_pass=given):
            await asyncio.sleep(0)
        return call

    async def together(self, *addresses: str) -> list[str]:
        """Which of these addresses, calling all at once, get in."""
        results = await asyncio.gather(*map(self.call, addresses), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, BrowserRefused):
                raise result
        return [one for one, result in zip(addresses, results, strict=True) if isinstance(result, str)]


async def test_a_line_that_is_not_opened_takes_its_own_people_only(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "")
    with pytest.raises(ClosedToBrowsers):
        await setting.call()
    for _ in range(30):
        await setting.call(staff=True)


async def test_a_line_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownLine, match="no line 'nowhere'"):
        Setting(tmp_path, OPEN).door.line("nowhere")


async def test_one_network_may_call_so_often_in_an_hour(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    for _ in range(2):
        await setting.call("192.0.2.1")
    for same in ("192.0.2.1", "::ffff:192.0.2.1"):
        with pytest.raises(TooManyCalls):
            await setting.call(same)
    await setting.call("192.0.2.2")


async def test_a_home_with_ipv6_is_one_network(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    await setting.call("2001:db8:1:1::1")
    await setting.call("2001:db8:1:1:ffff::2")
    with pytest.raises(TooManyCalls):
        await setting.call("2001:db8:1:1::3")
    await setting.call("2001:db8:1:2::1")


async def test_who_only_asks_is_not_counted(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    for _ in range(10):
        await setting.door.check(setting.door.line("acme-main"), address="192.0.2.1", staff=False)
    await setting.call()


async def test_a_call_that_got_no_slot_does_not_count(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    flow = setting.door.line("acme-main")
    for number in range(10):
        with pytest.raises(LookupError):
            async with setting.door.admit(flow, call=f"no slot {number}", address="192.0.2.1", staff=False):
                raise LookupError
    assert await setting.together("192.0.2.1", "192.0.2.1") == ["192.0.2.1", "192.0.2.1"]


async def test_of_offers_that_come_together_no_more_get_in_than_in_an_hour_may(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    assert len(await setting.together(*["192.0.2.1"] * 6)) == 2
    with pytest.raises(TooManyCalls):
        await setting.call("192.0.2.1")
    assert len(await setting.together("192.0.2.2", "192.0.2.3")) == 2


async def test_of_offers_that_come_together_no_more_get_in_than_on_a_day_may(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    setting.today = 3
    callers = [f"192.0.2.{number}" for number in range(1, 7)]
    assert await setting.together(*callers) == callers[:2], "who comes first gets in"
    with pytest.raises(DailyLimit):
        await setting.call("192.0.2.9")


async def test_a_call_that_is_on_record_already_counts_once(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    setting.today = 3
    setting.on_record.append(await setting.call("192.0.2.1"))
    setting.on_record.append(await setting.call("192.0.2.2"))
    for call in setting.on_record:
        setting.door.over(call)
    with pytest.raises(DailyLimit):
        await setting.call("192.0.2.3")


async def test_a_call_that_never_began_to_talk_gives_its_place_of_the_day_back(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    setting.today = 4
    call = await setting.call("192.0.2.1")
    with pytest.raises(DailyLimit):
        await setting.call("192.0.2.2")
    setting.door.over(call)
    await setting.call("192.0.2.2")


async def test_a_line_takes_so_many_calls_of_the_public_a_day(tmp_path: Path) -> None:
    setting = Setting(tmp_path, OPEN)
    setting.today = 5
    with pytest.raises(DailyLimit):
        await setting.call()
    await setting.call(staff=True)


async def test_a_visitor_of_a_named_site_may_call_by_its_button(tmp_path: Path) -> None:
    setting = Setting(tmp_path, BUTTON)
    flow = setting.door.line("acme-main")
    given = setting.passes.issue("acme-main", setting.door.site(flow, SITE))
    await setting.call(given=given)
    with pytest.raises(ClosedToBrowsers):
        await setting.call(given=None)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://www.acme.example", "null", None])
async def test_a_button_on_another_site_is_refused(tmp_path: Path, origin: str | None) -> None:
    setting = Setting(tmp_path, BUTTON)
    with pytest.raises(ForeignSite, match=origin or "unnamed"):
        setting.door.site(setting.door.line("acme-main"), origin)


@pytest.mark.parametrize(
    "spoil", ["other line", "too old", "forged", "other key", "nonsense", "site taken out"]
)
async def test_a_pass_that_is_not_good_lets_nobody_in(tmp_path: Path, spoil: str) -> None:
    setting = Setting(tmp_path, BUTTON)
    given = setting.passes.issue("acme-main", SITE)
    match spoil:
        case "other line":
            given = setting.passes.issue("other", SITE)
        case "too old":
            setting.now += PASS_FOR_S
        case "forged":
            given = given[:-8] + "AAAA" + given[-4:]
        case "other key":
            given = WidgetPasses(lambda: setting.now).issue("acme-main", SITE)
        case "nonsense":
            given = "é%"
        case _:
            (tmp_path / "acme.yaml").write_text(flow_text(more=BUTTON.replace("www.acme", "shop.acme")))
            setting.flows.reload()
    with pytest.raises(BrowserRefused):
        await setting.call(given=given)
