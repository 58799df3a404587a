"""Written forms as they are said."""

import pytest

from kame_voice.front_end.spoken.spoken_form import spoken_form


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Call +1 555 0100.", "Call plus one, five five five, zero one zero zero."),
        ("(555) 010-0199", "five five five, zero one zero, zero one nine nine"),
        ("1-800-555-0199", "one, eight zero zero, five five five, zero one nine nine"),
        ("Mon-Fri 9am-5pm", "Monday to Friday 9 a.m. to 5 p.m."),
        ("at 9:30 AM.", "at 9:30 a.m."),
        ("Open 24/7 at www.harbor.com.", "Open twenty-four seven at harbor.com."),
        ("zip 02139", "zip zero two one three nine"),
        ("ID #4521", "ID number four five two one"),
        ("We are #1", "We are number 1"),
        ("No. 5", "number 5"),
        ("**Yes**, `we` do 🙂", "Yes , we do"),
    ],
)
def test_what_the_engine_reads_badly_is_written_out(written: str, spoken: str) -> None:
    assert spoken_form(written) == spoken


@pytest.mark.parametrize(
    "text", ["It is $45.50.", "Dr. Smith, the 3rd, 20%.", "in 2025-2026", "I am 9 today"]
)
def test_what_the_engine_reads_well_is_left_alone(text: str) -> None:
    assert spoken_form(text) == text
