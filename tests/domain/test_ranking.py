"""Whom to see next, and where the missing points went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import ranking

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_near_hot_lead_ranks_81_5_and_the_bars_say_why() -> None:
    rank = ranking.rank(82, 0.9, 4)

    assert rank.shown == 81.5
    assert {bar.name: bar.shown for bar in rank.bars} == {"score": 8.1, "urgency": 2.9, "distance": 7.5}


def test_better_lead_far_away_and_calm_ranks_43() -> None:
    assert ranking.rank(90, 0.4, 25).shown == 43.0


@given(score=st.floats(-10, 120), urgency=st.floats(-1, 2), minutes=st.floats(0, 1e6))
def test_bars_always_sum_to_the_missing_points(score: float, urgency: float, minutes: float) -> None:
    rank = ranking.rank(score, urgency, minutes)

    assert sum(bar.lost for bar in rank.bars) == pytest.approx(100 - rank.value, abs=1e-9)
    assert sum(bar.lost_tenths for bar in rank.bars) == 1000 - round(rank.value * 10)
    assert all(bar.lost >= 0 and 0.05 <= bar.factor <= 1 for bar in rank.bars)
    assert 5 - 1e-9 <= rank.value <= 100


@given(score=st.floats(0, 100), urgency=st.floats(0, 1), minutes=st.floats(0, 300))
def test_points_alone_are_the_rank(score: float, urgency: float, minutes: float) -> None:
    assert ranking.points(score, urgency, minutes) == ranking.rank(score, urgency, minutes).value


def test_a_perfect_lead_next_door_loses_nothing() -> None:
    rank = ranking.rank(100, 1, 0)

    assert rank.value == 100
    assert [bar.lost for bar in rank.bars] == [0, 0, 0]


def test_drive_time_is_great_circle_times_1_3() -> None:
    assert ranking.drive_minutes(40, speed_kmh=40) == pytest.approx(78)
    assert ranking.drive_minutes(-1) == 0
    with pytest.raises(ValueError, match="speed"):
        ranking.drive_minutes(1, speed_kmh=0)


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


def test_nothing_due_is_calm() -> None:
    assert ranking.urgency(NOW) == ranking.Urgency(value=0.2, reasons=("nothing due",))


def test_an_overdue_answer_is_as_urgent_as_can_be() -> None:
    found = ranking.urgency(NOW, answer_due_at=hours(-0.2))

    assert found == ranking.Urgency(value=1.0, reasons=("answer overdue by 12 min",))


def test_the_strongest_clock_decides_and_comes_first() -> None:
    found = ranking.urgency(
        NOW, answer_due_at=hours(20), task_due_at=hours(-72), contract_deadline_at=hours(240)
    )

    assert found.value == pytest.approx(0.9)
    assert found.reasons == ("task overdue by 3 days", "answer due in 20 h", "contract deadline in 10 days")


def test_urgency_rises_as_the_answer_comes_due() -> None:
    values = [ranking.urgency(NOW, answer_due_at=hours(h)).value for h in (48, 24, 12, 1, 0)]

    assert values == sorted(values)
    assert values[1] == pytest.approx(0.4)


def test_a_closing_window_presses_and_a_closed_one_halves() -> None:
    open_all_day = ranking.urgency(NOW, task_due_at=hours(10), window_minutes_left=300)
    closing = ranking.urgency(NOW, task_due_at=hours(10), window_minutes_left=20)
    closed = ranking.urgency(NOW, task_due_at=hours(10), window_minutes_left=0)

    assert closed.value == pytest.approx(open_all_day.value / 2)
    assert open_all_day.value < closing.value < 1
    assert "window closes in 20 min" in closing.reasons[0]


def test_an_appointment_does_not_wait_for_the_window() -> None:
    soon = ranking.urgency(NOW, appointment_at=hours(0.5), window_minutes_left=0)

    assert soon.value > 0.95
    assert ranking.urgency(NOW, appointment_at=hours(-1)).reasons == ("nothing due",)


def test_a_missed_contract_deadline_is_urgent() -> None:
    assert ranking.urgency(NOW, contract_deadline_at=hours(-1)).value == 1
