"""Versions of leads and agents, kept in mind by a writer: which one was valid at the moment of an event.

What happened before the first version that the warehouse knows belongs to that one. `bi_versions` counts the transactions that
brought versions: while it stays the same, what is kept here is all there is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from backend.storage.pool import Connection

MOST = 200_000
"""Leads kept in mind; beyond it everything is forgotten and looked up again."""

Known: TypeAlias = Sequence[tuple[datetime, int]]
"""(valid from, key), the oldest first; empty: there is no such lead or agent."""


@dataclass(slots=True)
class Versions:
    leads: dict[UUID, Known] = field(default_factory=dict)
    agents: dict[tuple[UUID, int], Known] = field(default_factory=dict)
    _people: set[UUID] = field(default_factory=set)
    _number: int = -1

    async def learn(self, connection: Connection, lead_ids: set[UUID], agent_ids: set[UUID]) -> None:
        number: int = await connection.fetchval("SELECT number FROM bi_versions")
        if number != self._number or len(self.leads) > MOST:
            self.leads.clear()
            self.agents.clear()
            self._people.clear()
            self._number = number
        if new := lead_ids - self.leads.keys():
            await self._learn_leads(connection, new)
        if strangers := agent_ids - self._people:
            await self._learn_agents(connection, strangers)

    def lead(self, lead_id: UUID | None, moment: datetime) -> int | None:
        """None: nobody, or somebody the warehouse does not know."""
        return None if lead_id is None else _at(self.leads.get(lead_id), moment)

    def agent(self, agent_id: UUID | None, location_key: int, moment: datetime) -> int | None:
        return None if agent_id is None else _at(self.agents.get((agent_id, location_key)), moment)

    async def _learn_leads(self, connection: Connection, ids: Collection[UUID]) -> None:
        found: dict[UUID, list[tuple[datetime, int]]] = {id: [] for id in ids}
        for row in await connection.fetch(
            "SELECT lead_id, valid_from, lead_key FROM dim_lead WHERE lead_id = ANY ($1::uuid[]) ORDER BY valid_from",
            list(ids),
        ):
            found[row[0]].append((row[1], row[2]))
        self.leads.update(found)

    async def _learn_agents(self, connection: Connection, ids: Collection[UUID]) -> None:
        found: dict[tuple[UUID, int], list[tuple[datetime, int]]] = {}
        for row in await connection.fetch(
            "SELECT agent_id, location_key, valid_from, agent_key FROM dim_agent WHERE agent_id = ANY ($1::uuid[]) "
            "ORDER BY valid_from",
            list(ids),
        ):
            found.setdefault((row[0], row[1]), []).append((row[2], row[3]))
        self.agents.update(found)
        self._people |= set(ids)


def _at(known: Known | None, moment: datetime) -> int | None:
    if not known:
        return None
    if len(known) == 1:
        return known[0][1]
    for valid_from, key in reversed(known):
        if valid_from <= moment:
            return key
    return known[0][1]
