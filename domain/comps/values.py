"""A house and a sale, as far as they are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The subject. None = unknown: such an attribute is neither compared nor adjusted."""

    lat: float
    lon: float
    sqft: float | None = None
    lot_sqft: float | None = None
    beds: float | None = None
    baths: float | None = None
    year_built: float | None = None
    condition: float | None = None
    grade: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale(House):
    """A closed sale."""

    id: str
    price_cents: int
    sold_on: date
    address: str = ""


# Names of the attributes that are adjusted, in the order shown.
ATTRIBUTES = ("sqft", "lot_sqft", "beds", "baths", "year_built", "condition", "grade")


def months_between(earlier: date, later: date) -> float:
    return (later - earlier).days / DAYS_PER_MONTH
