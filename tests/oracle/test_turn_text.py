from kame_voice.oracle.turn_text import TurnText, agreed


def test_what_two_hearings_agree_on_is_stable() -> None:
    assert agreed("Are you open on", "are you open, and Saturday") == "are you open,"


def test_a_first_hearing_is_not_stable() -> None:
    text = TurnText()
    text.heard(0, "Are you")
    assert (text.text, text.stable) == ("Are you", "")


def test_the_stable_part_leads_the_text() -> None:
    text = TurnText()
    text.heard(0, "Are you opening")
    text.heard(0, "Are you open on Saturday")
    assert (text.text, text.stable) == ("Are you open on Saturday", "Are you")


def test_a_pause_makes_all_of_it_stable() -> None:
    text = TurnText()
    text.heard(0, "Are you open")
    text.settle()
    assert text.stable == "Are you open"


def test_a_closed_window_stands_and_the_next_goes_on_from_it() -> None:
    text = TurnText()
    text.heard(0, "First half")
    text.closed(0, "First half,")
    text.heard(1, "second")
    assert (text.text, text.stable) == ("First half, second", "First half,")


def test_a_late_hearing_of_a_closed_window_changes_nothing() -> None:
    text = TurnText()
    text.closed(0, "First half,")
    text.heard(0, "First")
    assert text.text == "First half,"
