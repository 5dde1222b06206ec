"""Versions of leads and agents, kept in mind by a writer: which one was valid at the moment of an event.

What happened before the first version that the warehouse knows belongs to that one. `bi_versions` counts the transactions that
brought versions: while it stays the same, what is kept here is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from backend.storage.pool import Connection

MOST = 200_000
"""Leads kept in mind; beyond it everything is forgotten and looked up again."""

Known: TypeAlias = int | Sequence[tuple[datetime, int]] | None
"""The key of the only version, or (valid from, key) of each, the oldest first; None: there is no such lead or agent."""


@dataclass(slots=True)
class Versions:
    """Ids are kept as their integers: a UUID works its hash out in Python each time."""

    leads: dict[int, Known] = field(default_factory=dict)
    agents: dict[tuple[int, int], Known] = field(default_factory=dict)
    _people: set[int] = field(default_factory=set)
    _number: int = -1

    async def learn(
        self, connection: Connection, leads: Mapping[int, UUID], agents: Mapping[int, UUID]
    ) -> bool:
        """Of these ids, by their integers. True: what was known before holds no more."""
        number: int = await connection.fetchval("SELECT number FROM bi_versions")
        if forgot := number != self._number or len(self.leads) > MOST:
            self.leads.clear()
            self.agents.clear()
            self._people.clear()
            self._number = number
        if new := leads.keys() - self.leads.keys():
            await self._learn_leads(connection, [leads[one] for one in new])
        if strangers := agents.keys() - self._people:
            await self._learn_agents(connection, [agents[one] for one in strangers])
        return forgot

    def lead_is_one(self, lead_id: UUID) -> bool:
        """The same key at every moment."""
        return not isinstance(self.leads.get(lead_id.int), list)

    def agent_is_one(self, agent_id: UUID, location_key: int) -> bool:
        return not isinstance(self.agents.get((agent_id.int, location_key)), list)

    def lead(self, lead_id: UUID | None, moment: datetime) -> int | None:
        """None: nobody, or somebody the warehouse does not know."""
        if lead_id is None:
            return None
        known = self.leads.get(lead_id.int)
        return known if known is None or known.__class__ is int else _at(known, moment)  # type: ignore[arg-type]

    def agent(self, agent_id: UUID | None, location_key: int, moment: datetime) -> int | None:
        if agent_id is None:
            return None
        known = self.agents.get((agent_id.int, location_key))
        return known if known is None or known.__class__ is int else _at(known, moment)  # type: ignore[arg-type]

    async def _learn_leads(self, connection: Connection, ids: Sequence[UUID]) -> None:
        found: dict[int, list[tuple[datetime, int]]] = {id.int: [] for id in ids}
        for row in await connection.fetch(
            "SELECT lead_id, valid_from, lead_key FROM dim_lead WHERE lead_id = ANY ($1::uuid[]) ORDER BY valid_from",
            ids,
        ):
            found[row[0].int].append((row[1], row[2]))
        self.leads.update({one: _known(versions) for one, versions in found.items()})

    async def _learn_agents(self, connection: Connection, ids: Sequence[UUID]) -> None:
        found: dict[tuple[int, int], list[tuple[datetime, int]]] = {}
        for row in await connection.fetch(
            "SELECT agent_id, location_key, valid_from, agent_key FROM dim_agent WHERE agent_id = ANY ($1::uuid[]) "
            "ORDER BY valid_from",
            ids,
        ):
            found.setdefault((row[0].int, row[1]), []).append((row[2], row[3]))
        self.agents.update({one: _known(versions) for one, versions in found.items()})
        self._people |= {id.int for id in ids}


def _known(versions: Sequence[tuple[datetime, int]]) -> Known:
    return versions if len(versions) > 1 else versions[0][1] if versions else None


def _at(versions: Sequence[tuple[datetime, int]], moment: datetime) -> int:
    for valid_from, key in reversed(versions):
        if valid_from <= moment:
            return key
    return versions[0][1]
