"""The odds of a deal and the weighted pipeline."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import deals
from domain.leads import Kind, Stage


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("new", 0.01),
        ("contacted", 0.025),
        ("qualified", 0.07),
        ("agreement", 0.25),
        ("offer", 0.50),
        ("contract", 0.85),
        ("closed", 1),
        ("lost", 0),
    ],
)
def test_default_odds_by_stage(stage: str, expected: float) -> None:
    assert deals.odds(stage).value == expected


def test_a_listed_seller_closes_with_70_per_cent_and_an_offer_is_no_step_back() -> None:
    values = [deals.odds(stage, Kind.SELLER).value for stage in deals.ORDER]

    assert values[3] == 0.70
    assert values == sorted(values)


def test_defaults_say_that_they_are() -> None:
    assert deals.odds(Stage.NEW) == deals.Odds(value=0.01, is_default=True, n=0)


def test_own_history_counts_from_thirty_cases_on() -> None:
    few = {Stage.CONTRACT: deals.StepCount(reached=29, advanced=0)}
    enough = {Stage.CONTRACT: deals.StepCount(reached=30, advanced=30)}

    assert deals.odds("contract", history=few).is_default
    found = deals.odds("contract", history=enough)
    assert (found.is_default, found.n) == (False, 30)
    assert found.value == pytest.approx(38.5 / 40)


def test_odds_are_the_product_of_the_remaining_step_rates() -> None:
    history = {
        Stage.OFFER: deals.StepCount(reached=100, advanced=40),
        Stage.CONTRACT: deals.StepCount(reached=50, advanced=45),
    }

    found = deals.odds("offer", history=history)

    offer = (40 + 10 * 0.50 / 0.85) / 110
    contract = (45 + 10 * 0.85) / 60
    assert found.value == pytest.approx(offer * contract)
    assert found.n == 50


@given(
    st.dictionaries(
        st.sampled_from(deals.ORDER[:-1]),
        st.integers(30, 1000).flatmap(
            lambda n: st.builds(deals.StepCount, reached=st.just(n), advanced=st.integers(0, n))
        ),
    ),
    st.sampled_from(list(Kind)),
)
def test_odds_never_fall_along_the_pipe(history: dict[Stage, deals.StepCount], kind: Kind) -> None:
    values = [deals.odds(stage, kind, history).value for stage in deals.ORDER]

    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(values))
    assert 0 <= values[0] <= values[-1] == 1


def deal(stage: Stage, company: int) -> deals.OpenDeal:
    return deals.OpenDeal(stage=stage, kind=Kind.BUYER, gross_cents=company * 5, company_cents=company)


def test_the_pipeline_weighs_company_dollars_and_leaves_out_what_is_over() -> None:
    found = deals.pipeline(
        [
            deal(Stage.OFFER, 2_250_00),
            deal(Stage.QUALIFIED, 1_000_00),
            deal(Stage.CLOSED, 9),
            deal(Stage.LOST, 9),
        ]
    )

    assert found == deals.Pipeline(gross_cents=16_250_00, weighted_cents=1_125_00 + 70_00, n=2, defaults=2)


def test_an_empty_pipe_is_zero_of_zero() -> None:
    assert deals.pipeline([]) == deals.Pipeline(gross_cents=0, weighted_cents=0, n=0, defaults=0)
    assert deals.weighted_parts([]) == []


def test_the_parts_of_the_pipeline_sum_to_its_figure() -> None:
    many = [deal(Stage.NEW, 33), deal(Stage.CONTACTED, 77), deal(Stage.OFFER, 101), deal(Stage.CLOSED, 5)]

    assert sum(deals.weighted_parts(many)) == deals.pipeline(many).weighted_cents
    assert deals.deal_weighted_cents(many[2]) == 50
