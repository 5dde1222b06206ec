"""What a deal pays and who gets it, in whole cents: the parts always sum to the total."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction

from domain import errors, shares


class Side(StrEnum):
    LISTING = "listing"
    BUYER = "buyer"
    BOTH = "both"


class Payer(StrEnum):
    SELLER = "seller"
    BUYER = "buyer"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A deal's terms, all editable; rates are parts of 1 (".03"). The defaults are the market's."""

    price_cents: int
    side_held: Side = Side.LISTING
    listing_rate: Decimal = Decimal("0.03")
    buyer_rate: Decimal = Decimal("0.03")
    who_pays: Payer = Payer.SELLER
    referral_rate: Decimal = Decimal(0)
    franchise_rate: Decimal = Decimal(0)
    agent_share: Decimal = Decimal("0.80")
    cap_left_cents: int | None = None
    fees_cents: int = 0
    team_rate: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        for name in (
            "listing_rate",
            "buyer_rate",
            "referral_rate",
            "franchise_rate",
            "agent_share",
            "team_rate",
        ):
            _check(0 <= getattr(self, name) <= 1, name, "Give a part of 1: 3 % is 0.03.")
        _check(self.referral_rate + self.franchise_rate <= 1, "referral_rate", "Pre-splits exceed the whole.")
        for name in ("price_cents", "fees_cents"):
            _check(getattr(self, name) >= 0, name, "Give an amount of 0 or more, in cents.")
        _check((self.cap_left_cents or 0) >= 0, "cap_left_cents", "A cap that is used up is 0.")


def _check(holds: bool, where: str, hint: str) -> None:
    if not holds:
        raise errors.RuleError("This figure is out of range.", where=where, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Where each cent of the gross commission went, in the order of deduction."""

    gross_cents: int
    listing_side_cents: int
    buyer_side_cents: int
    referral_cents: int
    franchise_cents: int
    broker_cents: int
    fees_cents: int
    team_cents: int
    agent_net_cents: int
    cap_left_cents: int | None

    @property
    def after_pre_split_cents(self) -> int:
        return self.gross_cents - self.referral_cents - self.franchise_cents

    @property
    def company_cents(self) -> int:
        """What the brokerage keeps (its net company dollars); fees pass through it."""
        return self.broker_cents

    def lines(self) -> tuple[tuple[str, int], ...]:
        """The waterfall: gross first, deductions negative, the agent's net last; deductions + gross = net."""
        return (
            ("Gross commission", self.gross_cents),
            ("Referral", -self.referral_cents),
            ("Franchise", -self.franchise_cents),
            ("Brokerage", -self.broker_cents),
            ("Fees", -self.fees_cents),
            ("Team", -self.team_cents),
            ("Agent net", self.agent_net_cents),
        )


def statement(terms: Terms) -> Statement:
    """Gross of the side → referral and franchise → split until the cap → fees → team → net."""
    listing, buyer = _sides(terms)
    gross = listing + buyer
    rest = 1 - terms.referral_rate - terms.franchise_rate
    referral, franchise, left = _split(gross, [terms.referral_rate, terms.franchise_rate, rest])
    broker = _split(left, [1 - terms.agent_share, terms.agent_share])[0]
    if terms.cap_left_cents is not None:
        broker = min(broker, terms.cap_left_cents)
    after_fees = left - broker - terms.fees_cents
    team = _split(after_fees, [terms.team_rate, 1 - terms.team_rate])[0] if after_fees > 0 else 0
    return Statement(
        gross_cents=gross,
        listing_side_cents=listing,
        buyer_side_cents=buyer,
        referral_cents=referral,
        franchise_cents=franchise,
        broker_cents=broker,
        fees_cents=terms.fees_cents,
        team_cents=team,
        agent_net_cents=after_fees - team,
        cap_left_cents=None if terms.cap_left_cents is None else terms.cap_left_cents - broker,
    )


def _sides(terms: Terms) -> tuple[int, int]:
    """The commission of each side held; both together are rounded once, then split."""
    held = {
        Side.LISTING: (terms.listing_rate, Decimal(0)),
        Side.BUYER: (Decimal(0), terms.buyer_rate),
        Side.BOTH: (terms.listing_rate, terms.buyer_rate),
    }[terms.side_held]
    total = gross_cents(terms.price_cents, held[0] + held[1])
    listing, buyer = _split(total, list(held))
    return listing, buyer


def _split(total: int, weights: list[Decimal]) -> list[int]:
    return shares.split(total, [Fraction(weight) for weight in weights])


def gross_cents(price_cents: int, rate: Decimal) -> int:
    """Price times rate, to the cent: half to the even one, once, as it is written (design, backend §2.1)."""
    return int((price_cents * rate).quantize(Decimal(1), ROUND_HALF_EVEN))
