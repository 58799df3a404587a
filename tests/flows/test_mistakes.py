"""Every kind of mistake, and what its author reads about it."""

from __future__ import annotations

import pytest

from kame_voice.flows.errors import FlowError
from kame_voice.flows.loader import parse_flow
from tests.flows.writing import LEAST

FACT = "facts:\n  - id: one\n    questions: [Is it one?]\n    answer: It is.\n"


def mistakes_in(data: str | bytes) -> list[str]:
    with pytest.raises(FlowError) as caught:
        parse_flow(data, "f.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


# What is added to the least flow from line 6 on → the one mistake.
ADDED = {
    "a misspelt key": ("greetin: Hi.", "6:1: greetin: is not a key of a flow; did you mean greeting?"),
    "a capital": ("Numbers: []", "6:1: Numbers: is not a key of a flow; did you mean numbers?"),
    "a hyphen": ("never-say: []", "6:1: never-say: is not a key of a flow; did you mean never_say?"),
    "a key like no other": ("colour: red", "6:1: colour: is not a key of a flow"),
    "a key too far left": (
        "hours: {}",
        "6:1: hours: is not a key of a flow here; it belongs under business",
    ),
    "a key too far right": (
        "limits: {goodbye: Bye.}",
        "6:10: limits.goodbye: is not a key of a flow here; it belongs to the left, at the top level",
    ),
    "a key twice": ("line: other", "6:1: line: the key stands twice; the first is in line 3"),
    "a merge key": ("<<: {}", "6:1: merge keys (<<) are not read here; write the values out"),
    "a key that is no word": (
        "{a: b}: c",
        "6:1: a key must be a word; put text that begins with { or [ in quotes",
    ),
    "a key without value": ("unknown:", "6:1: unknown: has no value; give it one or take the line out"),
    "a list for a text": ("unknown: [a]", "6:10: unknown: must be text; not a list"),
    "a template for a text": (
        "unknown: {name}",
        "6:10: unknown: must be text; not keys with values (text that begins with { needs quotes)",
    ),
    "a text for a list": (
        "holding: Wait.",
        "6:10: holding: must be a list: one line each, beginning with '- '; not 'Wait.'",
    ),
    "a text for keys": (
        "turns: fast",
        "6:8: turns: must be keys with values, one a line, indented; not 'fast'",
    ),
    "a list that needs an entry": ("holding: []", "6:10: holding: must have at least 1"),
    "an empty text": ("unknown: ''", "6:10: unknown: must not be empty"),
    "a text too long": (
        f"unknown: {'a' * 601}",
        "6:10: unknown: is 601 characters long; at most 600 are allowed",
    ),
    "a text that the voice would keep silent on": (
        "unknown: 我们不知道",
        "6:10: unknown: has no word in Latin letters, and the voice speaks English",
    ),
    "a text without words": ("unknown: '...'", "6:10: unknown: has no word that could be spoken"),
    "an invisible character": (
        "unknown: a\u200bb",
        "6:10: unknown: holds the invisible character U+200B; type the text anew",
    ),
    "a broken character": (
        'unknown: "\\ud800"',
        "6:10: unknown: holds a broken character; type the text anew",
    ),
    "a word for a number": (
        "turns: {barge_in_ms: soon}",
        "6:22: turns.barge_in_ms: must be a whole number; not 'soon'",
    ),
    "a number too small": (
        "turns:\n  end_silence_ms: 50",
        "7:19: turns.end_silence_ms: must be at least 150; not '50'",
    ),
    "a widget without a site": (
        "browser: {widget: true}",
        "6:10: browser: widget needs origins: the sites on which the call button may stand",
    ),
    "a site with a path": (
        "browser: {origins: [https://example.com/contact]}",
        "6:21: browser.origins[0]: 'https://example.com/contact' must end after the host (and port): "
        "https://www.example.com",
    ),
    "a site without TLS": (
        "browser: {origins: ['http://example.com']}",
        "6:21: browser.origins[0]: 'http://example.com' must begin with https://: "
        "browsers give no microphone to a page without it",
    ),
    "a site that is none": (
        "browser: {origins: ['*']}",
        "6:21: browser.origins[0]: '*' is not an address such as https://www.example.com",
    ),
    "a number too large": (
        "limits: {max_minutes: 500}",
        "6:23: limits.max_minutes: must be at most 240; not '500'",
    ),
    "a number that must be positive": (
        "limits: {max_minutes: 0}",
        "6:23: limits.max_minutes: must be more than 0; not '0'",
    ),
    "numbers at odds": (
        "turns: {backchannel_ms: 900}",
        "6:8: turns: backchannel_ms must not exceed barge_in_ms",
    ),
    "neither true nor false": ("default: maybe", "6:10: default: must be true or false; not 'maybe'"),
    "a language": ("language: fr", "6:11: language: must be 'en'; not 'fr'"),
    "a phone number with spaces": (
        "numbers: [555 0100]",
        "6:11: numbers[0]: must be a phone number with its country code and no spaces, "
        "such as +12025550100; not '555 0100'",
    ),
    "a phone number twice": (
        "numbers:\n  - +12025550100\n  - '+12025550100'",
        "8:5: numbers[1]: this number stands twice; the first is in line 7",
    ),
    "a fact without answer": (FACT.replace("    answer: It is.\n", ""), "7:5: facts[0].answer: is missing"),
    "a fact's id in capitals": (
        FACT.replace("id: one", "id: ONE"),
        "7:9: facts[0].id: must be lower-case letters, digits and hyphens, such as harbor-dental; not 'ONE'",
    ),
    "a fact's id twice": (
        FACT + "  - {id: one, questions: [Or two?], answer: Two.}",
        "10:10: facts[1].id: this fact id stands twice; the first is in line 7",
    ),
    "a question of two facts": (
        FACT + "  - {id: two, questions: [is it  ONE], answer: Two.}",
        "10:27: facts[1].questions[0]: this question stands twice; the first is in line 8",
    ),
    "an answer that must not be said": (
        FACT + "never_say: [promises, It  IS]",
        "9:13: facts[0].answer: says 'it is', which never_say forbids in line 10",
    ),
    "a greeting that must not be said": (
        "never_say: [hello]",
        "4:11: greeting: says 'hello', which never_say forbids in line 6",
    ),
    "a tag": (
        "unknown: !!python/object:os.system x",
        "6:10: unknown: tags (!) have no meaning here; put text that begins with ! in quotes",
    ),
    "an alias of nothing": (
        "unknown: *that",
        "6:10: unknown: *that names no anchor (&that) above; quote text that begins with *",
    ),
    "a second document": ("---\nversion: 1", "6:1: a second document begins here (---); one flow a file"),
    "a tab": ("\tunknown: x", "6:1: a tab stands here; indent with spaces"),
    "a second colon": (
        "unknown: Sorry: no idea",
        "6:15: a colon is out of place: put text that contains ': ' in quotes, or mend the indentation",
    ),
    "an open quote": ("unknown: 'Sorry", "6:10: this quote is never closed"),
    "an open bracket": ("holding: [Wait.", "6:10: this bracket is never closed"),
    "text after a quote": (
        'unknown: "Sorry" she said',
        "6:18: text follows a closing quote; put all of it in the quotes",
    ),
    "a backslash": (
        'unknown: "C:\\dir"',
        "6:14: this quoted text cannot be read; a backslash in it needs single quotes around",
    ),
    "a backslash beyond Unicode": (
        'unknown: "\\UFFFFFFFF"',
        "6:11: this backslash escape stands for no character; put the text in single quotes",
    ),
    "a character that begins nothing": (
        "unknown: @home",
        "6:10: text that begins with this character must be in quotes",
    ),
    "a dash out of line": (
        "holding:\n  - Wait.\n - Moment.",
        "8:2: this line is not in line with those above; mend the indentation or the dash",
    ),
    "no colon": (
        "unknown\ngoodbye: Bye.",
        "7:1: this should be a key with ': ' after it, or belong to a quoted text",
    ),
    "a control character": (
        "unknown: a\x07",
        "6:11: the character U+0007 cannot stand in a YAML file; delete it",
    ),
}


@pytest.mark.parametrize(("added", "expected"), ADDED.values(), ids=ADDED)
def test_a_mistake_is_placed_and_explained(added: str, expected: str) -> None:
    assert mistakes_in(f"{LEAST}{added}\n") == [f"f.yaml:{expected}"]


HOURS = {
    "no hours": ("fri: whenever", "fri: 'whenever' is not opening hours, such as 09:00-17:00, or closed"),
    "no time": ("fri: 09:00-late", "fri: 'late' is not a time of day, such as 09:00 or 17:30"),
    "an hour too many": (
        "fri: 25:00-26:00",
        "fri: '25:00' is not a time of day; hours go to 23, minutes to 59",
    ),
    "thirteen in the morning": ("fri: 13 am-5 pm", "fri: '13 am' is not a time of day, such as 9:30 am"),
    "the wrong way round": (
        "fri: 17:00-09:00",
        "fri[0]: closes must be later than opens; split a night into two days",
    ),
    "two at once": (
        "fri: [09:00-13:00, 12:00-17:00]",
        "fri: 12:00 is within the stretch 09:00-13:00; they must not overlap",
    ),
}


@pytest.mark.parametrize(("hours", "expected"), HOURS.values(), ids=HOURS)
def test_a_mistake_in_opening_hours_is_placed_and_explained(hours: str, expected: str) -> None:
    flow = LEAST.replace("{name: Corner Shop, time_zone: UTC}", "") + (
        f"  name: Corner Shop\n  time_zone: UTC\n  hours:\n    {hours}\n"
    )
    assert mistakes_in(flow) == [f"f.yaml:9:10: business.hours.{expected}"]


def test_a_day_that_is_no_weekday_is_placed_at_its_key() -> None:
    flow = LEAST.replace("UTC}", "UTC, hours: {mon: closed, monday: closed}}")
    assert mistakes_in(flow) == [
        "f.yaml:5:68: business.hours.monday: must be a weekday: mon, tue, wed, thu, fri, sat, sun"
    ]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "../../etc/passwd", "/etc/passwd"])
