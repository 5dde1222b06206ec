"""Who may do what: three roles × permissions, here and nowhere else. Where is the person's locations' affair (`Actor.locations`)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, auto

from backend.actor import Actor, Role
from domain import errors


class Permission(StrEnum):
    SEE_KPIS = auto()
    """The command centre: counts, conversations, response times."""
    SEE_MONEY = auto()
    """Pipeline, revenue, commission, forecasts."""
    SEE_BOTS = auto()
    """The bots' figures, hand-offs and alerts."""
    SEE_LEADS_BEHIND = auto()
    """The leads behind a figure, by name."""
    SEND_EVENTS = auto()
    """POST /api/events with one's own sign-in instead of a source's key."""
    WARM_CACHE = auto()
    AGGREGATE = auto()
    """Refresh the materialized views now."""
    OPERATE = auto()
    """/api/admin/…: cache, stream, dead letters, sockets, queries, sources, metrics."""
    VIEW_AS = auto()
    """Ask as another scope would see it."""
    SEE_AUDIT = auto()


_MANAGER = frozenset(
    {
        Permission.SEE_KPIS,
        Permission.SEE_MONEY,
        Permission.SEE_BOTS,
        Permission.SEE_LEADS_BEHIND,
        Permission.SEND_EVENTS,
        Permission.WARM_CACHE,
        Permission.AGGREGATE,
    }
)
MATRIX: Mapping[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset(),
    Role.MANAGER: _MANAGER,
    Role.ADMIN: frozenset(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    return permission in MATRIX[role]


def check(actor: Actor, permission: Permission) -> None:
    """Raises: ForbiddenError that says who to ask."""
    if may(actor.role, permission):
        return
    able = " or ".join(role.value for role in Role if may(role, permission))
    raise errors.ForbiddenError(
        "Your role may not do this.", where=f"role {actor.role}", hint=f"Ask somebody who is {able}."
    )


def mask(role: Role) -> int:
    """The role's permissions as a number: answers are shared only among those who may see the same."""
    order = list(Permission)
    return sum(1 << order.index(permission) for permission in MATRIX[role])
