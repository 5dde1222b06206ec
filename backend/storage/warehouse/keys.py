"""What a writer keeps in mind: keys of offices and bots, months that have partitions, ids of the last events.

Nothing here is believed longer than it may be: an office or a bot that is not known is looked up again, and what a transaction
makes is kept in mind after its commit only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.storage.pool import Connection
from backend.storage.warehouse import copying
from backend.storage.warehouse.copying import Pieces
from backend.storage.warehouse.offices import zone_of
from backend.storage.warehouse.ranges import date_key, hour_name
from backend.storage.warehouse.scope import NO_BOT
from backend.storage.warehouse.versions import Versions

QUARTER = 900
"""Seconds. No day begins within a quarter of an hour of UTC, in any zone."""
FRESH_SECONDS = 60.0
MOST_BOTS = 500
MOST_SPOTS = 100_000
MOST_SEEN = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    key: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spot:
    """A quarter of an hour at an office: what every event of it shares; one object each. `hour` is in UTC, as YYYYMMDDHH.
    `fields`: day and office as rows of the facts have them."""

    location_key: int
    date_key: int
    hour: str
    month: date
    fields: bytes = b""


NOWHERE = Spot(location_key=0, date_key=0, hour="", month=date.min)
"""Of what concerns every office."""


@dataclass(slots=True)
class Named:
    """Whom and what the events of a batch name; ids by their integers."""

    locations: set[int] = field(default_factory=set)
    bots: set[str | None] = field(default_factory=set)
    leads: dict[int, UUID] = field(default_factory=dict)
    agents: dict[int, UUID] = field(default_factory=dict)


@dataclass(slots=True)
class Keys:
    """Of one connection; each sink has its own."""

    places: Mapping[int, Place] = field(default_factory=dict)
    bots: dict[str | None, int] = field(default_factory=lambda: {None: NO_BOT})
    months: set[date] = field(default_factory=set)
    versions: Versions = field(default_factory=Versions)
    pieces: Pieces = field(default_factory=lambda: Pieces(bots={None: copying.integer(NO_BOT)}))
    seen: dict[int, float] = field(default_factory=dict)
    """Event id → its moment in seconds, of the last events stored; `seen_before` of those before them."""
    seen_before: dict[int, float] = field(default_factory=dict)
    doubts: int = 0
    """So many batches more are looked through for what is stored already."""
    _spots: dict[tuple[int, float], Spot] = field(default_factory=dict)
    _looked: float = 0.0

    async def learn(self, connection: Connection, named: Named) -> None:
        """Look up what is not known; a bot that nobody knows gets a row, while there are fewer than `MOST_BOTS`."""
        if not self.places.keys() >= named.locations or time.monotonic() - self._looked > FRESH_SECONDS:
            await self._look_up_places(connection)
        if new := sorted(bot for bot in named.bots - self.bots.keys() if bot):
            await self._look_up_bots(connection, new)
        if await self.versions.learn(connection, named.leads, named.agents):
            self.pieces.forget_people()

    def lead(self, lead_id: UUID, moment: datetime) -> bytes:
        """Two fields of a row: the lead, and its version at that moment."""
        found = copying.uuid(lead_id) + copying.bigint(self.versions.lead(lead_id, moment))
        if self.versions.lead_is_one(lead_id):
            self.pieces.leads[lead_id.int] = found
        return found

    def agent(self, agent_id: UUID | None, location_key: int, moment: datetime) -> bytes:
        """Two fields of a row: the agent, and its version at that office and moment."""
        if agent_id is None:
            return copying.NULLS[2]
        found = self.pieces.agents.get((agent_id.int, location_key))
        if found is None:
            key = self.versions.agent(agent_id, location_key, moment)
            found = copying.uuid(agent_id) + copying.bigint(key)
            if self.versions.agent_is_one(agent_id, location_key):
                self.pieces.agents[agent_id.int, location_key] = found
        return found

    def spot(self, location_id: int, quarter: float) -> Spot | None:
        """Of an office, by the integer of its id. None: there is no such office."""
        found = self._spots.get((location_id, quarter))
        if found is None and location_id in self.places:
            if len(self._spots) >= MOST_SPOTS:
                self._spots.clear()
            found = self._spots[location_id, quarter] = _spot(self.places[location_id], quarter)
        return found

    def remember(self, stored: Mapping[int, float]) -> None:
        self.seen.update(stored)
        if len(self.seen) >= MOST_SEEN:
            self.seen, self.seen_before = {}, self.seen

    async def _look_up_places(self, connection: Connection) -> None:
        rows = await connection.fetch(
            "SELECT location_id, location_key, zone FROM dim_location WHERE location_id IS NOT NULL"
        )
        found = {row[0].int: Place(key=row[1], zone=zone_of(row[2])) for row in rows}
        if found != self.places:
            self.places = found
            self._spots.clear()
        self._looked = time.monotonic()

    async def _look_up_bots(self, connection: Connection, new: list[str]) -> None:
        room = "greatest(0, $2 - (SELECT count(*) FROM dim_bot))"
        await connection.execute(
            "INSERT INTO dim_bot (bot_id, name) SELECT bot, bot FROM unnest($1::text[]) bot "  # noqa: S608 - fixed words
            f"WHERE NOT EXISTS (SELECT FROM dim_bot WHERE bot_id = bot) LIMIT {room} ON CONFLICT DO NOTHING",
            new,
            MOST_BOTS,
        )
        rows = await connection.fetch("SELECT bot_id, bot_key FROM dim_bot WHERE bot_key > 0")
        self.bots = {None: NO_BOT} | {row[0]: row[1] for row in rows}
        self.pieces.bots = {bot: copying.integer(key) for bot, key in self.bots.items()}


def _spot(place: Place, quarter: float) -> Spot:
    moment = datetime.fromtimestamp(quarter * QUARTER, UTC)
    day = date_key(moment.astimezone(place.zone).date())
    return Spot(
        location_key=place.key,
        date_key=day,
        hour=hour_name(moment),
        month=date(moment.year, moment.month, 1),
        fields=copying.integer(day) + copying.integer(place.key),
    )
