"""The list of calls, on the page and in the API."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from kame_voice.store.notes import Disposition
from kame_voice.store.rows import CallStatus
from tests.web.review.conftest import NOON, Office, Person

pytestmark = pytest.mark.anyio


def ids(page: str) -> list[str]:
    return re.findall(r'id="call-([^"]+)"', page)


async def test_the_newest_comes_first_with_flags_and_first_words(office: Office, ana: Person) -> None:
    office.put_call("c1", "How much is a puncture repair?", "Twelve euros.", response_gap_ms=(1250,))
    office.put_event("c2", 0, "barge-in")
    office.put_call("c2", "Hello?", started_at=NOON + timedelta(hours=1), status=CallStatus.DROPPED)
    page = await ana.sees("/calls")
    assert ids(page) == ["c2", "c1"]
    for words in ("How much is a puncture repair?", "1.25 s", "dropped", "1 barge-in", "1 failed"):
        assert words in page


async def test_every_filter_is_in_the_address_and_works_in_the_api_too(office: Office, ana: Person) -> None:
    office.put_call("c1", "refund please", from_number="+12025550142")
    office.put_call("c2", "hello", line="acme-shop", started_at=NOON + timedelta(days=2))
    office.put_call("c3", "hello", status=CallStatus.FAILED, started_at=NOON + timedelta(days=4))
    office.parts.notes.tag("c2", ["billing"])
    office.parts.notes.dispose("c3", Disposition.SPAM)
    expected = {
        "line=acme-shop": ["c2"],
        "customer=acme": ["c3", "c2", "c1"],
        "status=failed": ["c3"],
        "flag=failure": ["c3"],
        "since=2026-11-06": ["c3", "c2"],
        "until=2026-11-07": ["c2", "c1"],
        "since=2026-11-07&until=2026-11-07": ["c2"],
        "caller=50142": ["c1"],
        "tag=%23Billing": ["c2"],
        "disposition=spam": ["c3"],
        "text=refunds": ["c1"],
        "text=hello&status=failed": ["c3"],
        "line=&status=&text=": ["c3", "c2", "c1"],
    }
    pages = {query: ids(await ana.sees(f"/calls?{query}")) for query in expected}
    api = {query: [c["id"] for c in (await ana.json(f"/api/calls?{query}"))["calls"]] for query in expected}
    assert pages == expected
    assert api == expected


async def test_pages_lead_to_older_calls_and_back(office: Office, ana: Person) -> None:
    for number in range(53):
        office.put_call(f"c{number:02}", started_at=NOON + timedelta(minutes=number))
    page = await ana.sees("/calls?line=acme-main")
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert len(ids(page)) == 50
    assert older is not None
    page = await ana.sees(older[1].replace("&amp;", "&"))
    assert ids(page) == ["c02", "c01", "c00"]
    assert 'href="/calls?line=acme-main">Newest' in page
    assert "hx-trigger" not in page  # only the newest page changes by itself


async def test_found_words_are_marked_and_lead_to_their_moment(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello", "hello", "I want a <b>refund</b>")
    page = await ana.sees("/calls?text=refund")
    assert "I want a &lt;b&gt;<mark>refund</mark>&lt;/b&gt;" in page
    assert 'href="/calls/c1?text=refund#t=2.0"' in page
    assert "<mark>refund</mark>" in await ana.sees("/calls/c1?text=refund")
    assert ("ana", "call.search", None) in office.audited()


async def test_a_search_that_makes_no_sense_is_told_on_the_page_and_refused_by_the_api(ana: Person) -> None:
    assert "add one that must" in await ana.sees("/calls?text=-hello")
    assert (await ana.http.get("/api/calls?text=-hello")).status_code == 400
    assert (await ana.http.get("/calls?status=nonsense")).status_code == 422
    assert "cursor" in await ana.sees("/calls?before=nonsense")


async def test_nobody_sees_another_customers_calls(office: Office, ana: Person, ben: Person) -> None:
    office.put_call("c1", "secret words", from_number="+12025550142")
    for query in ("", "?text=secret", "?customer=acme", "?line=acme-main", "?caller=50142"):
        assert ids(await ben.sees(f"/calls{query}")) == []
        assert (await ben.json(f"/api/calls{query}"))["calls"] == []
        assert "c1" not in (await ben.http.get(f"/api/calls.csv{query}")).text
        assert ids(await ben.sees(f"/calls/rows{query}")) == []
    assert "acme" not in await ben.sees("/calls")  # nor is the line offered to choose
    assert ids(await ana.sees("/calls")) == ["c1"]


async def test_the_rows_refresh_themselves_with_the_same_filters(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    page = await ana.sees("/calls?line=acme-main")
    poll = re.search(r'hx-get="(/calls/rows[?]line=acme-main&amp;seen=[^"]+)"', page)
    assert poll is not None
    address = poll[1].replace("&amp;", "&")
    assert (await ana.http.get(address)).status_code == 204  # nothing new
    office.put_call("c2", "new", started_at=NOON + timedelta(hours=1))
    rows = await ana.sees(address)
    assert rows.lstrip().startswith("<tbody")
    assert ids(rows) == ["c2", "c1"]


async def test_a_list_is_taken_away_as_csv_whole(office: Office, ana: Person) -> None:
    for number in range(3):
        office.put_call(f"c{number}", "=HYPERLINK(1)", started_at=NOON + timedelta(minutes=number))
    answer = await ana.http.get("/api/calls.csv?line=acme-main")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == ["c2", "c1", "c0"]
    assert rows[0]["opening"] == "'=HYPERLINK(1)"
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    assert ("ana", "call.export", None) in office.audited()
