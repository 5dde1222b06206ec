"""The cold-start lead score and its reasons."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import scoring
from domain.leads import Kind

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
unit = st.none() | st.floats(0, 1)
points = st.none() | st.floats(0, 100)


def test_score_is_six_tenths_readiness_and_four_tenths_fading_commitment() -> None:
    known = scoring.Inputs(kind=Kind.SELLER, frs=80, pcs=60, days_since_inbound=21)

    score = scoring.lead_score(known)

    assert score.value == pytest.approx(0.6 * 80 + 0.4 * 60 * 0.5)
    assert (score.frs, score.pcs) == pytest.approx((80, 60))
    assert score.unknown == ()


def test_seller_readiness_by_its_four_parts() -> None:
    known = scoring.Inputs(
        kind=Kind.SELLER,
        motivation="high",
        timeline_days=120,
        condition="needs work",
        price_cents=110_000_00,
        comps_mid_cents=100_000_00,
    )

    expected = 0.35 + 0.30 * math.exp(-1) + 0.20 * 0.5 + 0.15 * 0.5

    assert scoring.frs(known) == pytest.approx(100 * expected)


def test_buyer_readiness_by_its_three_parts() -> None:
    known = scoring.Inputs(kind=Kind.BUYER, financing="cash", timeline_days=20, preferences=0.5)

    assert scoring.frs(known) == pytest.approx(100 * (0.40 + 0.35 + 0.25 * 0.5))


def test_commitment_by_its_five_parts() -> None:
    known = scoring.Inputs(
        kind=Kind.BUYER, reply_speed=1, length=0.8, question_depth=0.5, objections=0.4, call_acceptance=0
    )

    assert scoring.pcs(known) == pytest.approx(100 * (0.20 + 0.15 * 0.8 + 0.20 * 0.5 + 0.25 * 0.4))


def test_nothing_known_is_neutral_and_says_so() -> None:
    score = scoring.lead_score(scoring.Inputs(kind=Kind.SELLER))

    assert score.value == pytest.approx(0.6 * 50 + 0.4 * 50 * 0.5)
    assert score.frs is None
    assert score.pcs is None
    assert len(score.unknown) == len(score.terms) == 10
    assert {term.detail for term in score.terms} == {"unknown: counted as neutral"}
    assert scoring.frs(scoring.Inputs(kind=Kind.BUYER)) == scoring.pcs(scoring.Inputs(kind=Kind.BUYER)) == 50


def test_missing_is_not_zero() -> None:
    unknown = scoring.lead_score(scoring.Inputs(kind=Kind.SELLER, timeline_days=30))
    low = scoring.lead_score(scoring.Inputs(kind=Kind.SELLER, timeline_days=30, motivation="low"))

    assert unknown.value > low.value


@given(
    st.builds(
        scoring.Inputs,
        kind=st.sampled_from(list(Kind)),
        motivation=st.sampled_from([None, "low", "high", "?"]),
        timeline_days=points,
        frs=points,
        pcs=points,
        reply_speed=unit,
        preferences=unit,
        days_since_inbound=points,
    )
)
def test_reasons_always_add_up_to_the_score(known: scoring.Inputs) -> None:
    score = scoring.lead_score(known)

    assert sum(term.points for term in score.terms) == pytest.approx(score.value, abs=1e-9)
    assert 0 <= score.value <= 100 + 1e-9


def test_known_parts_beat_a_reading_of_the_whole() -> None:
    known = scoring.Inputs(kind=Kind.BUYER, financing="none", timeline_days=400, preferences=0, frs=95)

    assert scoring.frs(known) < 5


def test_scoring_its_own_result_again_changes_nothing() -> None:
    row = {"kind": "seller", "motivation": "divorce", "last_inbound_at": NOW.isoformat()}
    first = scoring.lead_score(scoring.inputs(row, NOW))

    again = scoring.lead_score(scoring.inputs({**row, "frs": first.frs, "pcs": first.pcs}, NOW))

    assert again.value == pytest.approx(first.value)


def test_inputs_come_from_a_stored_row() -> None:
    row = {
        "kind": "buyer",
        "timeline_days": "30",
        "financing": "cash",
        "answers": '{"budget": "400k", "financing": "cash", "timeline": false, "area": ""}',
        "last_inbound_at": (NOW - timedelta(days=7)).isoformat(),
        "price_cents": None,
    }

    known = scoring.inputs(row, NOW)

    assert known.days_since_inbound == pytest.approx(7)
    assert (known.preferences, known.timeline_days, known.kind) == (0.5, 30, Kind.BUYER)


def test_odd_values_in_a_row_count_as_unknown() -> None:
    known = scoring.inputs(
        {"timeline_days": "soon", "last_inbound_at": "?", "answers": 7, "frs": "high"}, NOW
    )

    assert known == scoring.Inputs(kind=Kind.SELLER)


@pytest.mark.parametrize(("ask", "expected"), [(90, 1), (100, 1), (110, 0.5), (120, 0), (200, 0)])
def test_price_realism_falls_to_zero_at_twenty_per_cent_above(ask: int, expected: float) -> None:
    assert scoring.price_realism(ask * 100, 100 * 100) == pytest.approx(expected)


def test_price_realism_is_unknown_without_comparable_sales() -> None:
    assert scoring.price_realism(100, None) is None
    assert scoring.price_realism(None, 100) is None
    assert scoring.price_realism(100, 0) is None
