from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from kame_voice.front_end.kame.cursor import OracleCursor

PAD, OPEN = 3, 200


def cursor() -> OracleCursor:
    return OracleCursor(padding=PAD, opening=OPEN)


def read(stream: OracleCursor, count: int) -> list[int]:
    return [stream.read().token for _ in range(count)]


def test_an_oracle_opens_with_the_text_start_and_ends_in_padding() -> None:
    stream = cursor()
    stream.open("a")
    stream.append("a", [10, 11])
    assert read(stream, 5) == [OPEN, 10, 11, PAD, PAD]


def test_the_cursor_pauses_where_nothing_has_arrived_and_loses_nothing() -> None:
    stream = cursor()
    stream.open("a")
    stream.append("a", [10])
    assert read(stream, 4) == [OPEN, 10, PAD, PAD]
    stream.append("a", [11, 12])
    assert read(stream, 3) == [11, 12, PAD]


def test_a_newer_oracle_replaces_the_older_at_its_first_token_not_before() -> None:
    stream = cursor()
    stream.open("old")
    stream.append("old", [10, 11, 12, 13])
    assert read(stream, 2) == [OPEN, 10]
    stream.open("new")
    assert read(stream, 1) == [11]
    stream.append("new", [20])
    assert read(stream, 3) == [OPEN, 20, PAD]
    stream.append("old", [99])
    assert read(stream, 1) == [PAD]


def test_a_withdrawn_oracle_stops_at_once() -> None:
    stream = cursor()
    stream.open("a")
    stream.append("a", [10, 11])
    assert read(stream, 2) == [OPEN, 10]
    stream.withdraw("a")
    assert read(stream, 2) == [PAD, PAD]
    stream.append("a", [12])
    stream.open("a")
    stream.append("a", [12])
    assert read(stream, 2) == [PAD, PAD]


def test_a_withdrawn_candidate_leaves_the_running_one_in_force() -> None:
    stream = cursor()
    stream.open("a")
    stream.append("a", [10, 11])
    read(stream, 1)
    stream.open("b")
    stream.withdraw("b")
    stream.append("b", [20])
    assert read(stream, 2) == [10, 11]
    assert stream.in_force == "a"


def test_writes_to_unknown_oracles_are_ignored() -> None:
    stream = cursor()
    stream.append("nobody", [10])
    stream.withdraw("nobody")
    assert read(stream, 1) == [PAD]
    assert stream.in_force is None


@given(st.lists(st.one_of(st.integers(10, 99), st.none()), max_size=60))
def test_however_late_tokens_come_each_is_fed_once_in_order(arrivals: list[int | None]) -> None:
    stream = cursor()
    stream.open("a")
    fed: list[int] = []
    for token in arrivals:
        if token is not None:
            stream.append("a", [token])
        fed.append(stream.read().token)
    fed += read(stream, stream.waiting + 1)
    expected = deque([OPEN, *(token for token in arrivals if token is not None)])
    assert [token for token in fed if token != PAD] == (list(expected) if len(expected) > 1 else [])
