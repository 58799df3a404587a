"""What is taken away of calls: transcripts, tables, sound."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import av
import numpy as np
import pytest

from kame_voice.audio.opus_file import opus_pieces
from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.review.call_csv import COLUMNS, csv_lines
from kame_voice.review.transcripts import as_text, as_vtt
from kame_voice.store.calls import TurnSentence
from kame_voice.store.recordings import HEADER_BYTES, RecordingStore
from tests.review.calls import a_detail, said


def test_a_transcript_as_text_shows_what_was_not_heard() -> None:
    text = as_text(
        a_detail(
            said("caller", "Are you open?", 61_250, 62_000),
            said("agent", "Yes, until five today.", 62_400, 63_000, heard_text="Yes, until"),
            said("caller", "", 64_000, 64_500),
        )
    )
    assert text.splitlines()[4:] == [
        "[00:01:01.250] Caller: Are you open?",
        "[00:01:02.400] Agent: Yes, until [not heard: five today.]",
        "[00:01:04.000] Caller: (not transcribed)",
    ]


def test_vtt_holds_what_was_heard_and_no_mark_up_of_a_caller() -> None:
    vtt = as_vtt(
        a_detail(
            said("caller", "<b>a --> b</b> & c", 0, 0),
            said("agent", "Yes, until five.", 500, 1500, heard_text="Yes,"),
            said("agent", "Never heard.", 1500, 1600, heard_text=""),
        )
    )
    assert vtt == (
        "WEBVTT\n\n"
        "1\n00:00:00.000 --> 00:00:00.001\n<v Caller>&lt;b&gt;a --&gt; b&lt;/b&gt; &amp; c</v>\n\n"
        "2\n00:00:00.500 --> 00:00:01.500\n<v Agent>Yes,</v>\n\n"
    )


def test_a_sentence_without_a_source_is_marked_and_no_other() -> None:
    def sentence(text: str, heard_words: int, *, grounded: bool) -> TurnSentence:
        return TurnSentence(text=text, heard_words=heard_words, oracle_id="o1", grounded=grounded)

    call = a_detail(
        said(
            "agent", "We open at nine. We are hiring. Come by.", 0, 1000,
            heard_text="We open at nine. We are",
            sentences=[
                sentence("We open at nine.", 4, grounded=True),
                sentence("We are hiring.", 2, grounded=False),
                sentence("Come by.", 0, grounded=True),
            ],
        )
    )  # fmt: skip
    assert as_text(call).splitlines()[4] == (
        "[00:00:00.000] Agent: We open at nine. We are (no source) [not heard: hiring. (no source) Come by.]"
    )
    assert "<v Agent>We open at nine. <c.no-source>We are</c></v>" in as_vtt(call)


@pytest.mark.parametrize("opening", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_no_cell_of_a_table_is_a_formula(opening: str) -> None:
    rows = list(csv.reader(io.StringIO("".join(csv_lines([a_detail(opening=opening)])), newline="")))
    assert rows[0] == list(COLUMNS)
    assert rows[1][COLUMNS.index("opening")] == f"'{opening}"
    assert rows[1][COLUMNS.index("from_number")] == "'+15550111"
    assert rows[1][COLUMNS.index("duration_ms")] == "65400"


def test_quotes_commas_and_lines_stay_within_their_cell() -> None:
    opening = 'a "b", c\nd'
    rows = list(csv.reader(io.StringIO("".join(csv_lines([a_detail(opening=opening)])), newline="")))
    assert rows[1][COLUMNS.index("opening")] == opening


def test_opus_has_both_sides_apart_and_the_whole_length(tmp_path: Path) -> None:
    recordings = RecordingStore(tmp_path)
    tone = (np.sin(np.arange(12 * SAMPLE_RATE) * 2 * np.pi * 440 / SAMPLE_RATE) / 2).astype(np.float32)
    writer = recordings.create("c1")
    writer.caller(tone, 0)
    writer.finish(len(tone))
    path = recordings.path_of("c1")
    assert path is not None
    pieces = list(opus_pieces(path, HEADER_BYTES))
    assert len(pieces) == 3  # it streams: one a 10 s begun, and the end
    with av.open(io.BytesIO(b"".join(pieces))) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    left, right = np.concatenate(frames, axis=1)
    assert abs(left.shape[0] / rate - 12.0) < 0.05
    assert np.sqrt(np.mean(left**2)) > 0.3
    assert np.sqrt(np.mean(right**2)) < 0.02
