"""A figure of the domain in the words of a tile."""

from __future__ import annotations

from datetime import datetime

from domain import kpis
from views import strings
from views.parts import formats, kpi_tile

_LESS_IS_BETTER = {"ml_response"}
_WARMTH = ("hot", "warm", "lukewarm", "cold", "ice_cold", "unscored")


def value(amount: float | None, unit: kpis.Unit) -> str | None:
    """None stays None: no data is no figure."""
    if amount is None:
        return None
    match unit:
        case kpis.Unit.CENTS:
            return formats.money(round(amount))
        case kpis.Unit.RATIO:
            return formats.percent(amount)
        case kpis.Unit.MS:
            return f"{formats.number(amount, 0 if amount >= 10 else 1)} ms"
        case kpis.Unit.COUNT:
            return formats.number(amount)


def tile(found: kpis.Tile, now: datetime) -> kpi_tile.Kpi:
    comparison = found.comparison
    change = formats.change(found.value, comparison.previous) if comparison else ""
    return kpi_tile.Kpi(
        id=found.name,
        title=found.title,
        value=value(found.value, found.unit),
        definition=found.definition,
        comparison=change,
        versus=_versus(found, change),
        better=_better(found),
        trend=found.trend,
        tier=found.tier.value if found.tier and found.value is not None else "",
        n=strings.t("executive.tile.n", n=formats.number(found.n)) if found.value is not None else "",
        as_of=formats.moment(found.as_of, now),
        detail=_detail(found),
        how=strings.t(f"executive.tile.how.{found.name}"),
    )


def _versus(found: kpis.Tile, change: str) -> str:
    if found.comparison is None:
        return ""
    before = value(found.comparison.previous, found.unit) or ""
    label = found.comparison.label
    return f"{strings.t('executive.tile.versus', before=before)} · {label}" if change else label


def _better(found: kpis.Tile) -> bool | None:
    if found.comparison is None or not found.comparison.change:
        return None
    rose = found.comparison.change > 0
    return rose is not (found.name in _LESS_IS_BETTER)


def _detail(found: kpis.Tile) -> str:
    parts = dict(found.parts)
    match found.name:
        case "revenue_pipeline" if "gross_cents" in parts:
            return strings.t("executive.tile.gross", gross=formats.money(round(parts["gross_cents"])))
        case "active_leads":
            named = [name for name in _WARMTH if parts.get(name)]
            return " · ".join(strings.t(f"executive.tile.{n}", n=formats.number(parts[n])) for n in named)
        case "hot_leads" if "past_due" in parts:
            return strings.count("executive.tile.late", int(parts["past_due"]))
        case "ml_response" if "p50_ms" in parts:
            p50, target = formats.number(parts["p50_ms"]), formats.number(parts.get("target_ms"))
            return strings.t("executive.tile.median", p50=p50, target=target)
        case "bot_success" if found.interval:
            low, high = formats.percent(found.interval.low), formats.percent(found.interval.high)
            return strings.t("executive.tile.interval", low=low, high=high)
        case _:
            return ""
