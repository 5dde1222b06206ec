"""The five channels: who may hear each, how urgent it is, and where its figures come from."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from backend import policy
from backend.metrics import figures, measures
from backend.policy import Permission
from backend.realtime.buckets import Priority
from backend.realtime.picture import Made
from backend.services.bi import dashboard, performance, revenue
from domain import errors

if TYPE_CHECKING:
    from backend.actor import Role
    from backend.deps import Deps
    from backend.realtime.audience import Audience, Question
    from backend.realtime.messages import Channel, Component, Timeframe
    from backend.realtime.windows import Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What figures are made from."""

    deps: Deps
    windows: Windows


Make = Callable[[Sources, "Audience", "Question"], Awaitable[Made]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A channel. `pause`: seconds between two looks at its figures, at least."""

    name: Channel
    permission: Permission
    priority: Priority
    make: Make | None = None
    """None: it has no state that could be counted."""
    timeframes: tuple[str, ...] = ()
    usual: Timeframe | None = None
    components: frozenset[Component] = frozenset()
    pause: float = 0.5
    keyed: bool = False
    follows_feed: bool = True
    """Its figures change with synced tables too, not only with what the processor tells."""


async def _dashboard(sources: Sources, audience: Audience, question: Question) -> Made:
    asked = dashboard.DashboardQuestion(
        scope=audience.scope, offices=audience.offices, timeframe=question.timeframe or "30d"
    )
    return _made(_part(await dashboard.answer(sources.deps, asked), question.component))


async def _revenue(sources: Sources, audience: Audience, question: Question) -> Made:
    """Without the forecast, which no event of a moment changes: GET /api/bi/revenue-intelligence has it."""
    asked = revenue.RevenueQuestion(
        scope=audience.scope,
        offices=audience.offices,
        timeframe=question.timeframe or "30d",
        forecast_days=None,
    )
    return _made(await revenue.answer(sources.deps, asked))


async def _bots(sources: Sources, audience: Audience, question: Question) -> Made:
    """Without the alerts, which have a channel of their own."""
    asked = performance.BotPerformance(
        scope=audience.scope,
        offices=audience.offices,
        timeframe=question.timeframe or "7d",
        include_alerts=False,
    )
    return _made(await performance.answer(sources.deps, asked))


async def _analytics(sources: Sources, audience: Audience, question: Question) -> Made:
    windows = sources.windows
    shown = {
        f"{audience.name_of(key)}:{window}": {
            "location_id": audience.name_of(key),
            "window": window,
            "rev": row.rev,
            "values": _shown(audience.role, row.values),
            "bots": {bot: _shown(audience.role, values) for bot, values in row.bots.items()},
        }
        for (key, window), row in windows.of(audience.scope.places).items()
    }
    as_of = windows.as_of or sources.deps.clock.now().isoformat()
    return Made(data=shown, as_of=as_of, watermark=windows.watermark, complete=windows.complete)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="dashboard",
            permission=Permission.SEE_KPIS,
            priority=Priority.HIGH,
            make=_dashboard,
            timeframes=("24h", "7d", "30d", "90d", "1y"),
            usual="30d",
            components=frozenset({"leads"}),
        ),
        Kind(
            name="analytics",
            permission=Permission.SEE_KPIS,
            priority=Priority.NORMAL,
            make=_analytics,
            components=frozenset({"activity"}),
            pause=0.1,
            keyed=True,
            follows_feed=False,
        ),
        Kind(
            name="bot_performance",
            permission=Permission.SEE_BOTS,
            priority=Priority.NORMAL,
            make=_bots,
            timeframes=performance.TIMEFRAMES,
            usual="7d",
            components=frozenset({"bots"}),
        ),
        Kind(
            name="revenue_intelligence",
            permission=Permission.SEE_MONEY,
            priority=Priority.NORMAL,
            make=_revenue,
            timeframes=revenue.TIMEFRAMES,
            usual="30d",
            components=frozenset({"revenue"}),
        ),
        Kind(name="alerts", permission=Permission.SEE_BOTS, priority=Priority.HIGH, follows_feed=False),
    )
}


def _shown(role: Role, values: Mapping[str, Any]) -> Mapping[str, Any]:
    hidden = _hidden(role)
    return {name: value for name, value in values.items() if name not in hidden} if hidden else values


@cache
def _hidden(role: Role) -> frozenset[str]:
    """What this role may not see: looked up once, because windows show thousands of numbers a second."""
    return frozenset(name for name in (*figures.FIGURES, *measures.MEASURES) if not may_see(role, name))


@cache
def may_see(role: Role, name: str) -> bool:
    """A measure's or figure's number."""
    if figure := figures.FIGURES.get(name):
        return policy.may(role, figure.permission)
    measure = measures.MEASURES.get(name)
    if measure is not None and measure.fact == measures.MONEY:
        return policy.may(role, Permission.SEE_MONEY)
    return policy.may(role, Permission.SEE_KPIS)


def of_component(component: Component) -> Kind:
    """The channel that shows this part of the command centre."""
    return next(kind for kind in KINDS.values() if component in kind.components)


def checked(kind: Kind, timeframe: Timeframe | None) -> Timeframe | None:
    """The timeframe that is meant. Raises: InputError."""
    if not kind.timeframes or timeframe is None:
        return kind.usual
    if timeframe not in kind.timeframes:
        raise errors.InputError(
            f"{kind.name} has no timeframe {timeframe}.",
            where="timeframe",
            hint=f"One of {', '.join(kind.timeframes)}.",
        )
    return timeframe


def fitting(kind: Kind, timeframe: str | None) -> Timeframe | None:
    """The timeframe for a route that opens several channels: what was asked for where there is such a one."""
    known = typing.cast("Timeframe", timeframe)
    return known if timeframe in kind.timeframes else kind.usual


def _made(answer: Mapping[str, Any]) -> Made:
    """Of a service's answer."""
    return Made(
        data=answer,
        as_of=str(answer.get("as_of") or answer["last_updated"]),
        watermark=answer.get("watermark"),
        complete=bool(answer.get("complete", True)),
    )


def _part(answer: Mapping[str, Any], component: Component | None) -> Mapping[str, Any]:
    """Of an answer with figures by name, those of one component."""
    if component is None:
        return answer
    ours = {name for name, figure in figures.FIGURES.items() if figure.component == component}
    return {
        key: {name: found for name, found in value.items() if name in ours} if key in _BY_FIGURE else value
        for key, value in answer.items()
    }


_BY_FIGURE = frozenset({"metrics", "comparisons", "trends", "performance_tiers"})
