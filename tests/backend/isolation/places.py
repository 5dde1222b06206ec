"""Two brokerage offices whose data can be told apart at a glance: every id of the foreign one begins with `FOREIGN`."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson

from backend import deps as parts
from backend.deps import Deps
from backend.events import Event
from backend.services import sources
from backend.storage import pool, rows
from backend.storage.warehouse import offices
from backend.storage.warehouse.offices import Office
from backend.stream import dead, keeping
from domain import tables, values
from tests.backend.services.bi import filled
from tests.backend.stream.windows import at_work, world
from tests.serving import MakeUser, SignedIn
from tests.waiting import until

FOREIGN, OWN = "aaaaaaaa", "bbbbbbbb"
NAME = "Zanzibar"
"""In every name and text of the foreign office, and nowhere else."""
LEADS, COOLED, FACTS, LIVE = 12, 40, 60, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An office with its people. Ids are known before there is anything behind them."""

    name: str
    mark: str
    office: Office
    people: Sequence[str]
    """The user ids of those who work there."""
    dice: random.Random = field(default_factory=lambda: random.Random(5))

    def id_of(self, what: str, number: int = 0) -> str:
        tail = uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {number}").hex[8:]
        return str(uuid.UUID(self.mark + tail))

    @property
    def marks(self) -> frozenset[str]:
        """What must not be in anybody else's answer: names, ids, people."""
        return frozenset({self.name, self.mark, self.office.id, *self.people})


async def office_of(deps: Deps, name: str) -> Office:
    async with deps.bi.acquire() as connection:
        rows = await connection.fetch(
            "SELECT location_id, name FROM dim_location WHERE location_id IS NOT NULL"
        )
        found = next(str(row["location_id"]) for row in rows if row["name"] == name)
        return (await offices.seen(connection, [found]))[1][0]


async def opened(deps: Deps, make_user: MakeUser, name: str, mark: str, *, demo: bool = False) -> Place:
    """The office, its manager and an agent; nothing else yet."""
    made = [
        await make_user(role, (name,), email=f"{name.lower()}-{role}@brokerage.example", demo=demo)
        for role in ("manager", "agent")
    ]
    return Place(name=name, mark=mark, office=await office_of(deps, name), people=[one.id for one in made])


async def fill(deps: Deps, place: Place) -> None:
    """Rows that devices sync, facts, the dimensions' rows, alerts, forecasts, windows, a source, a dead letter."""
    await _live(deps, place)  # first: a processor that begins anew counts the facts too
    await _synced(deps, place)
    await _facts(deps, place)
    await _conclusions(deps, place)
    await _operation(deps, place)


async def _synced(deps: Deps, place: Place) -> None:
    now = deps.clock.now()
    common = {"location_id": place.office.id, "created_at": values.time_text(now - timedelta(days=2))}
    async with pool.transaction(deps.pool) as connection:
        for n in range(LEADS):
            lead = {"lead_id": place.id_of("lead", n)}
            named = {
                "kind": "seller",
                "name": f"{place.name} {n}",
                "source": place.name,
                "price_cents": 7_771_000_000 + n,
            }
            touched = {"stage": "qualified", "temperature": "hot", "last_touch_at": common["created_at"]}
            given: Sequence[tuple[tables.Table, dict[str, Any]]] = (
                (tables.LEADS, named | touched),
                (tables.INTERACTIONS, lead | {"kind": "text", "occurred_at": common["created_at"], "body": place.name}),
                (tables.TASKS, lead | {"kind": "call", "title": f"Call {place.name}"}),
                (tables.NOTES, lead | {"agent_id": place.people[1], "state": "saved", "text": place.name}),
                (tables.PROPERTIES, lead | {"status": "active", "address": f"{n} {place.name} Road"}),
                (tables.DEALS, lead | {"stage": "offer", "side_held": "listing", "price_cents": 7_772_000_000 + n}),
            )  # fmt: skip
            for table, said in given:
                row_id = place.id_of("lead" if table is tables.LEADS else table.name, n)
                await rows.insert(connection, table, row_id, common | said)


async def _facts(deps: Deps, place: Place) -> None:
    invented = filled.Invented(rng=place.dice, now=deps.clock.now(), offices=[place.office])
    for table, make in (
        ("fact_lead_interactions", invented.interaction),
        ("fact_bot_performance", invented.bot),
        ("fact_bot_conversations", invented.talk),
        ("fact_commission_events", invented.line),
    ):
        await filled.store(deps, table, [_marked(place, make(), n) for n in range(FACTS)])
    late = {
        "temperature": "hot",
        "stage": "qualified",
        "opted_out": False,
        "answer_due_at": deps.clock.now() - timedelta(hours=1),
    }
    own = {"agent_id": place.people[1], "source": place.name}
    leads = [invented.lead() | late | own | {"lead_id": place.id_of("lead", n)} for n in range(LEADS)]
    await filled.store(deps, "dim_lead", leads)
    now = deps.clock.now()
    turns = [("hot", 20, 10), ("cold", 10, None)]
    spells = [
        invented.lead() | own | _spell(now, *turn) | {"lead_id": place.id_of("cooled", n)}
        for n in range(COOLED)
        for turn in turns
    ]
    await filled.store(deps, "dim_lead", spells)


