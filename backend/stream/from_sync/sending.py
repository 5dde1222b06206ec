"""Events of synced rows on their way into the facts: through the streams, or past them what no window holds any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from backend import faults
from backend.events import Event
from backend.storage.warehouse import facts, synced, touched
from backend.stream import ingest, sink
from backend.stream.from_sync import mapping, settling

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection
    from backend.stream.from_sync.owing import Owed

logger = logging.getLogger(__name__)

STORE_WAIT = 1.0
TRIES = 2
BATCH = 2_000
PATIENCE = 10.0
"""Seconds, after which the sink is given proof for what it may hold back."""
LONGEST_PATIENCE = 600.0
PROOFS = 10
LIVE = timedelta(hours=25)
"""What is older is in no window any more."""
ENTRY = "from_sync"
NOT_THERE = "not_there"
"""The reason of a row whose event the streams lost, or the sink refused: then it is with the dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An event that the facts did not take."""

    event: Event
    reason: str


@dataclass(slots=True, kw_only=True)
class Sender:
    """`connection`: the follower's, for questions."""

    deps: Deps
    connection: Connection
    owed: Owed
    _facts: asyncpg.Connection[asyncpg.Record] | None = None
    """For `store`, which wants one of its own; there is one while there is something to load."""

    async def send(self, events: Sequence[Event]) -> list[Refused]:
        """Through the streams, so that windows and screens see them; back when they are stored. What the sink refuses is with the
        dead letters; answers what was refused on the way past the streams."""
        refused: list[Refused] = []
        for begin in range(0, len(events), BATCH):
            refused += await self._send(events[begin : begin + BATCH])
        return refused

    async def _send(self, events: Sequence[Event]) -> Sequence[Refused]:
        """What was not told to be stored, and is not there when the streams say that all is, was lost with them, or refused."""
        for _ in range(TRIES):
            sent = await self._sent(events)
            if sent is not None:
                return [Refused(event=one.event, reason=one.reason) for one in sent.refused]
            there = await synced.there(self.connection, {one.event_id: one.occurred_at for one in events})
            events = [one for one in events if one.event_id not in there]
            if not events:
                return ()
        logger.warning("from_sync.not_there", extra={"events": len(events)})
        return [Refused(event=one, reason=NOT_THERE) for one in events]

    async def _sent(self, events: Sequence[Event]) -> ingest.Sent | None:
        """Were we told that they are stored? None: the streams hold none of them any more, and nobody knows."""
        while True:
            try:
                sent = await ingest.send(self.deps, events, source_key=synced.SOURCE, wait=STORE_WAIT)
            except ingest.BacklogError:
                await asyncio.sleep(ingest.RETRY_AFTER)
                continue
            if sent.stored:
                return sent
            if await self.settled():
                return None

    async def settled(self) -> bool:
        """As `settling.settled`. The sink may hold an event back until another one of its kind proves that one at fault, and nobody
        else may send any: so what is stored long since is sent again."""
        patience, upto = PATIENCE, dict[str, bytes]()
        while True:
            try:
                async with asyncio.timeout(patience):
                    return await settling.settled(self.deps.valkey, upto)
            except TimeoutError:
                await self._prove()
            patience = min(patience * 2, LONGEST_PATIENCE)

    async def _prove(self) -> None:
        """Raises: what passes. Whatever else there is against the proofs, those who wait are not at fault."""
        try:
            proofs = await self._proofs()
            await ingest.send(self.deps, proofs, source_key=synced.SOURCE, wait=0)
        except ingest.BacklogError:
            return  # much waits: some of it will do
        except Exception as fault:
            if self.connection.is_closed() or faults.blame(fault) is faults.Blame.NOBODY:
                raise
            logger.warning("from_sync.no_proof", extra=faults.named(fault))
        else:
            logger.info("from_sync.proves", extra={"events": len(proofs)})

    async def _proofs(self) -> list[Event]:
        """Of both kinds, as their rows stand; the same ids change nothing."""
        before = self.deps.clock.now() - LIVE
        interactions = await synced.stored_interactions(self.connection, before, limit=PROOFS)
        deals = await synced.stored_deals(self.connection, before, limit=PROOFS)
        return [
            *map(mapping.interaction, await synced.interactions(self.connection, interactions)),
            *(
                mapping.deal_state(row, oldest=row["known_until"])
                for row in await synced.deals(self.connection, deals)
            ),
        ]

    async def store(self, events: Sequence[Event]) -> list[Refused]:
        """Past the streams, for what no window holds any more; answers what was refused."""
        refused: list[Refused] = []
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
                refused += [Refused(event=one.arrived.event, reason=one.reason) for one in part.rejected]
            await self.owed.tell()
        return refused

    def rest(self) -> None:
        """Nothing is to be loaded any more, or the follower ends."""
        if self._facts is not None:
            self._facts.terminate()
            self._facts = None
