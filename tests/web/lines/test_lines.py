"""The pages of lines: the flow as it stands, what is wrong with it, what it was, and what it would answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kame_voice.caller.scripts import stay
from kame_voice.core.nouns import Role
from tests.support.eventually import eventually
from tests.support.running_app import RunningApp, flow_text, running_app
from tests.support.signed_in import signed_in

pytestmark = pytest.mark.anyio

OTHER = flow_text("other-main", "+15550177").replace("customer: acme", "customer: other")


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, flow_text(), OTHER, front_end="spoken") as line:
        yield line


def flow_file(line: RunningApp, number: int = 0) -> Path:
    return line.app.flows.folder / f"line-{number}.yaml"


async def test_a_reviewer_sees_their_customer_s_lines_and_no_other(line: RunningApp) -> None:
    async with signed_in(line) as mine:
        assert [one["line"] for one in (await mine.get("/api/lines")).json()] == ["acme-main"]
        text = (await mine.get("/lines")).text
        assert "acme-main" in text
        assert "other-main" not in text
        for path in ("/lines/other-main", "/api/lines/other-main", "/lines/other-main/ask?question=hi"):
            assert (await mine.get(path)).status_code == 404
        assert (await mine.get("/lines/nobody-has-this")).status_code == 404


async def test_the_page_shows_the_file_as_it_is_written(line: RunningApp) -> None:
    async with signed_in(line) as mine:
        text = (await mine.get("/lines/acme-main")).text
    assert "line-0.yaml" in text
    assert "A puncture repair costs twelve euros" in text
    assert "in order" in text


async def test_a_broken_edit_is_told_with_its_line_while_the_old_flow_stays(line: RunningApp) -> None:
    path = flow_file(line)
    whole = path.read_text()
    path.write_text(whole.replace("greeting:", "greetin:"))
    line.app.flows.reload()
    async with signed_in(line) as mine, signed_in(line, customers=("other",)) as other:
        told = (await mine.get("/api/lines/acme-main")).json()
        page = (await mine.get("/lines/acme-main")).text
        theirs = (await other.get("/lines/other-main")).text
    where = whole.splitlines().index("greeting: Acme Bicycles, how can I help?") + 1
    assert (where, "greetin") in [(one["line"], one["path"]) for one in told["mistakes"]]
    assert told["flow"]["greeting"].startswith("Acme Bicycles"), "the flow in force"
    assert f'href="#L{where}"' in page
    assert "did you mean greeting?" in page
    assert "greetin:" not in theirs


async def test_a_new_file_s_mistakes_are_for_who_sees_every_customer(line: RunningApp) -> None:
    (line.app.flows.folder / "new.yaml").write_text("version: 1\nsecret-plan: yes\n")
    line.app.flows.reload()
    async with signed_in(line) as mine, signed_in(line, Role.ADMIN, (), "ada") as admin:
        assert "secret-plan" not in (await mine.get("/lines")).text
        assert "secret-plan" in (await admin.get("/lines")).text


async def test_a_question_can_be_tried(line: RunningApp) -> None:
    async with signed_in(line) as mine:
        told = (await mine.get("/api/lines/acme-main/ask?question=How much is a flat tyre?")).json()
        part = await mine.get(
            "/lines/acme-main/ask?question=who won the world cup", headers={"HX-Request": "true"}
        )
        nothing = await mine.get("/api/lines/acme-main/ask?question=%20")
    assert told["facts"] == ["puncture"]
    assert "twelve euros" in told["answer"]
    assert max(told["scores"], key=told["scores"].get) == "puncture"
    assert "<html" not in part.text
    assert "says that it does not know" in part.text
    assert nothing.status_code == 422


async def test_what_is_asked_stays_text(line: RunningApp) -> None:
    async with signed_in(line) as mine:
        page = await mine.get("/lines/acme-main/ask", params={"question": "<script>alert(1)</script>"})
    assert "<script>alert" not in page.text


async def test_generations_are_listed_with_their_calls_and_changes(line: RunningApp) -> None:
    await line.caller().call(line.identity(), stay(300))
    await line.app.desk.idle()
    flow_file(line).write_text(flow_text().replace("twelve euros", "fifteen euros"))
    line.app.flows.reload()
    await line.caller().call(line.identity(), stay(300))
    await eventually(lambda: len(line.app.archive.calls.list().calls) == 2)
    async with signed_in(line) as mine:
        told = (await mine.get("/api/lines/acme-main")).json()
        page = (await mine.get("/lines/acme-main")).text
    assert [one["calls"] for one in told["generations"]] == [1, 1]
    assert told["generations"][0]["version"] == told["version"]
    assert "+ " in page
    assert "fifteen euros" in page
    assert "twelve euros" in page, "what it was before"


async def test_a_line_test_says_that_nothing_answers(tmp_path: Path) -> None:
    async with running_app(tmp_path) as line, signed_in(line) as mine:
        assert (await mine.get("/api/lines/acme-main/ask?question=hello")).status_code == 409
        assert "line test" in (await mine.get("/lines/acme-main")).text
