"""Comparable sales: widening, adjusting, weighing, refusing; and how good it is on real sales."""

from __future__ import annotations

import csv
import random
import statistics
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from domain import comps
from domain.comps import regression
from tests import real_data

AS_OF = date(2026, 11, 22)
SUBJECT = comps.House(lat=47.6, lon=-122.3, sqft=2000, beds=3, baths=2)
KING_COUNTY = real_data.KING_COUNTY
MILE = 1 / 69.09  # degrees of latitude


def sale(
    name: str, *, miles: float = 0.1, days: int = 30, dollars: int = 600_000, sqft: float = 2000
) -> comps.Sale:
    return comps.Sale(
        id=name,
        lat=SUBJECT.lat + miles * MILE,
        lon=SUBJECT.lon,
        sqft=sqft,
        beds=3,
        baths=2,
        price_cents=dollars * 100,
        sold_on=AS_OF - timedelta(days=days),
    )


def test_equal_sales_give_their_own_price() -> None:
    found = comps.estimate(SUBJECT, [sale(str(i)) for i in range(5)], AS_OF)

    assert (found.value_cents, found.low_cents, found.high_cents) == (60_000_000, 60_000_000, 60_000_000)
    assert (found.n, found.widened) == (5, False)
    assert found.effective_n == pytest.approx(5)
    assert found.confidence == comps.Confidence.HIGH
    assert found.text() == "5 sales within 1 mi and 12 months, as of 22 Nov 2026. Estimate, not an appraisal."


def test_it_widens_until_there_are_five_and_says_so() -> None:
    sales = [sale(str(i), miles=1.5, days=300) for i in range(4)]

    found = comps.estimate(SUBJECT, [*sales, sale("near")], AS_OF)

    assert (found.n, found.widened, found.step) == (5, True, comps.Step(miles=2, months=12))
    assert "widened" in found.text()


def test_with_four_comps_there_is_no_value_but_the_comps_are_shown() -> None:
    found = comps.estimate(SUBJECT, [sale(str(i)) for i in range(4)], AS_OF)

    assert (found.value_cents, found.low_cents, found.high_cents, found.confidence) == (
        None,
        None,
        None,
        None,
    )
    assert len(found.comps) == 4
    assert "No estimate: 4 comparable sales" in found.text()


def test_no_sales_at_all_are_no_error() -> None:
    found = comps.estimate(SUBJECT, [], AS_OF)

    assert (found.value_cents, found.n, found.effective_n) == (None, 0, 0)


def test_with_little_data_a_smaller_comp_is_raised_by_dollars_per_square_foot() -> None:
    sales = [sale(str(i)) for i in range(5)] + [sale("small", dollars=540_000, sqft=1800)]

    found = comps.estimate(SUBJECT, sales, AS_OF)

    small = next(comp for comp in found.comps if comp.sale.id == "small")
    assert small.adjustments == (("sqft", 6_000_000),)
    assert small.value_cents == 60_000_000
    assert small.gross_adjustment == pytest.approx(60 / 540)
    assert found.basis == "dollars per square foot"


def test_with_little_data_other_attributes_are_left_alone() -> None:
    sales = [replace(sale(str(i)), beds=4, baths=3) for i in range(5)]

    found = comps.estimate(SUBJECT, sales, AS_OF)

    assert all(comp.adjustments == () for comp in found.comps)


def test_near_recent_and_like_weighs_more() -> None:
    sales = [sale("best"), sale("far", miles=0.4), sale("old", days=80), sale("unlike", sqft=2500)]

    found = comps.estimate(SUBJECT, [*sales, sale("fifth", miles=0.3, days=60)], AS_OF)

    weights = {comp.sale.id: comp.weight for comp in found.comps}
    assert max(weights, key=lambda name: weights[name]) == "best"
    assert list(weights.values()) == sorted(weights.values(), reverse=True)


def test_the_day_itself_and_the_future_are_not_looked_at() -> None:
    future = [sale(str(i), days=-i) for i in range(6)]

    assert comps.estimate(SUBJECT, future, AS_OF).n == 0


def test_a_house_of_another_size_is_no_comp() -> None:
    assert comps.estimate(SUBJECT, [sale(str(i), sqft=6000) for i in range(9)], AS_OF).n == 0


def test_unknown_attributes_are_not_adjusted() -> None:
    bare = comps.House(lat=SUBJECT.lat, lon=SUBJECT.lon)

    found = comps.estimate(bare, [sale(str(i), sqft=1000 + 500 * i) for i in range(6)], AS_OF)

    assert all(comp.adjustments == () for comp in found.comps)


def market(n: int, monthly: float = 0.01) -> list[comps.Sale]:
    """A market that is known: $300 a square foot, rising by `monthly`."""
    chance = random.Random(7)
    made = []
    for i in range(n):
        days, sqft = chance.randint(1, 360), chance.uniform(1500, 2600)
        price = 300 * sqft * (1 + monthly) ** (-days / 30.4375)
        made.append(
            replace(
                sale(str(i), miles=chance.uniform(0, 0.9), days=days, sqft=sqft),
                price_cents=round(price * 100),
            )
        )
    return made


def test_with_enough_sales_a_local_regression_finds_the_market() -> None:
    found = comps.estimate(SUBJECT, market(150), AS_OF)

    assert found.basis == "local regression on 150 sales"
    assert found.monthly_change == pytest.approx(0.01, abs=0.002)
    assert found.value_cents == pytest.approx(60_000_000, rel=0.02)
    assert found.low_cents is not None
    assert found.high_cents is not None
    assert found.low_cents <= 60_000_000 <= found.high_cents


def test_ridge_finds_slopes_and_ignores_a_flat_column() -> None:
    rows = [[x, 5.0, x % 3] for x in range(60)]

    slopes = regression.ridge(rows, [2 * a - c for a, _, c in rows], penalty=1e-9)

    assert slopes == pytest.approx([2, 0, -1], abs=1e-6)


def king_county() -> list[comps.Sale]:
    with KING_COUNTY.open() as file:
        rows = list(csv.DictReader(file))
    return [
        comps.Sale(
            id=row["id"],
            price_cents=round(float(row["price"]) * 100),
            sold_on=datetime.strptime(row["date"][:8], "%Y%m%d").date(),  # noqa: DTZ007
            lat=float(row["lat"]),
            lon=float(row["long"]),
            sqft=float(row["sqft_living"]),
            lot_sqft=float(row["sqft_lot"]),
            beds=float(row["bedrooms"]),
            baths=float(row["bathrooms"]),
            year_built=float(row["yr_built"]),
            condition=float(row["condition"]),
            grade=float(row["grade"]),
        )
        for row in rows
    ]


@pytest.mark.skipif(not KING_COUNTY.exists(), reason="the King County sales are not on this machine")
def test_on_real_sales_the_median_error_is_near_ten_per_cent_and_the_range_holds_most_prices() -> None:
    sales = sorted(king_county(), key=lambda s: s.sold_on)
    errors, held = [], 0
    for subject in random.Random(3).sample(sales[-2500:], 80):
        before = (s for s in sales if s.id != subject.id and (subject.sold_on - s.sold_on).days >= 14)
        found = comps.estimate(subject, before, subject.sold_on)
        if found.value_cents and found.low_cents and found.high_cents:
            errors.append(abs(found.value_cents / subject.price_cents - 1))
            held += found.low_cents <= subject.price_cents <= found.high_cents

    assert len(errors) >= 70
    assert statistics.median(errors) <= 0.11
    assert 0.65 <= held / len(errors) <= 0.92
