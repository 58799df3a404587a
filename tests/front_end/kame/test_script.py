import numpy as np
import pytest

from kame_voice.front_end.kame.script import FREE, ForcedScript, PlacedWord, text_track
from kame_voice.front_end.kame.seats import Seats


def script(frames: int) -> ForcedScript:
    codes = np.arange(frames * 8).reshape(frames, 8)
    return ForcedScript(codes, np.arange(100, 100 + frames), (PlacedWord("hi", 0, 1),))


def test_the_acoustic_codes_of_a_frame_are_forced_one_step_after_its_text() -> None:
    forced = script(2)
    rows = [forced.row() for _ in range(3)]
    assert rows[0].tolist() == [100, 0, *[FREE] * 7]
    assert rows[1].tolist() == [101, 8, *range(1, 8)]
    assert rows[2].tolist() == [FREE, FREE, *range(9, 16)]
    assert not forced.forcing


def test_frames_are_shown_one_step_after_they_were_begun_with_the_words_that_end_in_them() -> None:
    forced = script(2)
    shown = []
    for _ in range(4):
        if forced.forcing:
            forced.row()
        shown.append(forced.shows())
    assert shown == [(False, ()), (True, ()), (True, ("hi",)), (False, ())]
    assert forced.over


def test_the_text_track_lays_a_words_pieces_side_by_side_after_an_end_padding() -> None:
    track = text_track([(2, [50, 51]), (3, [60]), (8, [70, 71, 72])], 10, padding=3, end_padding=0)
    assert track.tolist() == [3, 0, 50, 51, 60, 3, 3, 0, 70, 71]


def test_the_lowest_free_row_is_taken_first_and_wiped_before_use() -> None:
    seats = Seats(3)
    assert [seats.take() for _ in range(4)] == [0, 1, 2, None]
    assert seats.to_wipe() == {0, 1, 2}
    seats.give_back(1)
    assert seats.free == 1
    assert seats.take() == 1
    assert seats.to_wipe() == {1}
    assert seats.to_wipe() == frozenset()


def test_a_row_cannot_be_given_back_twice() -> None:
    seats = Seats(1)
    row = seats.take()
    assert row is not None
    seats.give_back(row)
    with pytest.raises(ValueError, match="row 0"):
        seats.give_back(row)


def test_a_smaller_batch_covers_the_taken_rows() -> None:
    seats = Seats(8)
    assert seats.batch_for((2, 4, 8)) == 2
    for _ in range(3):
        seats.take()
    assert seats.batch_for((2, 4, 8)) == 4
