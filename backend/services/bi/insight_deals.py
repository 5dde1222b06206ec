"""The kinds of insights about deals: how revenue goes on, and where deals get stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from backend.services.bi import baselines, forecast
from backend.services.bi.insight_kinds import Found, Insight, interval, one
from backend.services.bi.material import Material
from backend.services.bi.pipe import DEFAULT_DAYS, Pipe, Stay

LEAST_STAYS = 10
LATE_DAYS = 60
PACE_DAYS = 30


def revenue_pace(material: Material) -> Found:
    """The next 30 days against the last 30, with the forecast's own past errors as what may come."""
    said = forecast.prospect(material, PACE_DAYS)
    if isinstance(said, str):
        return Found(lacks=said)
    last = float(material.history.weeks[-said.ahead :].sum())
    beside = said.value - last
    below = sum(beside + error < 0 for error in said.errors)
    chance_below = (below + 0.5) / (len(said.errors) + 1)
    lower = chance_below >= 0.5
    confidence = chance_below if lower else 1 - chance_below
    word = "less" if lower else "more"
    return one(
        Insight(
            insight_type="revenue_pace",
            confidence=confidence,
            impact=abs(beside) / max(last, said.value, 1.0),
            title=f"Revenue of the next {said.ahead} weeks is likely to be {word} than that of the last {said.ahead}",
            description=f"${said.value / 100:,.0f} expected against ${last / 100:,.0f}; past forecasts of this length erred "
            + (
                f"by {said.wape:.0%} of the revenue."
                if said.wape is not None
                else "by an amount that can't be related."
            ),
            action="Bring offers and contracts in the pipe forward."
            if lower
            else "Check that closings of the next weeks are staffed.",
            data={
                "method": f"{said.model} forecast; share of its {len(said.errors)} past errors that lead to {word}",
                "n": len(said.errors),
                "error": said.wape,
                "expected_cents": round(said.value),
                "last_cents": round(last),
                "weeks": said.ahead,
            },
        )
    )


def stage_bottlenecks(pipe: Pipe, until: date) -> Found:
    """Stages in which deals of late stay longer than deals did before, more of them than chance explains."""
    today = until.toordinal()
    standing = sum(stay.left > today >= stay.entered for stay in pipe.stays)
    insights, judged = [], 0
    for stage in DEFAULT_DAYS:
        stays = [stay for stay in pipe.stays if stay.stage == stage and stay.entered <= today]
        cohorts = _cohorts(stays, today)
        if cohorts is not None:
            judged += 1
            insights += _bottleneck(stage, cohorts, standing)
    if not judged:
        return Found(lacks=f"no stage has {LEAST_STAYS} deals of late and {LEAST_STAYS} from before")
    return Found(insights=tuple(insights))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohorts:
    """Deals that came to a stage of late and before, and how many of each stayed longer than `usual` days."""

    usual: float
    late: int
    late_over: int
    before: int
    before_over: int
    waiting: int
    """Of `late_over`, those that are still there."""


def _cohorts(stays: Sequence[Stay], today: int) -> Cohorts | None:
    """Of late: within three medians, two months at least, and so long ago that a median is over. None with too few deals."""
    if len(stays) < 2 * LEAST_STAYS:
        return None
    window = max(LATE_DAYS, 3 * median(_days(stay, today) for stay in stays))
    before = [_days(stay, today) for stay in stays if stay.entered < today - window]
    if len(before) < LEAST_STAYS:
        return None
    usual = median(before)
    late = [stay for stay in stays if today - window <= stay.entered < today - usual]
    over = [stay for stay in late if _days(stay, today) > usual]
    if len(late) < LEAST_STAYS:
        return None
    return Cohorts(
        usual=usual,
        late=len(late),
        late_over=len(over),
        before=len(before),
        before_over=sum(days > usual for days in before),
        waiting=sum(stay.left > today for stay in over),
    )


def _days(stay: Stay, today: int) -> int:
    """In the stage, so far."""
    return min(stay.left, today) - stay.entered


def _bottleneck(stage: str, found: Cohorts, standing: int) -> list[Insight]:
    share = found.before_over / found.before
    if not found.waiting or found.late_over <= share * found.late:
        return []
    chance = baselines.chance_lower(
        found.late - found.late_over, found.late, found.before - found.before_over, found.before
    )
    return [
        Insight(
            insight_type="stage_bottleneck",
            confidence=chance or 0.0,
            impact=found.waiting / max(standing, 1),
            title=f"Deals stay in “{stage}” longer than they did",
            description=f"{found.late_over} of the {found.late} deals that came of late stayed longer than {found.usual:.0f} days; "
            f"before, {found.before_over} of {found.before} did. {found.waiting} are still there.",
            action="Go through these deals with their agents.",
            data={
                "method": "probability that more deals than before stay longer than the own median (normal approximation)",
                "n": found.late,
                "n_before": found.before,
                "value": found.late_over / found.late,
                "previous": share,
                **interval(found.late_over, found.late),
                "median_days": found.usual,
                "waiting": found.waiting,
                "stage": stage,
            },
        )
    ]
