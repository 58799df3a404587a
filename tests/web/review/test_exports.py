"""Taking a call away: transcripts, sound by range, outline."""

from __future__ import annotations

import io
import json

import av
import pytest

from tests.web.review.conftest import Office, Person

pytestmark = pytest.mark.anyio


async def test_a_transcript_comes_in_three_forms_each_as_a_file(office: Office, ana: Person) -> None:
    office.put_call("c1", "Are you open?", "Yes.")
    forms = {"txt": "[00:00:00.000] Caller: Are you open?", "vtt": "<v Caller>Are you open?</v>"}
    for form, words in forms.items():
        answer = await ana.http.get(f"/api/calls/c1/transcript.{form}")
        assert words in answer.text
        assert answer.headers["content-disposition"] == f'attachment; filename="c1.{form}"'
    whole = await ana.http.get("/api/calls/c1/transcript.json")
    assert json.loads(whole.text)["turns"][0]["text"] == "Are you open?"
    assert [action for _, action, _ in office.audited()] == ["call.export"] * 3


async def test_a_recording_is_played_by_ranges_and_that_is_one_listening(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    size = office.record("c1").stat().st_size
    begin = await ana.http.get("/api/calls/c1/recording", headers={"Range": "bytes=0-"})
    later = await ana.http.get("/api/calls/c1/recording", headers={"Range": "bytes=1000-1099"})
    assert (begin.status_code, len(begin.content)) == (206, size)
    assert (later.status_code, len(later.content)) == (206, 100)
    assert later.headers["content-range"] == f"bytes 1000-1099/{size}"
    assert [action for _, action, _ in office.audited()] == ["call.listen"]


async def test_a_recording_is_taken_away_as_wav_or_opus(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    path = office.record("c1", 11.0)
    wav = await ana.http.get("/api/calls/c1/recording.wav")
    assert wav.content == path.read_bytes()
    opus = await ana.http.get("/api/calls/c1/recording.opus")
    with av.open(io.BytesIO(opus.content)) as container:
        assert container.streams.audio[0].channels == 2
        assert sum(frame.samples for frame in container.decode(audio=0)) / 48_000 == pytest.approx(
            11, abs=0.1
        )
    assert len(opus.content) < len(wav.content) / 5


async def test_the_outline_is_small_and_of_both_sides(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    office.record("c1", 2.0)
    outline = (await ana.http.get("/api/calls/c1/peaks")).content
    assert outline == bytes([127] * 40 + [0] * 40)


@pytest.mark.parametrize("form", ["recording", "recording.wav", "recording.opus", "peaks"])
async def test_a_call_without_a_recording_says_so(office: Office, ana: Person, form: str) -> None:
    office.put_call("c1", "hello")
    assert (await ana.http.get(f"/api/calls/c1/{form}")).status_code == 404
    assert "no recording of this call" in await ana.sees("/calls/c1")
