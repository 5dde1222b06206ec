"""Tiles as the server sent them, read back; and those that this device can work out by the same rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain import deals, facts, kpis
from domain import leads as rules
from storage.kpi_leads import Case

NAMES = ("revenue_pipeline", "active_leads", "hot_leads", "ml_response", "bot_success")


def from_json(stored: Mapping[str, Any], as_of: datetime) -> kpis.Tile | None:
    """None where the server of another version says it otherwise: no figure is better than a wrong one."""
    try:
        comparison, interval, tier = stored.get("comparison"), stored.get("interval"), stored.get("tier")
        return kpis.Tile(
            name=stored["name"],
            title=stored["title"],
            value=facts.number(stored["value"]),
            unit=kpis.Unit(stored["unit"]),
            n=int(stored["n"]),
            as_of=facts.moment(stored.get("as_of")) or as_of,
            definition=str(stored["definition"]),
            comparison=None if comparison is None else kpis.Comparison(**comparison),
            trend=tuple(facts.number(point) for point in stored.get("trend") or ()),
            tier=None if tier is None else kpis.Tier(tier),
            interval=None if interval is None else kpis.Interval(**interval),
            parts=_parts(stored.get("parts")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _parts(stored: Any) -> tuple[tuple[str, float], ...]:
    """Temperatures from hot to cold again (JSON keeps no order), the rest as they come."""
    parts = {str(name): float(value) for name, value in dict(stored or {}).items()}
    order = {word.value: place for place, word in enumerate(reversed(rules.COLDEST_FIRST))}
    return tuple(sorted(parts.items(), key=lambda part: order.get(part[0], len(order))))


def pipeline(cases: Sequence[Case], as_of: datetime, *, known: bool) -> kpis.Tile:
    """`known`: there are deals, though none may be open."""
    found = deals.pipeline([open_deal(case) for case in cases])
    return kpis.revenue_pipeline(
        weighted_cents=found.weighted_cents,
        gross_cents=found.gross_cents,
        n=found.n,
        known=known,
        as_of=as_of,
    )


def open_deal(case: Case) -> deals.OpenDeal:
    """Who holds the listing sells; the odds of a listed house are its own."""
    seller = case.side_held != "buyer"
    return deals.OpenDeal(
        stage=rules.Stage(case.stage),
        kind=rules.Kind.SELLER if seller else rules.Kind.BUYER,
        gross_cents=case.gross_cents,
        company_cents=case.net_cents,
    )


def active(cases: Sequence[Case], as_of: datetime, *, known: bool) -> kpis.Tile:
    """`known`: there are leads, though none may be active."""
    counted = Counter(case.temperature for case in cases)
    parts = {word.value: counted[word.value] for word in reversed(rules.COLDEST_FIRST)}
    if unscored := len(cases) - sum(parts.values()):
        parts["unscored"] = unscored
    return kpis.active_leads(by_temperature=parts if known else None, as_of=as_of)


def hot(cases: Sequence[Case], as_of: datetime, *, known: bool) -> kpis.Tile:
    """`known`: as of `active`."""
    found = hot_cases(cases)
    late = sum(case.late for case in found)
    return kpis.hot_leads(hot=len(found) if known else None, past_due=late, as_of=as_of)


def hot_cases(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.temperature == rules.Temperature.HOT]


def only_on_server(name: str, as_of: datetime) -> kpis.Tile:
    """How fast the server scores and how the bots do: no figure here, only its definition."""
    if name == "ml_response":
        return kpis.ml_response(p50_ms=None, p95_ms=None, n=0, as_of=as_of)
    return kpis.bot_success(qualified=0, conversations=0, as_of=as_of)
