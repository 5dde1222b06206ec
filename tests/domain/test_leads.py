"""Temperature, answer clock, override, qualification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors, leads
from domain.leads import Temperature

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (100, "hot"),
        (75, "hot"),
        (74.9, "warm"),
        (50, "warm"),
        (49.9, "lukewarm"),
        (25, "lukewarm"),
        (24.9, "cold"),
        (10, "cold"),
        (9.9, "ice_cold"),
        (0, "ice_cold"),
    ],
)
def test_temperature_follows_the_limits(score: float, expected: str) -> None:
    assert leads.temperature(score) == expected


@pytest.mark.parametrize(
    ("score", "previous", "expected"),
    [
        (72, "hot", "hot"),
        (71.9, "hot", "warm"),
        (75, "warm", "hot"),
        (74, "warm", "warm"),
        (47, "warm", "warm"),
        (46, "warm", "lukewarm"),
        (30, "hot", "lukewarm"),
        (8, "cold", "cold"),
        (6.9, "cold", "ice_cold"),
    ],
)
def test_a_lead_cools_only_three_points_below_its_limit(score: float, previous: str, expected: str) -> None:
    assert leads.temperature(score, previous) == expected


@given(score=st.floats(0, 100), previous=st.sampled_from(list(Temperature)))
def test_temperature_is_stable_when_asked_twice(score: float, previous: Temperature) -> None:
    first = leads.temperature(score, previous)

    assert leads.temperature(score, first) == first


def test_limits_are_data() -> None:
    rule = leads.TemperatureRule(version="ours", hot=90)

    assert leads.temperature(80, rule=rule) == Temperature.WARM


def test_hot_is_answered_in_five_minutes_and_warm_in_a_day() -> None:
    assert leads.answer_due("hot", NOW) == NOW + timedelta(minutes=5)
    assert leads.answer_due("warm", NOW) == NOW + timedelta(hours=24)
    assert leads.answer_due("cold", NOW) is None


def test_an_override_ends_after_fourteen_days() -> None:
    override = leads.Override(temperature=Temperature.HOT, reason="called me at home", made_at=NOW)

    before = leads.effective_temperature(Temperature.COLD, override, NOW + timedelta(days=13, hours=23))
    after = leads.effective_temperature(Temperature.COLD, override, NOW + timedelta(days=14))

    assert (before, after) == (Temperature.HOT, Temperature.COLD)
    assert leads.effective_temperature(Temperature.COLD, None, NOW) == Temperature.COLD


def test_an_override_needs_a_reason() -> None:
    with pytest.raises(errors.RuleError, match="reason"):
        leads.Override(temperature=Temperature.HOT, reason="  ", made_at=NOW)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (None, 0),
        ("", 0),
        ("not json", 0),
        ("3", 0),
        ('["yes", true, 0, ""]', 3),
        ('{"motivation": "divorce", "timeline": true, "condition": false, "price": null}', 2),
        ([True, True, True, True], 4),
        ({"a": "x", "b": " "}, 1),
    ],
)
def test_answers_are_counted_in_every_shape(answers: leads.Answers, expected: int) -> None:
    assert leads.answers_given(answers) == expected


@pytest.mark.parametrize(
    ("answers", "quality", "days", "expected"),
    [
        ([1, 1, 1, 1], 0.7, 45, True),
        ([1, 1, 1, None], 0.9, 10, False),
        ([1, 1, 1, 1], 0.69, 10, False),
        ([1, 1, 1, 1], 0.9, 46, False),
        ([1, 1, 1, 1], None, 10, False),
        ([1, 1, 1, 1], 0.9, None, False),
    ],
)
def test_qualified_needs_all_three(
    answers: list[object], quality: float | None, days: float | None, *, expected: bool
) -> None:
    assert leads.is_qualified(answers, quality, days) is expected


def test_closed_and_lost_are_not_open() -> None:
    assert [stage for stage in leads.Stage if not leads.is_open(stage)] == ["closed", "lost"]


def test_a_leads_own_fields_answer_what_nobody_wrote_down() -> None:
    row = {
        "kind": "buyer",
        "answers": {"area": "east", "budget": " "},
        "price_cents": 5,
        "timeline_days": None,
    }

    assert leads.answers_known(row) == {"area": "east", "budget": 5}
    assert leads.answers_known({}) == {}
