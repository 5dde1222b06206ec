"""Leads and sales around a place, as screens show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain import ports, ranking
from services import sync_words


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyLead:
    """One move: the lead, its rank with the three bars, how far, why, and whether now is allowed."""

    id: str
    name: str
    kind: str
    stage: str
    temperature: str
    score: float | None
    phone: str
    address: str
    lat: float
    lon: float
    price_cents: int | None
    mine: bool
    qualified: bool
    rank: float
    bars: tuple[ranking.Bar, ...]
    reasons: tuple[str, ...]
    km: float | None
    minutes: float | None
    contact_text: str
    call_allowed: bool
    text_allowed: bool
    opted_out: bool
    answer_due_at: datetime | None
    answer_minutes_left: float | None
    sync: sync_words.SyncWord


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyList:
    """`items` by rank; `within` counts all inside, `beyond` those in twice the radius but not inside.

    `nearest` holds the three nearest when nobody is inside. `unplaced`: leads without a position.
    """

    place: ports.Position | None
    radius_km: float
    items: tuple[NearbyLead, ...]
    within: int
    beyond: int
    nearest: tuple[NearbyLead, ...]
    unplaced: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbySale:
    """A sold property and how far it lies."""

    id: str
    address: str
    km: float
    lat: float
    lon: float
    price_cents: int
    sold_on: date | None
    beds: float | None
    baths: float | None
    sqft: int | None
    year_built: int | None
    cents_per_sqft: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesList:
    """The nearest sales first; `within` counts all inside the radius."""

    items: tuple[NearbySale, ...]
    within: int
    median_price_cents: int | None
    radius_km: float
    as_of: datetime | None
