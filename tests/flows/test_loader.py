"""What a flow file means once it is read."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_voice.flows.errors import FlowError, FlowMistake
from kame_voice.flows.loader import load_flow, parse_flow
from kame_voice.flows.schema import Flow, Hours
from tests.flows.writing import LEAST


def read(added: str) -> Flow:
    return parse_flow(f"{LEAST}{added}\n", "f.yaml").flow


def read_day(hours: str) -> list[tuple[time, time]]:
    flow = parse_flow(LEAST.replace("UTC}", "UTC, hours: {fri: " + hours + "}}"), "f.yaml").flow
    return [(stretch.opens, stretch.closes) for stretch in flow.business.hours["fri"]]


def test_the_least_flow_has_a_default_for_all_else() -> None:
    flow = read("")
    assert flow.numbers == ()
    assert flow.holding == ("One moment.", "Let me check that for you.")
    assert flow.turns.end_silence_ms == 350


def test_a_phone_number_without_quotes_keeps_its_plus() -> None:
    assert read("numbers: [+12025550100]").numbers == ("+12025550100",)


@pytest.mark.parametrize("word", ["no", "yes", "1.0", "007", "2024-01-01", "12:30:45", "1e3", "true"])
def test_words_that_yaml_takes_for_something_else_stay_words(word: str) -> None:
    assert read(f"unknown: {word}").unknown == word


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("yes", True), ("no", False), ("False", False)])
def test_true_and_false_may_be_spelt_as_people_do(word: str, meant: bool) -> None:
    assert read(f"default: {word}").default is meant


def test_a_folded_text_becomes_one_line() -> None:
    assert read("unknown: |\n  I do not\n  know   that.\n").unknown == "I do not know that."


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    data = b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode()
    assert parse_flow(data, "f.yaml").flow == read("")


def test_a_text_may_be_written_once_and_used_again() -> None:
    flow = read("unknown: &again Please call again.\ngoodbye: *again")
    assert flow.goodbye == flow.unknown == "Please call again."


@pytest.mark.parametrize(
    "hours",
    ["09:00-17:30", "9:00 - 17:30", "9-17:30", "9 am to 5:30 pm", "09:00–17:30", "9.00-17.30", "[9-17:30]"],
)
def test_opening_hours_are_read_as_people_write_them(hours: str) -> None:
    assert read_day(hours) == [(time(9), time(17, 30))]


@pytest.mark.parametrize("hours", ["[13:00-17:00, 09:00-12:00]", "'09:00-12:00, 13:00-17:00'"])
def test_a_day_with_a_lunch_break_is_a_list_of_stretches_in_order(hours: str) -> None:
    assert read_day(hours) == [(time(9), time(12)), (time(13), time(17))]


@pytest.mark.parametrize("hours", ["closed", "Closed", "[]", "~"])
def test_a_day_may_be_closed(hours: str) -> None:
    assert read_day(hours) == []


def test_midnight_and_noon() -> None:
    assert read_day("12 am-12 pm") == [(time(0), time(12))]
    assert read_day("00:00-24:00") == [(time(0), time(23, 59))]


def test_opening_hours_may_be_spelt_out() -> None:
    assert read_day("{opens: 09:00, closes: 17:30}") == [(time(9), time(17, 30))]


def test_a_flow_that_is_dumped_and_read_again_is_the_same() -> None:
    flow = load_flow(Path("flows/harbor-dental.yaml"))
    again = Flow.model_validate_json(flow.model_dump_json())
    assert again == flow
    assert again.content_hash == flow.content_hash


def test_any_change_of_content_changes_the_version_and_a_comment_does_not() -> None:
    assert read("unknown: Sorry.").content_hash != read("unknown: Sorry!").content_hash
    assert read("# a comment").content_hash == read("").content_hash


def test_stretches_are_built_without_yaml_too() -> None:
    assert Hours.model_validate({"opens": time(9), "closes": "17:00"}).closes == time(17)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"gone\.yaml: cannot be read: no such file or directory"):
        load_flow(tmp_path / "gone.yaml")


# Whatever stands in a file, it is a flow or a FlowError with a place in that file.


def mistakes_of(data: bytes | str) -> tuple[FlowMistake, ...]:
    try:
        parse_flow(data, "f.yaml")
    except FlowError as error:
        return error.mistakes
    return ()


def flow_or_mistakes(data: bytes | str) -> None:
    for mistake in mistakes_of(data):
        assert mistake.message.isprintable()
        assert mistake.path.isprintable()
        assert 0 <= mistake.line <= len(data) + 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_flow_or_mistakes(data: bytes) -> None:
    flow_or_mistakes(data)


@given(st.text(max_size=200))
def test_any_text_is_a_flow_or_mistakes(text: str) -> None:
    flow_or_mistakes(text)


@given(
    st.lists(st.sampled_from([*"[]{}:,-#&*!|>'\"%@`?\\ \n\t~", "\n  ", ": ", "- ", "a", "<<", "\\U", "F"]))
)
def test_any_yaml_like_text_is_a_flow_or_mistakes(pieces: list[str]) -> None:
    flow_or_mistakes("".join(pieces))


_keys = st.sampled_from([*Flow.model_fields, "opens", "hours", "mon", "id", "questions", "<<", "é"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("09:00-17:00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_keys, _values, max_size=5))
@settings(deadline=None)
def test_any_values_under_the_right_keys_are_a_flow_or_mistakes(values: dict[str, object]) -> None:
    flow_or_mistakes(LEAST + "\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items()))


@given(st.integers(0, len(LEAST)), st.integers(0, len(LEAST)), st.text(max_size=5))
@settings(deadline=None)
def test_any_damage_to_a_flow_is_a_flow_or_mistakes(start: int, end: int, text: str) -> None:
    flow_or_mistakes(LEAST[:start] + text + LEAST[end:])
