"""Plain stored values read as facts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain import facts


@pytest.mark.parametrize(
    ("word", "value"), [("high", 1), ("Mixed", 0.5), ("two_mortgages", 1), ("the view", None), (None, None)]
)
def test_motivation_words(word: str | None, value: float | None) -> None:
    assert facts.motivation(word) == value


def test_financing_words_with_and_without_hyphen() -> None:
    assert facts.financing("pre approved") == facts.financing("Pre-Approved") == 0.9
    assert facts.condition("needs_work") == 0.5


@pytest.mark.parametrize("value", [True, "x", None, float("nan"), float("inf"), [], "1e999"])
def test_what_is_no_number_is_unknown(value: object) -> None:
    assert facts.number(value) is None
    assert facts.whole(value) is None


def test_numbers_from_text() -> None:
    assert facts.number(" 3.5 ") == 3.5
    assert facts.whole("45") == 45
    assert facts.text("  ") is None


@pytest.mark.parametrize("value", ["2026-11-22T12:00:00Z", "2026-11-22T12:00:00", 1795348800000])
def test_moments_in_every_stored_shape(value: object) -> None:
    assert facts.moment(value) == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_broken_moment_is_unknown() -> None:
    assert facts.moment("soon") is None
    assert facts.moment(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001
