"""Brings changed rows into the warehouse: dimensions first, then facts that are no more, then the events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from backend.events import Event
from backend.storage.warehouse import dimensions, facts, feed_cursor, partitions, synced, touched
from backend.stream import entries, ingest, sink
from backend.stream.from_sync import mapping, settling
from backend.stream.from_sync.owing import Owed

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection
    from backend.storage.warehouse.feed_cursor import Change

logger = logging.getLogger(__name__)

STORE_WAIT = 1.0
TRIES = 2
BATCH = 2_000
LIVE = timedelta(hours=25)
"""What is older is in no window any more, so that a load puts it straight into the facts."""
AHEAD = timedelta(minutes=4)
"""What a wrong clock dated further ahead waits for its moment; the facts take five minutes."""
ENTRY = "from_sync"


@dataclass(slots=True, kw_only=True)
class Changed:
    """Rows to look at, by table: when they changed, and of leads the version from which on a change of stage is news."""

    people: dict[UUID, datetime] = field(default_factory=dict)
    leads: dict[UUID, datetime] = field(default_factory=dict)
    lead_versions: dict[UUID, int] = field(default_factory=dict)
    tasks: set[UUID] = field(default_factory=set)
    interactions: set[UUID] = field(default_factory=set)
    edited: set[UUID] = field(default_factory=set)
    """Of the interactions: those that may have a fact that is no longer true."""
    deals: set[UUID] = field(default_factory=set)

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Changed:
        found = cls()
        for change in changes:
            match change.table:
                case "people":
                    found.people[change.row_id] = change.at
                case "leads":
                    found.leads[change.row_id] = change.at
                    found.lead_versions.setdefault(change.row_id, change.ver)
                case "tasks":
                    found.tasks.add(change.row_id)
                case "interactions":
                    found.interactions.add(change.row_id)
                    if change.ver > 1:
                        found.edited.add(change.row_id)
                case "deals":
                    found.deals.add(change.row_id)
        return found


@dataclass(slots=True, kw_only=True)
class Follower:
    """The one that follows the feed, with a connection of its own: no codecs of ours, so uuids are `UUID`."""

    deps: Deps
    connection: Connection
    _facts: asyncpg.Connection[asyncpg.Record] | None = None
    """For `store`, which wants one of its own; there is one while there is something to load."""
    owed: Owed = field(init=False)

    def __post_init__(self) -> None:
        self.owed = Owed(self.deps)

    async def settle(self) -> None:
        """Wait until nothing of a former follower waits in the streams: it would come after what is taken away now."""
        await settling.settled(self.deps.valkey)

    async def bring(self, changed: Changed, *, loading: bool = False) -> None:
        """Raises: what asyncpg raises. Done twice it changes nothing."""
        now = self.deps.clock.now()
        await self._dimensions(changed, now)
        oldest = partitions.start(partitions.month_of(now, plus=-self.deps.settings.bi_retention_months))
        events = [event for event in await self._events(changed, oldest) if event.occurred_at >= oldest]
        if ahead := {
            event.event_id: event.occurred_at for event in events if event.occurred_at > now + AHEAD
        }:
            await feed_cursor.postpone(self.connection, ahead)
            events = [event for event in events if event.event_id not in ahead]
        if loading:
            await self.store([event for event in events if event.occurred_at < now - LIVE])
            events = [event for event in events if event.occurred_at >= now - LIVE]
        await self.send(events)
        await self.owed.tell()

    async def _dimensions(self, changed: Changed, now: datetime) -> None:
        """What is counted by, and what is counted no more."""
        connection = self.connection
        rows = await synced.interactions(connection, changed.interactions) if changed.interactions else ()
        touched = {row["lead_id"] for row in rows}
        if changed.tasks:
            touched |= await dimensions.leads_of_tasks(connection, changed.tasks)
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE jorge_etl")
            removed = await self._remove(changed)
            await dimensions.follow_people(connection, changed.people)
            asked = dict.fromkeys(sorted(touched | removed.leads), now) | changed.leads
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

    async def send(self, events: Sequence[Event]) -> None:
        """Through the streams, so that windows and screens see them; back when they are stored."""
        for begin in range(0, len(events), BATCH):
            await self._send(events[begin : begin + BATCH])

    async def _send(self, events: Sequence[Event]) -> None:
        """What was not told to be stored, and is not there when the streams say that all is, was lost with them, or refused."""
        for _ in range(TRIES):
            if await self._sent(events):
                return
            there = await synced.there(self.connection, {one.event_id: one.occurred_at for one in events})
            events = [one for one in events if one.event_id not in there]
            if not events:
                return
        logger.warning("from_sync.not_there", extra={"events": len(events)})

    async def _sent(self, events: Sequence[Event]) -> bool:
        """Were we told that they are stored? Else the streams hold none of them any more."""
        while True:
            try:
                sent = await ingest.send(self.deps, events, source_key=synced.SOURCE, wait=STORE_WAIT)
            except ingest.BacklogError:
                await asyncio.sleep(ingest.RETRY_AFTER)
                continue
            for refusal in sent.refused:
                logger.warning(
                    "from_sync.refused",
                    extra={"event": str(refusal.event.event_id), "reason": refusal.reason},
                )
            if sent.stored:
                return True
            if await settling.settled(self.deps.valkey):
                return False

    async def store(self, events: Sequence[Event]) -> None:
        """Past the streams, for what no window holds any more."""
        now = self.deps.clock.now()
        for begin in range(0, len(events), BATCH):
            batch = [
                facts.Arrived(event=event, source_key=synced.SOURCE, received_at=now, entry=ENTRY)
                for event in events[begin : begin + BATCH]
            ]
            if self._facts is None or self._facts.is_closed():
                self._facts = await facts.connect(self.deps.database_url)
            months = self.deps.settings.bi_retention_months
            parts = await sink.stored(self._facts, batch, months_kept=months)
            if any(part.repeated for part in parts):  # by one who may have died before he told
                self.owed.tags |= await touched.by(self._facts, [one.event for one in batch])
            for part in parts:
                self.owed.tags |= part.tags
                for one in part.rejected:
                    logger.warning(
                        "from_sync.refused",
                        extra={"event": str(one.arrived.event.event_id), "reason": one.reason},
                    )
            await self.owed.tell()

    def rest(self) -> None:
        """Nothing is to be loaded any more, or the follower ends."""
        if self._facts is not None:
            self._facts.terminate()
            self._facts = None
