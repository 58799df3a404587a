"""The names that callers may say on a line."""

from __future__ import annotations

from pathlib import Path

from kame_voice.flows.loader import load_flow
from kame_voice.flows.names import names_of

FLOWS = Path(__file__).parents[2] / "flows"


def test_the_business_comes_first_then_people_streets_and_products() -> None:
    names = names_of(load_flow(FLOWS / "harbor-dental.yaml"))
    assert names[0] == "Harbor Dental"
    assert {"Maria", "Pine Street", "Delta Dental", "Aetna", "Cigna", "Lee", "Doctor Ruiz"} <= set(names)


def test_days_and_the_first_words_of_sentences_are_no_names() -> None:
    names = names_of(load_flow(FLOWS / "hilltop-cycles.yaml"))
    assert names == ("Hilltop Cycles", "Mill Road", "Bosch", "Shimano")
