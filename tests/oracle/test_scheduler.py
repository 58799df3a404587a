import pytest

from kame_voice.core.nouns import OracleMode, OracleOutcome
from kame_voice.oracle.meaning import Meaning
from kame_voice.oracle.scheduler import Adopt, Ask, Cancel, Confirm, Move, Scheduler, Withdraw
from tests.oracle.examples import transcript


def scheduler(mode: OracleMode = OracleMode.PARTIAL) -> Scheduler:
    return Scheduler(mode, "c1")


def asked(moves: list[Move]) -> Ask:
    (ask,) = moves
    assert isinstance(ask, Ask)
    return ask


def test_two_new_stable_words_are_asked_on() -> None:
    ask = asked(scheduler().heard(transcript("you open on", 1000, stable="you open"), 1000))
    assert (ask.words, ask.covers_ms, ask.is_final) == ("you open on", 1000, False)


def test_one_new_stable_word_is_not() -> None:
    thinking = scheduler()
    assert thinking.heard(transcript("open on", 1000, stable="open"), 1000) == []
    asked(thinking.heard(transcript("open on a holiday", 1500, stable="open on"), 1500))
    assert thinking.heard(transcript("open on a holiday", 2100, stable="open on a"), 2100) == []


def test_words_that_ask_nothing_yet_are_not_asked_on() -> None:
    thinking = scheduler()
    assert thinking.heard(transcript("hi there, I would like to know if you", 1500), 1500) == []
    asked(thinking.heard(transcript("hi there, I would like to know if you deliver", 2000), 2000))


def test_partials_are_asked_on_half_a_second_apart() -> None:
    thinking = scheduler()
    asked(thinking.heard(transcript("you open", 1000), 1000))
    assert thinking.heard(transcript("you open on a", 1400), 1400) == []
    asked(thinking.heard(transcript("you open on a", 1500), 1500))


def test_the_longer_a_turn_the_further_apart_its_guesses_and_the_last_is_kept_for_a_pause() -> None:
    thinking = scheduler()
    times = []
    words = "open"
    for at_ms in range(1000, 9000, 250):
        words += f" word{at_ms}"
        if thinking.heard(transcript(words, at_ms), at_ms):
            times.append(at_ms)
    assert times == [1000, 1500, 2500]
    asked(thinking.heard(transcript(f"{words} end", 9000, paused=True), 9000))
    assert thinking.heard(transcript(f"{words} end again", 9500, paused=True), 9500) == []


def test_a_pause_is_asked_on_at_once() -> None:
    thinking = scheduler()
    asked(thinking.heard(transcript("you open", 1000), 1000))
    asked(thinking.heard(transcript("you open today", 1100, paused=True), 1100))


def test_the_same_words_are_not_asked_twice() -> None:
    thinking = scheduler()
    asked(thinking.heard(transcript("are you open", 1000), 1000))
    assert thinking.heard(transcript("Are you open?", 1600, paused=True), 1600) == []


def test_a_newer_answer_comes_into_force_at_its_first_token_and_only_then_ends_the_older() -> None:
    thinking = scheduler()
    first = asked(thinking.heard(transcript("are you open", 1000), 1000))
    assert thinking.first_token(first.id) == [Adopt(first.id, 1000, False)]
    second = asked(thinking.heard(transcript("are you open on saturday", 1600), 1600))
    assert thinking.is_wanted(first.id)
    assert thinking.first_token(second.id) == [
        Adopt(second.id, 1600, False),
        Cancel(first.id, OracleOutcome.SUPERSEDED),
    ]
    assert not thinking.is_wanted(first.id)


def test_an_older_answer_that_comes_late_is_cancelled() -> None:
    thinking = scheduler()
    first = asked(thinking.heard(transcript("are you open", 1000), 1000))
    second = asked(thinking.heard(transcript("are you open on saturday", 1600), 1600))
    assert Cancel(first.id, OracleOutcome.CANCELLED) in thinking.first_token(second.id)
    assert thinking.first_token(first.id) == []


def test_a_final_with_the_same_words_confirms_the_answer_in_force() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("are you open", 1000, paused=True), 1000))
    thinking.first_token(ask.id)
    final = transcript("Are you open?", 1200, is_final=True)
    assert thinking.heard(final, 1300) == [Confirm(ask.id, 1200, is_final=True)]


def test_a_final_with_the_same_words_makes_an_answer_on_its_way_the_final_one() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("are you open", 1000, paused=True), 1000))
    assert thinking.heard(transcript("are you open", 1200, is_final=True), 1300) == [
        Confirm(ask.id, 1200, is_final=True, in_force=False)
    ]
    assert thinking.waited_for() == ask.id
    assert thinking.first_token(ask.id) == [Adopt(ask.id, 1200, True)]


