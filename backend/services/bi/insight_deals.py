"""The kinds of insights about deals: how revenue goes on, and where deals get stuck."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from statistics import median

from backend.services.bi import baselines, forecast
from backend.services.bi.insight_kinds import Found, Insight, one
from backend.services.bi.pipe import DEFAULT_DAYS, Pipe

LEAST_STAYS = 10
LEAST_WAITING = 3
PACE_DAYS = 30


def revenue_pace(material: forecast.Material) -> Found:
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
    """Deals that stand in a stage for longer than the median of those that left it, more of them than chance explains."""
    today = until.toordinal()
    insights, judged = [], 0
    for stage in DEFAULT_DAYS:
        stays = [stay for stay in pipe.stays if stay.stage == stage and stay.entered <= today]
        took = [stay.left - stay.entered for stay in stays if stay.left <= today]
        waits = [today - stay.entered for stay in stays if stay.left > today]
        if len(took) < LEAST_STAYS or len(waits) < LEAST_WAITING or not sum(took):
            continue
        judged += 1
        insights += _bottleneck(stage, took, waits, sum(stay.left > today for stay in pipe.stays))
    if not judged:
        return Found(lacks=f"no stage has {LEAST_STAYS} deals that left it and {LEAST_WAITING} in it")
    return Found(insights=tuple(insights))


def _bottleneck(stage: str, took: Sequence[int], waits: Sequence[int], standing: int) -> list[Insight]:
    usual = median(took)
    over = sum(wait > usual for wait in waits)
    # Who is met in a stage is met there in proportion to the time he spends in it.
    expected = sum(max(days - usual, 0) for days in took) / sum(took)
    chance = baselines.at_least(over, len(waits), min(max(expected, 0.01), 0.99))
    if over <= expected * len(waits):
        return []
    return [
        Insight(
            insight_type="stage_bottleneck",
            confidence=1 - chance,
            impact=over / max(standing, 1),
            title=f"{over} of {len(waits)} deals stay in “{stage}” longer than usual",
            description=f"Half of {len(took)} deals left it within {usual:.0f} days; {expected * len(waits):.1f} would be expected to stay longer.",
            action="Go through these deals with their agents.",
            data={
                "method": "binomial test against the own median, allowing for deals that stay long being met more often",
                "n": len(took),
                "error": chance,
                "waiting": len(waits),
                "over": over,
                "expected_over": expected * len(waits),
                "median_days": usual,
                "stage": stage,
            },
        )
    ]
