"""Every cent of a commission, in the order of deduction."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import commission, errors
from domain.commission import Side, Terms

rate = st.decimals(0, 1, places=4)
CHECK = Terms(
    price_cents=500_000_00, referral_rate=Decimal("0.25"), agent_share=Decimal("0.80"), fees_cents=65_00
)


def test_the_check_figure_half_a_million_leaves_the_agent_8935() -> None:
    found = commission.statement(CHECK)

    assert found.gross_cents == 15_000_00
    assert found.referral_cents == 3_750_00
    assert found.after_pre_split_cents == 11_250_00
    assert found.broker_cents == found.company_cents == 2_250_00
    assert found.fees_cents == 65_00
    assert found.agent_net_cents == 8_935_00


def test_the_lines_go_from_gross_to_net() -> None:
    lines = dict(commission.statement(CHECK).lines())

    net = lines.pop("Agent net")

    assert sum(lines.values()) == net


def test_both_sides_earn_six_per_cent() -> None:
    found = commission.statement(Terms(price_cents=500_000_00, side_held=Side.BOTH))

    assert (found.gross_cents, found.listing_side_cents, found.buyer_side_cents) == (
        30_000_00,
        15_000_00,
        15_000_00,
    )


def test_each_side_alone_earns_its_own_rate() -> None:
    terms = {"price_cents": 100_000_00, "listing_rate": Decimal("0.03"), "buyer_rate": Decimal("0.025")}

    listing = commission.statement(Terms(**terms, side_held=Side.LISTING))  # type: ignore[arg-type]
    buyer = commission.statement(Terms(**terms, side_held=Side.BUYER))  # type: ignore[arg-type]

    assert (listing.gross_cents, buyer.gross_cents) == (3_000_00, 2_500_00)


@pytest.mark.parametrize(("price_cents", "gross_cents"), [(650, 20), (750, 22), (750_050, 22_502), (749, 22)])
def test_half_a_cent_goes_to_the_even_one(price_cents: int, gross_cents: int) -> None:
    assert commission.gross_cents(price_cents, Decimal("0.03")) == gross_cents


@pytest.mark.parametrize(
    ("left", "broker"), [(None, 3_000_00), (5_000_00, 3_000_00), (1_000_00, 1_000_00), (0, 0)]
)
def test_the_brokerage_takes_its_split_only_until_the_cap(left: int | None, broker: int) -> None:
    found = commission.statement(Terms(price_cents=500_000_00, cap_left_cents=left))

    assert found.broker_cents == broker
    assert found.agent_net_cents == 15_000_00 - broker
    assert found.cap_left_cents == (None if left is None else left - broker)


def test_franchise_and_team_take_their_parts_in_order() -> None:
    found = commission.statement(
        Terms(
            price_cents=100_000_00, franchise_rate=Decimal("0.06"), fees_cents=44_00, team_rate=Decimal("0.5")
        )
    )

    assert (found.franchise_cents, found.broker_cents) == (180_00, 564_00)
    assert found.team_cents == found.agent_net_cents == 1_106_00


def test_fees_above_the_agents_part_leave_a_debt_and_no_team_split() -> None:
    found = commission.statement(Terms(price_cents=100_00, fees_cents=10_00, team_rate=Decimal("0.5")))

    assert (found.team_cents, found.agent_net_cents) == (0, 2_40 - 10_00)


@given(
    st.builds(
        Terms,
        price_cents=st.integers(0, 10**11),
        side_held=st.sampled_from(list(Side)),
        listing_rate=rate,
        buyer_rate=rate,
        referral_rate=st.decimals(0, "0.5", places=4),
        franchise_rate=st.decimals(0, "0.5", places=4),
        agent_share=rate,
        cap_left_cents=st.none() | st.integers(0, 10**8),
        fees_cents=st.integers(0, 10**6),
        team_rate=rate,
    )
)
def test_parts_always_sum_to_the_gross(terms: Terms) -> None:
    found = commission.statement(terms)

    lines = [cents for _, cents in found.lines()]
    assert sum(lines[:-1]) == lines[-1]
    assert found.listing_side_cents + found.buyer_side_cents == found.gross_cents
    assert found.cap_left_cents is None or found.cap_left_cents >= 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"listing_rate": Decimal(3)}, "listing_rate"),
        ({"agent_share": Decimal("-0.1")}, "agent_share"),
        ({"referral_rate": Decimal("0.6"), "franchise_rate": Decimal("0.6")}, "referral_rate"),
        ({"price_cents": -1}, "price_cents"),
        ({"fees_cents": -1}, "fees_cents"),
        ({"cap_left_cents": -1}, "cap_left_cents"),
    ],
)
def test_figures_out_of_range_are_refused(change: dict[str, object], where: str) -> None:
    with pytest.raises(errors.RuleError) as caught:
        Terms(**{"price_cents": 100, **change})  # type: ignore[arg-type]
    assert caught.value.where == where
