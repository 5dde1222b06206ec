"""What the demo's stocks stood at on past days: the pictures a real server keeps by itself, hour by hour."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backend.services.demo.model import Values
from backend.services.demo.story import Story
from domain import deals, leads, scoring

_ACTIVE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One lead's year, in the order of time; `row` and `deal` are what is known of it today."""

    story: Story
    row: Values
    deal: Values | None
    fresh_score: float
    fading: float
    touches: list[datetime] = field(default_factory=list)
    heard: list[datetime] = field(default_factory=list)

    def stage(self, at: datetime) -> leads.Stage | None:
        """None before they arrived."""
        place = bisect_right(self.story.stages, at, key=lambda pair: pair[0])
        return self.story.stages[place - 1][1] if place else None

    def is_active(self, at: datetime) -> bool:
        stage = self.stage(at)
        if stage is None or not leads.is_open(stage):
            return False
        if self.opted_out(at):
            return False
        place = bisect_right(self.touches, at)
        return place > 0 and self.touches[place - 1] > at - _ACTIVE

    def opted_out(self, at: datetime) -> bool:
        return self.story.opted_out_at is not None and self.story.opted_out_at <= at

    def score(self, at: datetime) -> float:
        """It fades by half of its commitment part in every half-life since their last word."""
        place = bisect_right(self.heard, at)
        days: float = (
            (at - self.heard[place - 1]).total_seconds() / 86400 if place else scoring.HALF_LIFE_DAYS
        )
        faded: float = self.fading * (1 - 0.5 ** (days / scoring.HALF_LIFE_DAYS))
        return self.fresh_score - faded

    def temperature(self, at: datetime) -> leads.Temperature:
        return leads.temperature(self.score(at))

    def is_hot(self, at: datetime) -> bool:
        return self.score(at) >= leads.DEFAULT_TEMPERATURE.hot

    def weighted(self, at: datetime) -> float:
        """What the deal weighed in the pipeline then."""
        if self.deal is None or self.deal["created_at"] > at:
            return 0.0
        stage = self.stage(at)
        if stage is None or not leads.is_open(stage):
            return 0.0
        kind = leads.Kind.BUYER if self.deal["side_held"] == "buyer" else leads.Kind.SELLER
        return deals.odds(stage, kind).value * float(self.deal["net_cents"])


def past(story: Story, row: Values, deal: Values | None) -> Past:
    fresh, after_half_life = (
        scoring.lead_score(
            scoring.inputs(row | {"last_inbound_at": story.now - timedelta(days=days)}, story.now)
        ).value
        for days in (0.0, scoring.HALF_LIFE_DAYS)
    )
    return Past(
        story=story,
        row=row,
        deal=deal,
        fresh_score=fresh,
        fading=2 * (fresh - after_half_life),
        touches=sorted(item["occurred_at"] for item in story.interactions),
        heard=sorted(item["occurred_at"] for item in story.interactions if _spoke(item)),
    )


def _spoke(item: Values) -> bool:
    """A word of theirs, a call they took, a visit they kept: what the lead's last inbound is."""
    return item["direction"] == "inbound" or item["outcome"] in {"answered", "kept"}


def days(now: datetime) -> Iterator[datetime]:
    """Every fifth day of the year, every day of the last month, every second hour of the last two days."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    yield from (hour - timedelta(days=back) for back in range(365, 35, -5))
    yield from (hour - timedelta(days=back) for back in range(35, 2, -1))
    yield from (hour - timedelta(hours=back) for back in range(48, 0, -2))


def snapshots(pasts: Sequence[Past], location_id: str, now: datetime) -> Iterator[Values]:
    """Rows of kpi_snapshots."""
    opened = min(item.story.arrived for item in pasts)
    for at in days(now):
        if at < opened:
            continue  # no lead yet: nothing was counted
        active = [item for item in pasts if item.is_active(at)]
        stocks = {
            "revenue_pipeline": round(sum(item.weighted(at) for item in pasts)),
            "active_leads": len(active),
            "hot_leads": sum(item.is_hot(at) for item in active),
        }
        for name, value in stocks.items():
            yield {"location_id": location_id, "name": name, "at": at, "value": float(value)}