def test_a_time_zone_that_there_is_not(zone: str) -> None:
    assert mistakes_in(LEAST.replace("UTC", zone)) == [
        f"f.yaml:5:42: business.time_zone: '{zone}' is not an IANA time zone, such as America/New_York"
    ]


def test_another_version_of_the_format() -> None:
    assert mistakes_in(LEAST.replace("version: 1", "version: 2")) == [
        "f.yaml:1:10: version: must be 1; not 2"
    ]


@pytest.mark.parametrize("text", ["", "# nothing but this\n", "---\n...\n"])
def test_an_empty_file(text: str) -> None:
    assert mistakes_in(text)[0].startswith("f.yaml:1:1: ")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "42\n"])
def test_a_file_that_is_no_mapping(text: str) -> None:
    assert mistakes_in(text) == ["f.yaml:1:1: a flow is keys with values, such as 'version: 1'"]


def test_a_file_that_is_not_utf_8() -> None:
    assert mistakes_in(b"version: 1\nline: caf\xe9\n") == [
        "f.yaml:2:10: the byte 0xE9 is not UTF-8; save the file as UTF-8"
    ]


def test_a_huge_file_is_not_parsed() -> None:
    assert mistakes_in(b"#" * (1 << 21)) == ["f.yaml: is larger than 1 MiB"]