def _spell(now: datetime, temperature: str, since: int, until: int | None) -> dict[str, Any]:
    """A lead's temperature from so many days ago until so many."""
    begin = now - timedelta(days=since)
    end = "infinity" if until is None else now - timedelta(days=until)
    return {
        "temperature": temperature,
        "stage": "qualified",
        "opted_out": False,
        "created_at": begin,
        "valid_from": begin,
        "valid_to": end,
    }


def _marked(place: Place, row: dict[str, Any], number: int) -> dict[str, Any]:
    """With the place's own ids."""
    lead = place.id_of("lead", number % LEADS)
    return {
        name: lead
        if name == "lead_id"
        else place.people[1]
        if name == "agent_id"
        else place.name
        if name == "source"
        else place.mark + str(value)[8:]
        if name in ("event_id", "conversation_id", "started_by", "deal_id")
        else value
        for name, value in row.items()
    }


async def _conclusions(deps: Deps, place: Place) -> None:
    now = deps.clock.now()
    alert = {
        "alert_id": place.id_of("alert"), "rule": "success_falls", "subject": "lead-bot", "location_key": place.office.key,
        "severity": "high", "title": f"{place.name} falls", "message": f"{place.name} is worse", "value": 0.777,
        "bound": 0.7, "n": 77, "opened_at": now - timedelta(hours=1), "last_seen_at": now,
        "context": {"location_id": place.office.id}, "evidence": {"place": place.name},
    }  # fmt: skip
    await filled.store(deps, "bi_alerts", [alert])
    yesterday = (now - timedelta(days=1)).astimezone(place.office.zone).date().isoformat()
    forecast = {
        "location_key": place.office.key, "measure": "company_cents", "data_until": yesterday, "days": 90, "model": place.name,
        "issued_at": now, "value_cents": 7_773_000_000, "low_80": 1, "high_80": 2, "low_95": 1, "high_95": 2, "backtest": {},
    }  # fmt: skip
    await filled.store(deps, "bi_forecasts", [forecast])


async def _live(deps: Deps, place: Place) -> None:
    """Through a processor, which needs a clock that goes."""
    dice, at = random.Random(place.mark), uuid.UUID(place.office.id)
    told = [
        (stream, _renamed(place, event))
        for stream, event in world.some(dice, LIVE, office=at, occurred_at=datetime.now(UTC))
    ]
    async with parts.open_deps(deps.settings, channel_prefix=deps.channel_prefix) as going:
        async with at_work.working(going):
            await at_work.add(going, told)
            wanted = at_work.interactions(told)
            await until(lambda: at_work.equals(_counted(going, place), wanted), what="counted")


def _renamed(place: Place, event: Event) -> Event:
    """With ids of its own: who says the id of somebody's conversation means that one, whichever office it is from."""
    ids = ("lead_id", "conversation_id", "deal_id")
    told = {name: found for name in ids if (found := getattr(event, name, None))}
    return msgspec.structs.replace(
        event, **{name: uuid.UUID(place.mark + str(found)[8:]) for name, found in told.items()}
    )


async def _counted(deps: Deps, place: Place) -> int:
    row = await deps.valkey.hget(keeping.LATEST, f"{place.office.key}:1h")
    return int(orjson.loads(row)["values"]["interactions"]) if row else 0


async def _operation(deps: Deps, place: Place) -> None:
    await sources.create(deps, name=f"{place.name} bot", locations=[place.office.id], config={})
    letter = dead.Letter(
        stream="lead_interactions", reason="unknown_location", message=place.name, payload=place.name.encode(), at=deps.clock.now()
    )  # fmt: skip
    await dead.put(deps.valkey, [letter])


async def held(deps: Deps, place: Place) -> list[tuple[str, int, str]]:
    """Everything of a place, to see whether anybody changed it: rows and a sum of them by table."""
    async with deps.pool.acquire() as connection:
        named = await connection.fetch(
            """SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
                WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name IN ('location_id', 'location_key')
                  AND table_name NOT IN ('audit_log', 'user_locations') ORDER BY 1, 2"""
        )
        found = []
        for table, column in named:
            at = place.office.id if column == "location_id" else str(place.office.key)
            row = await connection.fetchrow(
                f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t WHERE {column}::text = $1",  # noqa: S608
                at,
            )
            assert row is not None
            found.append((table, row[0], row[1]))
    return found


def leaks(place: Place, text: str) -> list[str]:
    """What of the place is in the text."""
    lower = text.lower()
    return sorted(mark for mark in place.marks if mark.lower() in lower)


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """Who asks: a role, or nobody."""

    role: str
    signed_in: SignedIn | None

    @property
    def headers(self) -> dict[str, str]:
        return self.signed_in.headers if self.signed_in else {}
