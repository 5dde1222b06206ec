"""The kinds of insights about leads and bots: counts in; an insight with its measured confidence out, or what the history lacks.

The confidence is always a share of past cases or a probability computed from counts that stand beside it in `data`; it is
never a guess. `relevance` is the confidence times the share of the whole that it concerns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.services.bi import baselines, compare
from backend.storage.warehouse.prospects import Cooling, HotSpells, Source

LEAST_CASES = 20
LEAST_TALKS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    insight_type: str
    confidence: float
    impact: float
    """The share of the whole that it concerns, 0-1."""
    title: str
    description: str
    action: str
    data: Mapping[str, Any]

    @property
    def relevance(self) -> float:
        return self.confidence * min(self.impact, 1.0)

    def as_json(self) -> dict[str, Any]:
        return {
            "insight_type": self.insight_type,
            "confidence": round(self.confidence, 4),
            "title": self.title,
            "description": self.description,
            "recommended_action": self.action,
            "relevance_score": round(self.relevance, 4),
            "data": dict(self.data),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`lacks`: what the history is short of, where nothing can be said for that."""

    insights: tuple[Insight, ...] = ()
    lacks: str = ""


def leads_cooling(found: Cooling) -> Found:
    if found.tried < LEAST_CASES:
        return Found(lacks=f"{found.tried} of {LEAST_CASES} leads that cooled more than a month ago")
    if not found.cooling:
        return Found()
    share = found.stayed_cold / found.tried
    return one(
        Insight(
            insight_type="leads_cooling",
            confidence=share,
            impact=found.cooling / max(found.active, 1),
            title=f"{found.cooling} warm or hot leads cooled within two weeks",
            description=f"Of {found.tried} that cooled so before, {found.stayed_cold} were neither as warm again nor closed within a month.",
            action="Call them this week, the latest to cool first.",
            data={
                "method": "share of earlier leads that cooled and stayed so for 30 days",
                "n": found.tried,
                **interval(found.stayed_cold, found.tried),
                "leads": found.cooling,
                "active_leads": found.active,
                "lead_ids": list(found.examples),
            },
        )
    )


def hot_leads_past_due(hot: int, late: int, spells: HotSpells) -> Found:
    if spells.ended < LEAST_CASES:
        return Found(lacks=f"{spells.ended} of {LEAST_CASES} times that a lead stopped being hot")
    if not late:
        return Found()
    return one(
        Insight(
            insight_type="hot_leads_past_due",
            confidence=spells.cooled / spells.ended,
            impact=late / max(hot, 1),
            title=f"{late} of {hot} hot leads wait for an answer longer than five minutes",
            description=f"Of {spells.ended} times that leads were hot, {spells.cooled} ended colder instead of in an offer or a closing.",
            action="Answer them now; who waits longest comes first.",
            data={
                "method": "share of hot times within 180 days that ended colder",
                "n": spells.ended,
                **interval(spells.cooled, spells.ended),
                "hot_leads": hot,
                "past_due": late,
            },
        )
    )


_SHARES = (
    (
        "qualified",
        "conversations",
        "conversations qualify",
        "Read its last conversations that did not qualify.",
    ),
    ("fine", "bot_events", "events go without an error", "Look at its errors in the drill-down."),
)


def bots_degrading(bots: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]) -> Found:
    """`bots`: id → counts of the last 30 days and of the 30 before."""
    whole = sum(now.get("bot_events", 0) for now, _ in bots.values())
    judged = [
        _degrading(bot_id, now, before, whole, share)
        for bot_id, (now, before) in bots.items()
        for share in _SHARES
        if min(now.get(share[1], 0), before.get(share[1], 0)) >= LEAST_TALKS
    ]
    if not judged:
        return Found(lacks=f"no bot has {LEAST_TALKS} cases both in the last 30 days and in the 30 before")
    return Found(insights=tuple(insight for insight in judged if insight))


def _degrading(
    bot_id: str,
    now: Mapping[str, int],
    before: Mapping[str, int],
    whole: int,
    share: tuple[str, str, str, str],
) -> Insight | None:
    name, of, what, action = share
    good, n, good_before, n_before = _good(now, name), now[of], _good(before, name), before[of]
    chance = baselines.chance_lower(good, n, good_before, n_before)
    if chance is None or good / n >= good_before / n_before:
        return None
    return Insight(
        insight_type="bot_degrading",
        confidence=chance,
        impact=now.get("bot_events", 0) / max(whole, 1),
        title=f"{bot_id}: fewer {what} than in the 30 days before",
        description=f"{good} of {n} ({good / n:.1%}) against {good_before} of {n_before} ({good_before / n_before:.1%}).",
        action=action,
        data={
            "method": "probability that the share fell, from both counts (normal approximation)",
            "n": n,
            "n_before": n_before,
            "value": good / n,
            "previous": good_before / n_before,
            **interval(good, n),
            "bot_id": bot_id,
        },
    )


def _good(counts: Mapping[str, int], name: str) -> int:
    if name == "fine":
        return counts.get("bot_events", 0) - counts.get("bot_errors", 0)
    return counts.get(name, 0)


def sources_performing(sources: Sequence[Source]) -> Found:
    """Sources whose leads close more, or less, often than those of all others."""
    won, resolved = sum(one.won for one in sources), sum(one.resolved for one in sources)
    judged = [
        _source(one, won - one.won, resolved - one.resolved, resolved)
        for one in sources
        if one.resolved >= LEAST_CASES and resolved - one.resolved >= LEAST_CASES
    ]
    if not judged:
        return Found(
            lacks=f"no source has {LEAST_CASES} leads won or lost within a year, beside {LEAST_CASES} of the others"
        )
    return Found(insights=tuple(insight for insight in judged if insight))


def _source(one: Source, won: int, resolved: int, all_resolved: int) -> Insight | None:
    below = baselines.chance_lower(one.won, one.resolved, won, resolved)
    if below is None:
        return None
    better = below < 0.5
    share, others = one.won / one.resolved, won / resolved
    return Insight(
        insight_type="source_performing",
        confidence=1 - below if better else below,
        impact=one.resolved / all_resolved,
        title=f"Leads from {one.source} close {'more' if better else 'less'} often",
        description=f"{one.won} of {one.resolved} ({share:.0%}) within a year, against {others:.0%} of the others.",
        action="Ask for more leads from there." if better else "Check what is paid for them.",
        data={
            "method": "probability that the share differs so, from both counts (normal approximation)",
            "n": one.resolved,
            "n_others": resolved,
            "value": share,
            "others": others,
            **interval(one.won, one.resolved),
            "source": one.source,
        },
    )


def one(insight: Insight) -> Found:
    return Found(insights=(insight,))


def interval(cases: int, n: int) -> dict[str, Any]:
    """The error of a share: its 95 % Wilson interval."""
    return {"interval": compare.share_bounds(cases, n)}