def test_a_final_with_other_words_is_asked_at_once() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("are you open", 1000), 1000))
    final = asked(thinking.heard(transcript("are you open today", 1050, is_final=True), 1100))
    assert final.is_final
    assert thinking.is_wanted(guess.id)


def test_a_guess_never_replaces_the_answer_to_the_final() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("are you open", 1000), 1000))
    final = asked(thinking.heard(transcript("are you open today", 1500, is_final=True), 1500))
    thinking.first_token(final.id)
    assert thinking.first_token(guess.id) == []


def test_a_final_that_goes_back_to_earlier_words_drops_the_later_guess() -> None:
    thinking = scheduler()
    first = asked(thinking.heard(transcript("are you open", 1000), 1000))
    thinking.first_token(first.id)
    later = asked(thinking.heard(transcript("are you open on the", 1600), 1600))
    assert thinking.heard(transcript("are you open", 1700, is_final=True), 1700) == [
        Cancel(later.id, OracleOutcome.CANCELLED),
        Confirm(first.id, 1700, is_final=True),
    ]


def test_a_turn_without_words_withdraws_what_was_answered_to_it() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("lovely weather", 1000), 1000))
    thinking.first_token(ask.id)
    assert thinking.heard(transcript("", 1200, is_final=True), 1300) == [Withdraw(ask.id)]


def test_a_turn_without_words_leaves_the_answer_to_an_earlier_turn() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("are you open", 1000, is_final=True), 1000))
    thinking.first_token(ask.id)
    assert thinking.heard(transcript("", 4000, turn_start_ms=3000, is_final=True), 4000) == []
    assert thinking.is_wanted(ask.id)


def test_the_next_turns_answer_does_not_make_the_last_one_superseded() -> None:
    thinking = scheduler()
    first = asked(thinking.heard(transcript("are you open", 1000, is_final=True), 1000))
    thinking.first_token(first.id)
    next_turn = transcript("where are you", 4000, turn_start_ms=3000, is_final=True)
    second = asked(thinking.heard(next_turn, 4000))
    assert Cancel(first.id, OracleOutcome.ADOPTED) in thinking.first_token(second.id)


def test_a_stand_in_gives_way_to_the_late_answer_it_stood_in_for() -> None:
    thinking = scheduler()
    late = asked(thinking.heard(transcript("are you open", 1000, is_final=True), 1000))
    stand_in = thinking.stand_in(late.id)
    assert stand_in
    assert stand_in.words == "are you open"
    assert thinking.first_token(stand_in.id) == [Adopt(stand_in.id, 1000, True)]
    assert thinking.first_token(late.id) == [
        Adopt(late.id, 1000, True),
        Cancel(stand_in.id, OracleOutcome.SUPERSEDED),
    ]


def test_there_is_one_stand_in_at_most() -> None:
    thinking = scheduler()
    late = asked(thinking.heard(transcript("are you open", 1000, is_final=True), 1000))
    assert thinking.stand_in(late.id)
    assert thinking.stand_in(late.id) is None


def test_a_failure_in_mid_answer_withdraws_it() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("are you open", 1000, is_final=True), 1000))
    thinking.first_token(ask.id)
    assert thinking.failed(ask.id) == [Withdraw(ask.id)]
    assert thinking.failed(ask.id) == []


@pytest.mark.parametrize("is_final", [False, True])
def test_off_asks_nothing(is_final: bool) -> None:
    assert scheduler(OracleMode.OFF).heard(transcript("are you open", 1000, is_final=is_final), 1000) == []


def test_final_asks_nothing_while_the_caller_talks() -> None:
    thinking = scheduler(OracleMode.FINAL)
    assert thinking.heard(transcript("are you open", 1000, paused=True), 1000) == []
    assert asked(thinking.heard(transcript("are you open", 1100, is_final=True), 1200)).is_final


KEPT, OPEN, OVERTAKEN = Meaning.KEPT, Meaning.OPEN, Meaning.OVERTAKEN


def test_a_final_that_keeps_the_meaning_confirms_the_guess_in_force() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("price of a cleaning", 1000), 1000))
    thinking.first_token(guess.id)
    final = transcript("the price of a cleaning please", 1800, is_final=True)
    assert thinking.rivals(final) == [(guess.id, "price of a cleaning")]
    assert thinking.heard(final, 1900, {guess.id: KEPT}) == [Confirm(guess.id, 1800, is_final=True)]


def test_a_partial_that_keeps_the_meaning_is_not_asked_again() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("price of a cleaning", 1000), 1000))
    thinking.first_token(guess.id)
    partial = transcript("price of a cleaning then please", 1800, paused=True)
    assert thinking.heard(partial, 1900, {guess.id: KEPT}) == [Confirm(guess.id, 1800, is_final=False)]


