"""What people may know of the cache, and how they warm it by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from backend import policy
from backend.actor import Actor
from backend.cache import warm
from backend.cache.stats import Counted
from backend.policy import Permission
from backend.services.bi import catalogue
from backend.services.bi.question import stamps
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

_TIMEFRAMES = {
    "dashboard-kpis": ("24h", "7d", "30d", "90d", "1y"),
    "revenue-intelligence": ("7d", "30d", "90d", "1y"),
    "bot-performance": ("24h", "7d", "30d", "90d"),
}
_NEEDS = {"revenue-intelligence": Permission.SEE_MONEY, "bot-performance": Permission.SEE_BOTS}
WARMABLE: Sequence[str] = tuple(_TIMEFRAMES)


async def analytics(deps: Deps) -> dict[str, Any]:
    """This process's counts since its start, and what warming does. Ratios are None before anybody asked."""
    stats, warmer = deps.answers.stats, deps.warmer
    whole = stats.total()
    return {
        "hit_ratio": whole.hit_ratio,
        "total": _counted(whole),
        "by_question": {what: _counted(counted) for what, counted in sorted(stats.of.items())},
        "buckets": {
            what: {"hits": counted.hits, "misses": counted.misses, "hit_ratio": counted.hit_ratio}
            for what, counted in sorted(stats.buckets.items())
        },
        "hears_news": deps.answers.versions.known,
        "warming": {
            "on": warmer.interval > 0 and not await deps.valkey.exists(warm.OFF),
            "interval_seconds": warmer.interval,
            "threshold": warmer.threshold,
            "last_round": asdict(warmer.last),
            "waiting": await deps.valkey.zcard(warm.DUE),
            "warmed_then_hit_ratio": whole.warmed_then_hit / whole.warmed if whole.warmed else None,
        },
        **_stamps(deps, "process"),
    }


def _stamps(deps: Deps, source: str) -> dict[str, Any]:
    """What every answer says of itself; no event is in these, so they reach up to none."""
    return stamps(deps.clock.now(), None, source) | {"cache_hit": False}


def _counted(counted: Counted) -> dict[str, Any]:
    return asdict(counted) | {"asked": counted.asked, "hit_ratio": counted.hit_ratio}


async def warm_now(
    deps: Deps, actor: Actor, *, questions: Sequence[str], location_id: str = ""
) -> dict[str, Any]:
    """Work out what this person's command centre asks first. Raises: InputError, ForbiddenError, TooMuchError."""
    if unknown := sorted(set(questions) - set(WARMABLE)):
        raise errors.InputError(
            f"{unknown[0]!r:.40} can't be warmed.",
            where="questions",
            hint=f"Any of {', '.join(WARMABLE)}; leave it out for all.",
        )
    began = time.monotonic()
    done = []
    for question in questions or WARMABLE:
        needed = _NEEDS.get(question, Permission.SEE_KPIS)
        if not policy.may(actor.role, needed):
            continue
        for timeframe in _TIMEFRAMES[question]:
            params = {"timeframe": timeframe, "location_id": location_id}
            made = await catalogue.warmed(deps, actor, question, params)
            done.append({"question": question, "timeframe": timeframe, "was_cold": made})
    return {"warmed": done, "seconds": round(time.monotonic() - began, 3), **_stamps(deps, "cache")}


async def switch(deps: Deps, *, on: bool) -> None:
    """The kill switch of warming, for all processes."""
    if on:
        await deps.valkey.delete(warm.OFF)
    else:
        await deps.valkey.set(warm.OFF, b"1")
