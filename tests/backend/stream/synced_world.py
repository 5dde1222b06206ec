"""Two offices whose synced rows change at random, and what the warehouse must say of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from backend.deps import Deps
from backend.storage import feed, pool, rows
from backend.stream import from_sync
from backend.stream.from_sync.follower import Follower
from domain import tables, values

STAGES = ("new", "contacted", "qualified", "offer", "contract", "closed", "lost")
KINDS = ("message", "call", "visit", "note", "text", "something else")


@dataclass(slots=True, kw_only=True)
class World:
    """Writes as a push does: through `storage.rows`, so that triggers, versions and the feed are the real ones."""

    deps: Deps
    offices: Sequence[str]
    dice: Random
    lives: int = 0
    """Ids of another life are other ids: what was stored under them is remembered."""
    ids: dict[str, list[str]] = field(default_factory=lambda: {t.name: [] for t in tables.ALL})

    def begin_anew(self, seed: int) -> None:
        self.dice = Random(seed)
        self.lives += 1
        for ids in self.ids.values():
            ids.clear()

    async def change(self) -> None:
        """Something of what people do."""
        acts: Sequence[tuple[Callable[[], Any], int]] = (
            (self.add_lead, 3), (self.add_interaction, 4), (self.add_task, 2), (self.add_deal, 3),
            (self.edit_lead, 4), (self.edit_task, 3), (self.edit_deal, 6), (self.move_lead, 1),
            (self.delete, 2), (self.restore, 1),
        )  # fmt: skip
        await self.dice.choices([act for act, _ in acts], [weight for _, weight in acts])[0]()

    async def add_lead(self) -> str:
        return await self.add(
            tables.LEADS, kind="seller", name="A lead", stage=self.dice.choice(STAGES), source="Web"
        )

    async def add_interaction(self) -> None:
        await self.add(
            tables.INTERACTIONS,
            lead_id=await self.any_lead(),
            kind=self.dice.choice(KINDS),
            direction=self.dice.choice(("inbound", "outbound", None)),
            channel="text",
            occurred_at=self.moment(),
        )

    async def add_task(self) -> None:
        await self.add(
            tables.TASKS, lead_id=await self.any_lead(), title="Call", kind="call", due_at=self.moment()
        )

    async def add_deal(self) -> None:
        await self.add(tables.DEALS, lead_id=await self.any_lead(), side_held="listing", **self.terms())

    async def edit_lead(self) -> None:
        await self._edit(
            tables.LEADS,
            self.dice.choice(
                [
                    {"stage": self.dice.choice(STAGES)},
                    {"temperature": self.dice.choice(("hot", "warm", "cold"))},
                    {"agent_id": str(uuid.UUID(int=self.dice.randrange(1, 4)))},
                    {"opted_out": True},
                    {"last_touch_at": self.moment()},
                    {"name": "Another name"},
                ]
            ),
        )

    async def edit_task(self) -> None:
        lead = await self.any_lead()
        await self._edit(
            tables.TASKS,
            self.dice.choice([{"due_at": self.moment()}, {"done_at": self.moment()}, {"lead_id": lead}]),
        )

    async def edit_deal(self) -> None:
        await self._edit(tables.DEALS, self.terms())

    async def move_lead(self) -> None:
        """With what belongs to it, as moves.take_along does."""
        lead, office = await self.any_lead(), self.dice.choice(self.offices)
        await self.set(tables.LEADS, lead, {"location_id": office})
        async with self.deps.pool.acquire() as connection:
            for table in (tables.INTERACTIONS, tables.TASKS, tables.DEALS):
                for row in await rows.where(connection, table, "lead_id = $1", lead):
                    await rows.update(connection, row, {"location_id": office}, edit_ms=self.edit_ms())

    async def delete(self) -> None:
        if found := await self._any(live=True):
            async with self.deps.pool.acquire() as connection:
                await rows.delete(connection, found, edit_ms=self.edit_ms())

    async def restore(self) -> None:
        if found := await self._any(live=False):
            async with self.deps.pool.acquire() as connection:
                await rows.restore(connection, found, {}, edit_ms=self.edit_ms())

    def terms(self) -> dict[str, Any]:
        stage = self.dice.choice(STAGES)
        return {
            "stage": stage,
            "price_cents": self.dice.randrange(10**8),
            "listing_rate_bp": self.dice.choice((250, 300)),
            "gross_cents": self.dice.randrange(10**6),
            "net_cents": self.dice.randrange(10**5),
            "closed_on": self.moment()[:10] if stage == "closed" else None,
        }

    def moment(self) -> str:
        """In the last hundred days."""
        return values.time_text(self.deps.clock.now() - timedelta(minutes=self.dice.randrange(1, 144_000)))

    def edit_ms(self) -> int:
        """Devices' clocks go as they like, but never ahead (merge.clamp_edit_ms)."""
        return int(self.deps.clock.now().timestamp() * 1000) - self.dice.choice((0, 0, 5_000, 86_400_000))

    async def any_lead(self) -> str:
        return self.dice.choice(self.ids["leads"]) if self.ids["leads"] else await self.add_lead()

    async def add(self, table: tables.Table, **given: Any) -> str:
        row_id = str(uuid.UUID(int=self.lives << 96 | self.dice.getrandbits(96)))
        place = given.get("lead_id") and await self._place(given["lead_id"])
        scope = {"location_id": place or self.dice.choice(self.offices), "created_at": self.moment()}
        async with self.deps.pool.acquire() as connection:
            await rows.insert(connection, table, row_id, {**scope, **given})
        self.ids[table.name].append(row_id)
        return row_id

    async def _place(self, lead: str) -> str:
        async with self.deps.pool.acquire() as connection:
            return str(await connection.fetchval("SELECT location_id FROM leads WHERE id = $1", lead))

    async def _edit(self, table: tables.Table, given: dict[str, Any]) -> None:
        if self.ids[table.name]:
            await self.set(table, self.dice.choice(self.ids[table.name]), given)

    async def set(self, table: tables.Table, row_id: str, given: dict[str, Any]) -> None:
        async with self.deps.pool.acquire() as connection:
            row = await rows.get(connection, table, row_id)
            assert row is not None
            await rows.update(connection, row, given, edit_ms=self.edit_ms())

    async def _any(self, *, live: bool) -> rows.Stored | None:
        table = self.dice.choice((tables.LEADS, tables.INTERACTIONS, tables.TASKS, tables.DEALS))
        async with self.deps.pool.acquire() as connection:
            found = await rows.where(connection, table, "(_deleted_at IS NULL) = $1 ORDER BY id", live)
        return self.dice.choice(found) if found else None


