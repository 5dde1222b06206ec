"""The questions of the API by name: who asks, what, and the answer out of the cache. Routes and warming both come here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.actor import Actor, Role
from backend.cache.asked import Asked, of_question
from backend.services.bi import (
    anomalies,
    dashboard,
    drill,
    insights,
    performance,
    preparing,
    revenue,
    serving,
)
from backend.services.bi.question import Question

if TYPE_CHECKING:
    from backend.deps import Deps

Ask = Callable[..., Awaitable[Any]]
Answer = Callable[["Deps", Any], Awaitable[dict[str, Any]]]
_WARMER = "warming"
_HISTORY = 1_200
"""Days that baselines and back-tests may read; by months in the key, so it costs little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`longest`: seconds it may be kept though nothing was touched, where that is less than usual.

    `history_days`: how far back it looks beside its timeframe and the one before.
    """

    ask: Ask
    answer: Answer
    longest: float | None = None
    history_days: int = 0


KINDS: Mapping[str, Kind] = {
    "dashboard-kpis": Kind(ask=dashboard.ask, answer=dashboard.answer),
    "revenue-intelligence": Kind(ask=revenue.ask, answer=revenue.answer, history_days=_HISTORY),
    # Alerts are taken on and components fall silent without any fact.
    "bot-performance": Kind(
        ask=performance.ask, answer=performance.answer, longest=10.0, history_days=_HISTORY
    ),
    "drill-down": Kind(ask=drill.ask, answer=drill.answer),
    "anomaly-detection": Kind(ask=anomalies.ask, answer=anomalies.answer, history_days=_HISTORY),
    "predictive-insights": Kind(ask=insights.ask, answer=insights.answer, history_days=_HISTORY),
}


async def answered(
    deps: Deps, actor: Actor, kind: str, params: Mapping[str, Any], *, fresh: bool = False
) -> tuple[Question, bytes]:
    """The question as it was understood, and its answer as JSON. Raises: what `ask` and `answer` of the kind raise."""
    asked: Question = await KINDS[kind].ask(deps, actor, **params)
    deps.asked.note(
        Asked(
            route=kind,
            params=params,
            location_ids=tuple(sorted(office.id for office in asked.offices)),
            role=actor.role.value,
            who=actor.id,
            at=deps.clock.now().timestamp(),
        )
    )
    return asked, await _served(deps, kind, asked, fresh=fresh)


async def again(deps: Deps, question: str) -> bool:
    """Work the answer to what was asked once out anew, unless it is there. True when there was work to do."""
    kind, params, actor = _again(question)
    if kind not in KINDS or params.get("cursor"):
        return False
    return await warmed(deps, actor, kind, params)


async def prepared(deps: Deps, question: str) -> bool:
    """Read the closed buckets of what was asked once, for any timeframe, into this process's memory. True when some were lacking."""
    kind, params, actor = _again(question)
    if kind not in preparing.KINDS:
        return False
    return await preparing.prepare(deps, await KINDS[kind].ask(deps, actor, **params))


def _again(question: str) -> tuple[str, dict[str, Any], Actor]:
    """Kind, parameters and somebody who may ask it."""
    kind, params, location_ids, role = of_question(question)
    actor = Actor(
        id=_WARMER, role=Role(role), locations=frozenset(location_ids), device_id=_WARMER, session_id=_WARMER
    )
    return kind, params, actor


async def warmed(deps: Deps, actor: Actor, kind: str, params: Mapping[str, Any]) -> bool:
    """Work an answer out unless it is there. True when there was work to do. Raises: as `answered`."""
    asked: Question = await KINDS[kind].ask(deps, actor, **params)
    found = KINDS[kind]
    ask = serving.ask_of(asked, deps.clock.now(), history_days=found.history_days, longest=found.longest)
    if await deps.answers.holds(ask):
        return False
    await _served(deps, kind, asked, warming=True)
    return True


async def _served(
    deps: Deps, kind: str, asked: Question, *, fresh: bool = False, warming: bool = False
) -> bytes:
    found = KINDS[kind]
    return await serving.served(
        deps,
        asked,
        found.answer,
        fresh=fresh,
        warming=warming,
        longest=found.longest,
        history_days=found.history_days,
    )
