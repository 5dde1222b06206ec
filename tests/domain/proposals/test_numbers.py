"""Spelled numbers and the trade's short forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.proposals import numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("four hundred fifty thousand", 450_000),
        ("two hundred and twelve thousand", 212_000),
        ("four hundred and fifty", 450),
        ("two eighty", 280),
        ("six forty", 640),
        ("two forty five", 245),
        ("two oh five", 205),
        ("four eighty nine nine", 489.9),
        ("four fifty thousand", 450_000),
        ("twelve hundred", 1200),
        ("a hundred", 100),
        ("1.2 million", 1_200_000),
        ("one point two million", 1_200_000),
        ("one point oh five million", 1_050_000),
        ("a million two", 1_200_000),
        ("a million", 1_000_000),
        ("one million fifty thousand", 1_050_000),
        ("half a million", 500_000),
        ("half a mil", 500_000),
        ("$325,000", 325_000),
        ("$1.2M", 1_200_000),
        ("210k", 210_000),
        ("210 K", 210_000),
        ("195 thousand", 195_000),
        ("2.75 hundred thousand", 275_000),
        ("six-forty", 640),
        ("ninety", 90),
        ("three hundred grand", 300_000),
        ("a million fifty", 1_050_000),
        ("two eighty nine nine fifty", 289.95),
        ("four ninety nine nine hundred", 499.9),
        ("three forty nine five hundred", 349.5),
    ],
)
def test_one_number(text: str, value: float) -> None:
    found = numbers.find(text)

    assert [number.value for number in found] == [pytest.approx(value)]


@pytest.mark.parametrize(
    "text",
    [
        "five one two",
        "one two thousand",
        "point hundred",
        "half five",
        "oh",
        "one two three four",
        "point",
        "none",
        "often",
        "someone",
    ],
)
def test_no_number(text: str) -> None:
    assert numbers.find(text) == []


def test_numbers_keep_their_places() -> None:
    text = "thinking 310, maybe three fifteen"

    assert [text[n.start : n.end] for n in numbers.find(text)] == ["310", "three fifteen"]


def spelled(value: int) -> str:
    """English for 1 to 999."""
    ones = {n: word for word, n in numbers.UNITS.items()}
    tens = {n: word for word, n in numbers.TENS.items() if word != "fourty"}
    hundreds, rest = divmod(value, 100)
    words = [ones[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words += [tens[rest - rest % 10], *([ones[rest % 10]] if rest % 10 else [])]
    elif rest:
        words.append(ones[rest])
    return " ".join(words)


@given(st.integers(1, 999))
def test_every_spelled_thousand_is_read(value: int) -> None:
    assert [n.value for n in numbers.find(f"{spelled(value)} thousand")] == [value * 1000]


@given(st.text(max_size=60))
def test_any_text_is_read_without_failing(text: str) -> None:
    for number in numbers.find(text):
        assert 0 <= number.start < number.end <= len(text)