async def number(deps: Deps) -> None:
    """Give the changes their places in the feed, as the sequencer does."""
    async with pool.transaction(deps.pool) as connection:
        await feed.stamp(connection)


async def catch_up(follower: Follower) -> None:
    await number(follower.deps)
    while await from_sync.once(follower):
        pass


async def differences(deps: Deps) -> dict[str, list[Any]]:
    """What the warehouse says otherwise than the tables: empty lists everywhere, or something is wrong."""
    async with deps.pool.acquire() as connection:
        return {name: [tuple(row) for row in await connection.fetch(sql)] for name, sql in _CHECKS.items()}


def _both_ways(one: str, other: str) -> str:
    return f"(({one}) EXCEPT ALL ({other})) UNION ALL (({other}) EXCEPT ALL ({one}))"


NOTHING: dict[str, list[Any]] = {name: [] for name in ("leads", "agents", "interactions", "ledger", "days")}
_CHECKS = {
    "leads": _both_ways(
        """SELECT d.lead_id, p.location_id, d.agent_id, d.kind, d.source, d.stage, d.temperature, d.opted_out, d.last_contact_at,
                  d.next_touch_at, d.answer_due_at
             FROM dim_lead d JOIN dim_location p USING (location_key) WHERE d.is_current""",
        """SELECT l.id, l.location_id, l.agent_id, l.kind, coalesce(l.source, ''), l.stage, coalesce(l.temperature, ''),
                  l.opted_out IS TRUE, greatest(l.last_touch_at, l.last_inbound_at, (SELECT max(i.occurred_at)
                      FROM interactions i WHERE i.lead_id = l.id AND i._deleted_at IS NULL)),
                  (SELECT min(t.due_at) FROM tasks t WHERE t.lead_id = l.id AND t.done_at IS NULL AND t._deleted_at IS NULL),
                  l.answer_due_at
             FROM leads l WHERE l._deleted_at IS NULL""",
    ),
    "agents": _both_ways(
        """SELECT d.agent_id, p.location_id, d.role FROM dim_agent d JOIN dim_location p USING (location_key) WHERE d.is_current""",
        "SELECT user_id, location_id, role FROM people WHERE _deleted_at IS NULL",
    ),
    "interactions": _both_ways(
        """SELECT f.event_id, f.occurred_at, p.location_id, f.lead_id, f.direction FROM fact_lead_interactions f
             JOIN dim_location p USING (location_key) WHERE f.event_type <> 'stage_changed'""",
        "SELECT id, occurred_at, location_id, lead_id, direction FROM interactions WHERE _deleted_at IS NULL",
    ),
    "ledger": _both_ways(
        """SELECT p.location_id, f.stage, f.sells, sum(f.deals)::bigint, sum(f.price_cents)::bigint, sum(f.gross_cents)::bigint,
                  sum(f.company_cents)::bigint
             FROM fact_commission_events f JOIN dim_location p USING (location_key) GROUP BY 1, 2, 3 HAVING sum(f.deals) <> 0""",
        """SELECT location_id, stage, side_held <> 'buyer', count(*), sum(price_cents)::bigint, sum(gross_cents)::bigint,
                  sum(net_cents)::bigint
             FROM deals WHERE _deleted_at IS NULL GROUP BY 1, 2, 3""",
    ),
    "days": _both_ways(
        "SELECT date_key, sum(interactions)::bigint FROM agg_daily_metrics WHERE location_key = -1 GROUP BY 1 HAVING sum(interactions) <> 0",
        "SELECT date_key, count(*) FROM fact_lead_interactions GROUP BY 1",
    ),
}