def test_aliases_that_multiply_are_stopped() -> None:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (mistake,) = mistakes_in("\n".join(bomb))
    assert mistake.endswith("more than 60000 values, with aliases (*) written out")


def test_an_alias_within_its_own_anchor_is_no_loop() -> None:
    assert (
        "f.yaml:6:18: holding[0]: *again names no anchor (&again) above; quote text that begins with *"
        in (mistakes_in(f"{LEAST}holding: &again [*again]\n"))
    )


def test_lists_without_end_are_stopped() -> None:
    (mistake,) = mistakes_in("facts: " + "[" * 100_000)
    assert mistake.endswith("nested more than 20 deep")


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order() -> None:
    flow = LEAST.replace("Hello.", "''") + "colour: red\nfacts:\n  - id: a\n    questions: []\nline: b\n"
    assert mistakes_in(flow) == [
        "f.yaml:4:11: greeting: must not be empty",
        "f.yaml:6:1: colour: is not a key of a flow",
        "f.yaml:8:5: facts[0].answer: is missing",
        "f.yaml:9:16: facts[0].questions: must have at least 1",
        "f.yaml:10:1: line: the key stands twice; the first is in line 3",
    ]


def test_one_mistake_reads_as_one_line_and_more_have_a_heading() -> None:
    with pytest.raises(FlowError) as one:
        parse_flow("- a", "f.yaml")
    assert str(one.value) == "f.yaml:1:1: a flow is keys with values, such as 'version: 1'"
    with pytest.raises(FlowError, match=r"^4 mistakes in flow files\nf\.yaml:1:1: business: is missing\n"):
        parse_flow("version: 1\n", "f.yaml")