def test_a_guess_that_the_final_has_overtaken_is_withdrawn_before_the_new_answer_begins() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("are you open", 1000), 1000))
    thinking.first_token(guess.id)
    late = asked(thinking.heard(transcript("are you open on sat", 1600), 1600))
    final = transcript("are you open on Sunday", 2000, is_final=True)
    withdrawn, cancelled, ask = thinking.heard(final, 2000, {guess.id: OVERTAKEN, late.id: OVERTAKEN})
    assert withdrawn == Withdraw(guess.id, OracleOutcome.SUPERSEDED)
    assert cancelled == Cancel(late.id, OracleOutcome.CANCELLED)
    assert isinstance(ask, Ask)


def test_a_guess_that_fits_by_and_large_may_be_begun_until_the_answer_to_the_final_comes() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("price of a cleaning", 1000), 1000))
    thinking.first_token(guess.id)
    final = transcript("price of a cleaning for a dog", 1800, is_final=True)
    stands, ask = thinking.heard(final, 1800, {guess.id: OPEN})
    assert stands == Confirm(guess.id, 1800, is_final=False)
    assert isinstance(ask, Ask)
    assert Cancel(ask.id, OracleOutcome.SUPERSEDED) not in thinking.first_token(ask.id)
    assert not thinking.is_wanted(guess.id)


def test_a_guess_at_what_nobody_knows_stands_and_is_not_hurried() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("the weather on Mars", 1000), 1000))
    thinking.first_token(guess.id)
    final = transcript("the weather on Mars in spring", 1800, is_final=True)
    asked(thinking.heard(final, 1800, {guess.id: Meaning.UNSURE}))
    assert thinking.in_force(guess.id)


def test_of_two_guesses_that_fit_the_one_asked_first_answers_and_the_other_is_given_up() -> None:
    thinking = scheduler()
    first = asked(thinking.heard(transcript("price of cleaning", 1000), 1000))
    second = asked(thinking.heard(transcript("price of cleaning teeth today", 1600), 1600))
    final = transcript("the price of cleaning teeth today please", 2000, is_final=True)
    assert thinking.heard(final, 2000, {first.id: KEPT, second.id: KEPT}) == [
        Cancel(second.id, OracleOutcome.CANCELLED),
        Confirm(first.id, 2000, is_final=True, in_force=False),
    ]


def test_a_supervisors_words_hold_until_they_are_spoken() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("are you open", 1000, is_final=True), 1000))
    assert thinking.hold("w1") == []
    assert thinking.first_token(ask.id) == []
    assert thinking.is_wanted(ask.id)
    assert thinking.spoken("w1") == [Cancel(ask.id, OracleOutcome.SUPERSEDED)]
    later = asked(thinking.heard(transcript("where", 4000, turn_start_ms=3000, is_final=True), 4000))
    assert thinking.first_token(later.id) == [Adopt(later.id, 4000, True)]


def test_a_supervisors_words_taken_back_leave_the_place_to_the_best_answer() -> None:
    thinking = scheduler()
    guess = asked(thinking.heard(transcript("are you open", 1000), 1000))
    thinking.first_token(guess.id)
    thinking.hold("w1")
    assert not thinking.in_force(guess.id)
    assert thinking.withdrawn("w1") == [Withdraw("w1"), Adopt(guess.id, 1000, False)]
    assert thinking.withdrawn("w1") == []


def test_newer_words_of_a_supervisor_replace_older_ones() -> None:
    thinking = scheduler()
    thinking.hold("w1")
    assert thinking.hold("w2") == [Withdraw("w1", OracleOutcome.SUPERSEDED)]
    assert thinking.spoken("w1") == []
    assert thinking.held


def test_a_turn_that_went_on_after_its_final_is_asked_whole() -> None:
    thinking = scheduler()
    half = asked(thinking.heard(transcript("do you have", 1000, is_final=True), 1000))
    thinking.first_token(half.id)
    whole = thinking.heard(transcript("do you have a sauna", 3000, is_final=True), 3000)[-1]
    assert isinstance(whole, Ask)
    assert (whole.words, whole.is_final) == ("do you have a sauna", True)
    assert Cancel(half.id, OracleOutcome.SUPERSEDED) in thinking.first_token(whole.id)


def test_a_cough_after_a_final_leaves_its_answer_in_force() -> None:
    thinking = scheduler()
    ask = asked(thinking.heard(transcript("do you have a sauna", 1000, is_final=True), 1000))
    thinking.first_token(ask.id)
    assert thinking.heard(transcript("Do you have a sauna?", 3000, is_final=True), 3000) == [
        Confirm(ask.id, 3000, is_final=True)
    ]
