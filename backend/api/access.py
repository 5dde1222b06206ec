"""What a route demands of who calls it: a permission, a share of their budget, and that it is written down.

    actor: Annotated[Actor, Allowed(Permission.OPERATE)]
    viewer: Annotated[Actor, Viewer(Permission.SEE_MONEY, cost=Cost.REVENUE)]

`Viewer` is for questions to the warehouse: an administrator may ask them as somebody else would see the answer
(`?view_as=<location ids>`). A live socket's person is known later: its endpoint names the permission with `@opens(…)`,
and the gateway checks it channel by channel. tests/backend/test_policy.py finds every route that demands nothing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

from backend import policy
from backend.actor import Actor, Role
from backend.api.deps import CurrentUser, deps_of
from backend.deps import Deps
from backend.limits import Cost
from backend.policy import Permission
from backend.services import audit
from domain import errors

_RULE = "access_rule"
_TOLD = frozenset(
    {
        *("timeframe", "location_id", "view_as", "insight_types", "confidence_threshold", "limit", "sensitivity"),
        *("window", "forecast_days", "include_forecast", "include_comparisons", "include_trends", "force_refresh"),
        *("include_coordination", "include_alerts"),
    }
)  # fmt: skip
"""Parameters that hold no personal data."""
_PLAIN = re.compile(r"[\w.,:-]{1,200}")

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a route demands. `audited` is False only where the route records more exactly itself."""

    permission: Permission
    cost: int
    audited: bool = True


def Allowed(permission: Permission, *, cost: int = Cost.LOOK, audited: bool = True) -> Any:
    """The signed-in person, who may do this. Raises: ForbiddenError (403), TooManyTriesError (429)."""
    rule = Rule(permission=permission, cost=cost, audited=audited)

    async def allowed(connection: HTTPConnection, actor: CurrentUser) -> AsyncIterator[Actor]:
        await _enter(connection, actor, rule, actor.locations)
        async with _refusals(connection, actor, rule):
            yield actor

    return Depends(_ruled(allowed, rule))


def Viewer(permission: Permission, *, cost: int = Cost.LOOK, audited: bool = True) -> Any:
    """The person whose view is asked for: oneself, or as `view_as` says. Raises: ForbiddenError, TooManyTriesError."""
    rule = Rule(permission=permission, cost=cost, audited=audited)

    async def viewer(
        connection: HTTPConnection,
        actor: CurrentUser,
        view_as: Annotated[
            str,
            Query(
                max_length=2_000,
                description="Administrators: the answer as a manager of these locations (ids, by commas) gets it.",
            ),
        ] = "",
    ) -> AsyncIterator[Actor]:
        async with _refusals(connection, actor, rule):
            seen_as = _seen_as(actor, view_as)
        foreign = _foreign(connection, seen_as)
        await _enter(
            connection, actor, replace(rule, audited=rule.audited and not foreign), seen_as.locations
        )
        async with _refusals(connection, actor, rule):
            if foreign:
                raise errors.ForbiddenError(
                    "You may not see this location.",
                    where="location_id",
                    hint="Ask an administrator to grant it.",
                )
            yield seen_as

    return Depends(_ruled(viewer, rule))


def opens(permission: Permission) -> Callable[[_Endpoint], _Endpoint]:
    """Names what a WebSocket's endpoint demands; `enter` holds it to that."""

    def named(endpoint: _Endpoint) -> _Endpoint:
        return _ruled(endpoint, Rule(permission=permission, cost=Cost.LOOK))

    return named


async def enter(
    deps: Deps,
    actor: Actor,
    rule: Rule,
    *,
    resource: str,
    location_ids: Collection[str],
    detail: audit.Detail | None = None,
) -> None:
    """Check, charge, record. Raises: ForbiddenError, TooManyTriesError."""
    action = rule.permission.value
    try:
        policy.check(actor, rule.permission)
    except errors.ForbiddenError:
        await audit.record(deps, actor, action=action, resource=resource, detail=detail, outcome="refused")
        raise
    await deps.limits.person(actor.id, rule.cost)
    if rule.audited:
        await audit.record(
            deps, actor, action=action, resource=resource, location_ids=location_ids, detail=detail
        )


def rule_of(route: BaseRoute) -> Rule | None:
    """What this route demands, if it says so."""
    found: Rule | None = getattr(getattr(route, "endpoint", None), _RULE, None)
    if found is not None:
        return found
    dependant = getattr(route, "dependant", None)
    return next((rule for rule in _rules(dependant)), None) if dependant else None


def _rules(dependant: Dependant) -> Iterator[Rule]:
    for one in dependant.dependencies:
        rule = getattr(one.call, _RULE, None)
        if rule is not None:
            yield rule
        yield from _rules(one)


async def _enter(connection: HTTPConnection, actor: Actor, rule: Rule, visible: frozenset[str]) -> None:
    asked = connection.query_params.get("location_id", "").lower()
    await enter(
        deps_of(connection),
        actor,
        rule,
        resource=_resource(connection),
        location_ids=frozenset({asked}) if asked in visible else visible,
        detail=_detail(connection),
    )


def _foreign(connection: HTTPConnection, viewer: Actor) -> bool:
    """Is the location asked for somebody else's, or none at all?"""
    asked = connection.query_params.get("location_id", "").lower()
    return asked not in {"", "all"} and asked not in viewer.locations


@asynccontextmanager
async def _refusals(connection: HTTPConnection, actor: Actor, rule: Rule) -> AsyncIterator[None]:
    """What is refused after the door, a location of others above all, is written down like what is refused there."""
    try:
        yield
    except errors.ForbiddenError:
        await audit.record(
            deps_of(connection),
            actor,
            action=rule.permission.value,
            resource=_resource(connection),
            detail=_detail(connection),
            outcome="refused",
        )
        raise


def _resource(connection: HTTPConnection) -> str:
    route = getattr(connection.scope.get("route"), "path", "-")
    return f"{connection.scope.get('method', 'WS')} {route}"


def _detail(connection: HTTPConnection) -> dict[str, str]:
    """The parameters that may be written down, as they were given."""
    named = {name: value for name, value in connection.query_params.items() if name in _TOLD}
    return {name: value for name, value in named.items() if _PLAIN.fullmatch(value)} | {
        name: str(value) for name, value in connection.path_params.items() if _PLAIN.fullmatch(str(value))
    }


def _seen_as(actor: Actor, view_as: str) -> Actor:
    if not view_as:
        return actor
    policy.check(actor, Permission.VIEW_AS)
    wanted = frozenset(view_as.split(","))
    if not wanted <= actor.locations:
        raise errors.ForbiddenError(
            "There is no such location for you.", where="view_as", hint="Ids of locations, by commas."
        )
    return replace(actor, role=Role.MANAGER, locations=wanted)


def _ruled(call: _Endpoint, rule: Rule) -> _Endpoint:
    call.__dict__[_RULE] = rule
    return call


Operator = Annotated[Actor, Allowed(Permission.OPERATE)]
"""Whoever operates the server: routes under /api/admin."""
