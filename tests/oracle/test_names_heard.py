"""Names that a second reading knows, put where the first has what sounds like them, and nowhere else."""

from __future__ import annotations

import pytest

from kame_voice.oracle.names_heard import with_names

NAMES = ("Aetna", "Delta Dental", "Doctor Lee", "Maria", "Mill Road")


@pytest.mark.parametrize(
    ("plain", "prompted", "heard"),
    [
        ("Do you accept Ena?", "Do you accept Aetna?", "Do you accept Aetna?"),
        ("I have dealt a dental.", "I have Delta Dental.", "I have Delta dental."),
        ("Is doctorly good with kids?", "is Doctor Lee good with kids.", "Is Doctor Lee good with kids?"),
        ("Can I speak to Mario", "Can I speak to Maria.", "Can I speak to Maria"),
    ],
)
def test_a_name_takes_the_place_of_what_sounds_like_it(plain: str, prompted: str, heard: str) -> None:
    assert with_names(plain, prompted, NAMES) == heard


@pytest.mark.parametrize(
    ("plain", "prompted"),
    [
        ("Are you on no road?", "Are you on Mill Road?"),
        ("Can I come in?", "Can I come in? Maria Maria Maria Maria."),
        ("When do you open?", "Then do you close?"),
        ("I like it", "Maria"),
        ("", "Aetna."),
    ],
)
def test_nothing_else_is_taken_from_the_reading_that_knows_names(plain: str, prompted: str) -> None:
    assert with_names(plain, prompted, NAMES) == plain
