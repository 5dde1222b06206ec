"""Telephone numbers written, typed and spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors, phones


@pytest.mark.parametrize(
    "text",
    [
        "512-555-0147",
        "(512) 555-0147",
        "512.555.0147",
        "5125550147",
        "1 512 555 0147",
        "+1 512 555 0147",
        "15125550147",
        "512/555-0147",
        "512 555 0147 ext. 12",
        "512 555 0147 x9",
    ],
)
def test_every_way_of_writing_is_one_number(text: str) -> None:
    assert phones.normalise(text) == "+15125550147"


@pytest.mark.parametrize(
    ("text", "number"), [("+44 20 7946 0958", "+442079460958"), ("+49 30 123456", "+4930123456")]
)
def test_numbers_of_other_countries_need_a_plus(text: str, number: str) -> None:
    assert phones.parse(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "555-0147",
        "112 555 0147",
        "512 155 0147",
        "+12",
        "+1 512",
        "call me",
        "+0123456789",
        "512 555 01478",
        "1" * 20,
    ],
)
def test_what_is_no_number_is_refused_with_a_hint(text: str) -> None:
    assert phones.parse(text) is None
    with pytest.raises(errors.InputError) as caught:
        phones.normalise(text)
    assert caught.value.where == "phone"
    assert caught.value.hint


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = phones.parse(text)

    assert number is None or phones.parse(number) == number


def test_pretty() -> None:
    assert phones.pretty("+15125550147") == "(512) 555-0147"
    assert phones.pretty("+442079460958") == "+44 207 946 095 8"
    assert phones.pretty("no number") == "no number"


def test_area_code() -> None:
    assert phones.area_code("+15125550147") == "512"
    assert phones.area_code("+442079460958") is None
    assert phones.area_code(None) is None


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("Cell: 909-555-1005", ["+19095551005"]),
        ("909-555-1006 / 909-555-1007", ["+19095551006", "+19095551007"]),
        ("(909) 555-1006 (909) 555-1007", ["+19095551006", "+19095551007"]),
        ("19095551006,9095551006 x2 home", ["+19095551006"]),
        ("+44 20 7946 0958; 909.555.1005", ["+442079460958", "+19095551005"]),
        ("call after 5: 909/555-1005", ["+19095551005"]),
        ("９０９－５５５－１００５", ["+19095551005"]),
        ("٩٠٩ ٥٥٥ ١٠٠٥", ["+19095551005"]),
        ("909–555–1005​", ["+19095551005"]),
        ("555-555-5555", []),
        ("12345678901234567890", []),
        ("ask her", []),
        ("", []),
    ],
)
def test_a_field_says_each_of_its_numbers_once(field: str, found: list[str]) -> None:
    assert list(phones.numbers(field)) == found


@given(st.text(alphabet="0123456789+-()./ x,１١–​", max_size=40))
def test_a_field_of_one_number_says_that_number(text: str) -> None:
    number = phones.parse(text)

    assert number is None or len(set(number[2:])) == 1 or phones.numbers(text) == (number,)


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("five one two", "512"),
        ("double five, oh, triple nine", "550999"),
        ("two one oh, five five five, oh one three eight", "2105550138"),
        ("5 one 2", "512"),
        ("nothing", ""),
    ],
)
def test_spoken_digits(words: str, digits: str) -> None:
    assert phones.spoken_digits(words) == digits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Her number is 512-555-0147. Bye", "512-555-0147"),
        (
            "Call five one two, five five five, oh one four seven tomorrow",
            "five one two, five five five, oh one four seven",
        ),
        ("cell: +1 (512) 555-0147", "+1 (512) 555-0147"),
        ("at 5 1 2 5 5 5 0 1 4 7.", "5 1 2 5 5 5 0 1 4 7"),
    ],
)
def test_a_number_is_found_with_its_words(text: str, words: str) -> None:
    found = phones.find(text)

    assert [(item.number, item.words) for item in found] == [("+15125550147", words)]
    assert text[found[0].start : found[0].end] == words


@pytest.mark.parametrize(
    "text", ["asking $325,000 for 1422 Maple", "one two three", "8305550111222", "830-55-0111-7-seater"]
)
def test_other_numbers_are_no_telephone(text: str) -> None:
    assert phones.find(text) == ()
