"""Brings changed rows into the warehouse: dimensions first, then facts that are no more, then the events."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from backend.events import Event
from backend.storage.warehouse import dimensions, feed_aside, feed_cursor, partitions, synced
from backend.stream import entries
from backend.stream.from_sync import mapping
from backend.stream.from_sync.apart import Bench, Doubts
from backend.stream.from_sync.aside import Aside
from backend.stream.from_sync.changed import Changed
from backend.stream.from_sync.owing import Owed
from backend.stream.from_sync.sending import LIVE, Refused, Sender

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection
    from backend.storage.warehouse.feed_aside import Row

logger = logging.getLogger(__name__)

AHEAD = timedelta(minutes=4)
"""What a wrong clock dated further ahead waits for its moment; the facts take five minutes."""
PROBES = 6
"""Rows on either side of one that is accused; one of them that is brought convicts it."""


@dataclass(slots=True, kw_only=True)
class Follower:
    """The one that follows the feed, with a connection of its own: no codecs of ours, so uuids are `UUID`."""

    deps: Deps
    connection: Connection
    doubts: Doubts = field(default_factory=Doubts)
    owed: Owed = field(init=False)
    sender: Sender = field(init=False)
    aside: Aside = field(init=False)

    def __post_init__(self) -> None:
        self.owed = Owed(self.deps)
        self.sender = Sender(deps=self.deps, connection=self.connection, owed=self.owed)
        self.aside = Aside(deps=self.deps, connection=self.connection)

    async def settle(self) -> None:
        """Wait until nothing of a former follower waits in the streams: it would come after what is taken away now."""
        await self.sender.settled()

    async def bring(self, changed: Changed, *, loading: bool = False) -> None:
        """All of it that can be brought; what is at fault is set aside. Done twice it changes nothing.

        Raises: what passes, and what no row can be blamed for; then nothing is set aside.
        """
        await self._touch(changed)
        if not (rows := changed.rows()):
            return
        known = await self.aside.among(rows)
        changed.forget_told(known)
        bench = Bench(
            bring=lambda some: self._bring(some, loading=loading),
            is_closed=self.connection.is_closed,
            others=lambda row: feed_aside.neighbours(self.connection, row, limit=PROBES),
            now=self.deps.clock.now,
            doubts=self.doubts,
        )
        accused = await bench.brought(changed, [row for row in rows if row not in known])
        # By themselves: they would have all the others taken apart again.
        accused |= await bench.brought(changed, [row for row in rows if row in known], convicted=True)
        self.doubts.forget(rows)
        await self.aside.keep(changed, accused, known)

    async def _touch(self, changed: Changed) -> None:
        """The leads of what happened: rows of their own, so that one at fault does not take its interactions along."""
        leads = set[UUID]()
        if changed.interactions:
            leads |= await synced.leads_of(self.connection, changed.interactions)
        if changed.tasks:
            leads |= await dimensions.leads_of_tasks(self.connection, changed.tasks)
        changed.touch(leads, self.deps.clock.now())

    async def look_again(self) -> bool:
        """At what is set aside and due, as a load does; False: nothing is."""
        changed = await self.aside.due()
        await self.bring(changed, loading=True)
        return bool(changed.rows())

    async def _bring(self, changed: Changed, *, loading: bool) -> dict[Row, str]:
        """Together or not at all; answers what the facts refused, with the reason. Raises: what asyncpg raises, what rows cause."""
        now = self.deps.clock.now()
        await self._dimensions(changed, now)
        oldest = partitions.start(partitions.month_of(now, plus=-self.deps.settings.bi_retention_months))
        events = [event for event in await self._events(changed, oldest) if event.occurred_at >= oldest]
        if ahead := {
            event.event_id: event.occurred_at for event in events if event.occurred_at > now + AHEAD
        }:
            await feed_cursor.postpone(self.connection, ahead)
            events = [event for event in events if event.event_id not in ahead]
        refused: list[Refused] = []
        if loading:
            refused += await self.sender.store([event for event in events if event.occurred_at < now - LIVE])
            events = [event for event in events if event.occurred_at >= now - LIVE]
        refused += await self.sender.send(events)
        await self.owed.tell()
        return {mapping.row_of(one.event): one.reason for one in refused}

    async def _dimensions(self, changed: Changed, now: datetime) -> None:
        """What is counted by, and what is counted no more."""
        connection = self.connection
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE jorge_etl")
            removed = await self._remove(changed)
            await dimensions.follow_people(connection, changed.people)
            asked = dict.fromkeys(sorted(removed.leads), now) | changed.leads
            places = await dimensions.follow_leads(connection, asked)
            stock = (
                {entries.stock_tag(place) for place in (*places, -1)} if places or changed.deals else set()
            )
            await self.owed.note(stock | removed.tags)
        await self.owed.tell()

    async def _remove(self, changed: Changed) -> synced.Removed:
        leads, tags = set[UUID](), set[str]()
        if changed.edited or changed.deals:
            await synced.take_turn(self.connection)
        for ids, remove in (
            (changed.edited, synced.remove_stale),
            (changed.deals, synced.remove_deals),
        ):
            if ids:
                removed = await remove(self.connection, ids)
                leads |= removed.leads
                tags |= removed.tags
        return synced.Removed(leads=frozenset(leads), tags=frozenset(tags))

    async def _events(self, changed: Changed, oldest: datetime) -> list[Event]:
        connection = self.connection
        events: list[Event] = []
        if changed.interactions:
            events += map(mapping.interaction, await synced.interactions(connection, changed.interactions))
        if changed.lead_versions:
            events += map(mapping.stage_change, await synced.stage_changes(connection, changed.lead_versions))
        if changed.deals:
            rows = await synced.deals(connection, changed.deals)
            known = await synced.known_states(
                connection, [synced.state_id(row["id"], row["ver"]) for row in rows]
            )
            states = [mapping.deal_state(row, oldest=oldest) for row in rows]
            events += [state for state in states if state.event_id not in known]
        return events

    def rest(self) -> None:
        """Nothing is to be loaded any more, or the follower ends."""
        self.sender.rest()
