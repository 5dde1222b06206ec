"""Who sees the same: one audience per locations and permissions, and what it asks for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.services.bi import question as asked
from backend.storage.warehouse import scope as scopes

if TYPE_CHECKING:
    from backend.actor import Actor, Role
    from backend.deps import Deps
    from backend.realtime.messages import Channel, Component, Timeframe
    from backend.storage.warehouse.offices import Office

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """`locations`: ids, sorted; `scope` and `offices`: the same as the warehouse knows them, with the role's permissions."""

    locations: tuple[str, ...]
    scope: scopes.Scope
    offices: tuple[Office, ...]
    role: Role

    @property
    def key(self) -> str:
        """The same for those who may see the same, and for nobody else. A location that the warehouse does not know yet
        is in the ids only, so they count too."""
        said = "|".join((self.scope.fingerprint, str(self.scope.role_mask), *self.locations))
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def hears(self) -> frozenset[int]:
        """The location keys whose news concern it."""
        return frozenset((*self.scope.keys, scopes.ALL) if self.scope.whole else self.scope.keys)

    def name_of(self, location_key: int) -> str:
        """What clients call it: a location's id, or `all`."""
        return next((office.id for office in self.offices if office.key == location_key), ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one subscription asks for. `component` None: the whole channel."""

    channel: Channel
    timeframe: Timeframe | None = None
    component: Component | None = None


async def audience_of(deps: Deps, actor: Actor, place: str) -> Audience:
    """Of this person at `place`, a location's id or `all`. Raises: ForbiddenError; asyncpg's errors without a database."""
    scope, offices = await asked.whose(deps, actor, place)
    mine = actor.locations if place in ("", ALL) else {place.lower()}
    return Audience(locations=tuple(sorted(mine)), scope=scope, offices=offices, role=actor.role)
