"""The command centre as its screens show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain import kpis as rules
from services.leads.values import LeadItem


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSet:
    """The five tiles; `source` is "server" or "device"; `as_of` None = no data yet."""

    location_id: str
    timeframe: str
    tiles: tuple[rules.Tile, ...]
    as_of: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One part of a breakdown: how many, its share of all, and its amount where the metric is money."""

    key: str
    label: str
    count: int
    share: float
    amount_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Behind a tile: its value for the chosen parts, breakdowns by dimension, and the leads.

    `filters` are (dimension, key, label), the breadcrumbs; `note` says why there are no leads.
    """

    metric: str
    title: str
    definition: str
    timeframe: str
    location_id: str
    value: float | None
    unit: rules.Unit
    filters: tuple[tuple[str, str, str], ...]
    breakdowns: Mapping[str, tuple[Slice, ...]]
    leads: tuple[LeadItem, ...]
    total: int
    offset: int
    as_of: datetime | None
    note: str = ""
