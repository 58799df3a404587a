"""What a better answer tells again in other words, and what it tells anew."""

from __future__ import annotations

import pytest

from kame_voice.oracle.repetition import says_nothing_new

CLEANING = (
    "A cleaning is one hundred and twenty dollars without insurance, and takes about forty-five minutes."
)
PARKING = "Yes, there is a free car park behind the building. Turn in from Pine Street."
CHILDREN = "Yes, we see children from the age of two. Doctor Lee looks after most of our young patients."
COLLECTION = (
    "Yes, we collect and bring back within ten miles for twenty-five dollars, on Wednesdays and Fridays."
)

AGAIN = (
    (CLEANING, "A cleaning is a hundred and twenty dollars without insurance."),
    (CLEANING, "Without insurance, a cleaning is $120 and takes 45 minutes."),
    (PARKING, "Yes,"),
    (PARKING, "Sure,"),
    (PARKING, "there's a free car park behind our building."),
    (PARKING, "You turn in from Pine Street."),
    (CHILDREN, "We see kids from the age of two."),
    (CHILDREN, "Doctor Lee looks after most of the children."),
    (COLLECTION, "We collect within ten miles for twenty-five dollars."),
    (COLLECTION, "We bring it back on Wednesdays and Fridays, within ten miles."),
)

NEW = (
    (CLEANING, "A cleaning is one hundred and thirty dollars."),
    (CLEANING, "With Cigna it costs you nothing."),
    (CLEANING, "Whitening is three hundred and fifty dollars."),
    (CLEANING, "Would you like to book one?"),
    (PARKING, "No,"),
    (PARKING, "There is no free car park behind the building."),
    (PARKING, "The car park is free in the evening."),
    (CHILDREN, "We see children from the age of four."),
    (CHILDREN, "We do not see children from the age of two."),
    (CHILDREN, "Doctor Ruiz sees adults."),
    (COLLECTION, "We collect on Mondays."),
    (COLLECTION, "Yes, we are closed on Wednesdays."),
    ("We take Delta Dental, Cigna and Aetna.", "We don't take Aetna."),
    ("", "Yes, we do."),
)  # fmt: skip


@pytest.mark.parametrize(("said", "sentence"), AGAIN)
def test_the_same_in_other_words_is_nothing_new(said: str, sentence: str) -> None:
    assert says_nothing_new(sentence, [said])


@pytest.mark.parametrize(("said", "sentence"), NEW)
def test_another_figure_day_or_denial_is_new(said: str, sentence: str) -> None:
    assert not says_nothing_new(sentence, [said] if said else [])
