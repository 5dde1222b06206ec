"""What fits a field, and the one way in which values are written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors, tables, values

GOOD = {
    "name": "Zoë 🏡",
    "agent_id": "018F0000-0000-7000-8000-000000000001",
    "timeline_days": 30,
    "score": 1,
    "opted_out": True,
    "consent_at": "2026-11-22T08:00:00-08:00",
    "price_on": "2026-11-22",
    "tags": ["a"],
    "answers": {"motivation": ["yes", None]},
    "phone": None,
}
BAD: list[tuple[str, Any]] = [
    ("name", None),
    ("name", 5),
    ("name", "a\x00"),
    ("name", "\ud83d"),
    ("agent_id", "018f00000000-7000-8000-0000-00000000001"),
    ("agent_id", "0x8f0000-0000-7000-8000-000000000001"),
    ("timeline_days", 1.5),
    ("timeline_days", True),
    ("timeline_days", 1 << 63),
    ("score", "1"),
    ("score", float("nan")),
    ("score", float("inf")),
    ("opted_out", 1),
    ("consent_at", "2026-11-22T08:00:00"),
    ("consent_at", "yesterday"),
    ("price_on", "2026-11-31"),
    ("price_on", "20261122"),
    ("price_on", "2026-W47-7"),
    ("consent_at", "2200-12-31T23:59:59-14:00"),  # the year 2201 already
    ("consent_at", "1900-01-01T00:00:00+14:00"),
    ("tags", "a"),
    ("answers", {"a\x00": 1}),
    ("answers", [float("inf")]),
    ("shoe_size", 44),
    # asyncpg writes the first and the last moment of all as ±infinity, which comes back as nothing
    ("consent_at", "0001-01-01T00:00:00Z"),
    ("consent_at", "9999-12-31T23:59:59Z"),
    ("price_on", "0001-01-01"),
    ("price_cents", 10**15 + 1),
    ("price_cents", -(10**15) - 1),
    ("lat", 90.5),
    ("lon", -180.5),
    ("tags", ["a", 5]),
    ("stage", "nonsense"),
    ("kind", "nonsense"),
]


def test_good_values_pass_and_are_written_in_one_way() -> None:
    values.check_values(tables.LEADS, GOOD)
    written = values.canonical(tables.LEADS, GOOD)
    assert written["consent_at"] == "2026-11-22T16:00:00.000Z"
    assert written["agent_id"] == "018f0000-0000-7000-8000-000000000001"
    assert values.canonical(tables.LEADS, written) == written


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_naming_its_field(name: str, value: Any) -> None:
    with pytest.raises(errors.InputError) as caught:
        values.check_values(tables.LEADS, {name: value})
    assert caught.value.where == f"leads.{name}"
    assert name in caught.value.message


def test_of_what_is_only_compared_with_the_unsound_is_left_out() -> None:
    given = {"name": "a", "shoe_size": 44, "score": "x", "phone": None}
    assert values.sound(tables.LEADS, given) == {"name": "a", "phone": None}


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001 - the zone comes below
    st.integers(-14 * 60, 14 * 60),
)
def test_text_order_of_times_is_their_order(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text, later = values.time_text(aware), values.time_text(aware + timedelta(milliseconds=1))
    assert text < later
    assert len(text) == 24
    assert abs(values.parse_time(text) - aware) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("soon", '"soon"'),
        ("a\x00b", '"a\ufffdb"'),
        ("half \ud800", '"half \ufffd"'),
        ("x" * 61, '"' + "x" * 60 + '…"'),
        (None, "nothing"),
        (True, "true"),
        (5, "5"),
        (2.5, "2.5"),
        (["a"], "a list"),
        ({"a": 1}, "an object"),
    ],
)
def test_a_value_is_named_as_a_person_reads_it(value: Any, said: str) -> None:
    assert values.shown(value) == said


def test_the_reason_of_a_refusal_is_a_sentence() -> None:
    with pytest.raises(errors.InputError) as caught:
        values.check_values(tables.LEADS, {"price_cents": [1]})
    assert caught.value.message == "price_cents must be a whole number, not a list."
    with pytest.raises(errors.InputError) as caught:
        values.check_values(tables.LEADS, {"name": False})
    assert caught.value.message == "name must be text, not false."


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", "x" * 500_001), ("answers", {"a": "x" * 500_000}), ("tags", ["x" * 1000] * 500)],
)
def test_what_no_reader_could_hold_is_refused_and_never_compared_with(name: str, value: Any) -> None:
    with pytest.raises(errors.InputError, match="at most 500000 characters long, not"):
        values.check_values(tables.LEADS, {name: value})
    assert values.sound(tables.LEADS, {name: value}) == {}


def test_a_long_text_is_taken() -> None:
    values.check_values(tables.LEADS, {"name": "x" * 500_000})


@pytest.mark.parametrize("name", ["phone", "email", "external_id"])
def test_what_leads_are_found_by_is_short_and_a_longer_one_of_former_days_is_still_compared_with(
    name: str,
) -> None:
    values.check_values(tables.LEADS, {name: "x" * 300})
    with pytest.raises(errors.InputError, match=f"^{name} must be at most 300 characters long, not"):
        values.check_values(tables.LEADS, {name: "x" * 301})
    assert values.sound(tables.LEADS, {name: "x" * 301})
