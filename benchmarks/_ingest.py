"""Events of a busy hour, invented, and the warehouse they go into."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg

from backend import embedded
from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction, SystemHealth
from backend.events.kinds import Stage, Temperature
from backend.storage import migrate

OFFICES, LEADS, AGENTS, TALKS = 24, 5_000, 60, 4_000
BOTS = ("jorge-seller", "jorge-buyer", "lead-bot", "intent-decoder")
STAGES: Sequence[Stage] = (
    "new",
    "contacted",
    "qualified",
    "agreement",
    "offer",
    "contract",
    "closed",
    "lost",
)
KINDS: Sequence[Literal["turn", "scored", "conversation_started", "qualified"]] = (
    "turn", "turn", "turn", "scored", "scored", "conversation_started", "qualified"
)  # fmt: skip
TEMPERATURES: Sequence[Temperature] = ("hot", "warm", "lukewarm", "cold", "ice_cold")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    offices: Sequence[UUID]
    leads: Sequence[UUID]
    agents: Sequence[UUID]
    talks: Sequence[tuple[UUID, UUID, UUID]]
    """Each with its office and its lead."""
    deals: Sequence[UUID]


@contextmanager
def postgres(folder: Path) -> Iterator[embedded.Engines]:
    """PostgreSQL out of the wheel as we ship it: fsync and synchronous_commit on."""
    engines = embedded.start(folder, with_valkey=False)
    try:
        yield engines
    finally:
        embedded.release(engines)


def invented_world(rng: random.Random) -> World:
    def ids(count: int) -> list[UUID]:
        return [UUID(int=rng.getrandbits(128), version=4) for _ in range(count)]

    offices, leads = ids(OFFICES), ids(LEADS)
    talks = [(talk, rng.choice(offices), rng.choice(leads)) for talk in ids(TALKS)]
    return World(offices=offices, leads=leads, agents=ids(AGENTS), talks=talks, deals=ids(2_000))


async def settle(url: str, world: World) -> None:
    """The tables, with the offices, leads and agents that events speak of."""
    await migrate.migrate(url)
    connection = await asyncpg.connect(url)
    await connection.executemany(
        "INSERT INTO locations (id, name, state, zone) VALUES ($1, $2, 'CA', 'America/Los_Angeles')",
        [(office, f"Office {n}") for n, office in enumerate(world.offices)],
    )
    await connection.execute(
        "INSERT INTO dim_lead (lead_id, location_key, kind, stage, valid_from, created_at) "
        "SELECT lead, 1 + n % $2, 'seller', 'new', now() - interval '90 days', now() FROM unnest($1::uuid[]) WITH ORDINALITY l (lead, n)",
        world.leads,
        OFFICES,
    )
    await connection.execute(
        "INSERT INTO dim_agent (agent_id, location_key, role, valid_from) "
        "SELECT agent, key, 'agent', now() - interval '90 days' FROM unnest($1::uuid[]) agent, generate_series(1, $2) key",
        world.agents,
        OFFICES,
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def invented(rng: random.Random, world: World, count: int, until: datetime) -> list[Event]:
    """In a hundred: 52 interactions, 40 bot events, 4 states of deals, 4 words on the system's health; of ten minutes."""
    found: list[Event] = []
    for _ in range(count):
        moment = until - timedelta(seconds=rng.expovariate(1 / 60) % 600)
        which = rng.random()
        make = _interaction if which < 0.52 else _bot if which < 0.92 else _deal if which < 0.96 else _health
        found.append(make(rng, world, moment))
    return found


def _id(rng: random.Random, moment: datetime) -> UUID:
    """A UUIDv7 of that moment."""
    ms = int(moment.timestamp() * 1000)
    return UUID(int=ms << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62))


def _interaction(rng: random.Random, world: World, moment: datetime) -> Event:
    return LeadInteraction(
        event_id=_id(rng, moment),
        occurred_at=moment,
        event_type=rng.choice(("message", "message", "message", "call", "note", "bot_turn", "stage_changed")),
        location_id=rng.choice(world.offices),
        lead_id=rng.choice(world.leads),
        agent_id=rng.choice(world.agents),
        bot_id=rng.choice(BOTS) if rng.random() < 0.3 else None,
        channel=rng.choice(("sms", "email", "phone")),
        direction=rng.choice(("inbound", "outbound")),
        stage=rng.choice(STAGES),
        temperature=rng.choice(TEMPERATURES),
        confidence=rng.random(),
        frs=rng.uniform(0, 100),
        pcs=rng.uniform(0, 100),
        props={"words": rng.randrange(40), "first": rng.random() < 0.1} if rng.random() < 0.5 else None,
    )


def _bot(rng: random.Random, world: World, moment: datetime) -> Event:
    kind = rng.choice(KINDS)
    talk, office, lead = rng.choice(world.talks)
    return BotPerformance(
        event_id=_id(rng, moment),
        occurred_at=moment,
        event_type=kind,
        location_id=office,
        bot_id=rng.choice(BOTS),
        lead_id=lead,
        conversation_id=talk,
        confidence=rng.random(),
        quality=rng.random() if rng.random() < 0.3 else None,
        processing_ms=rng.lognormvariate(3.2, 0.6) if kind in ("turn", "scored") else None,
        success=True if kind == "qualified" else None,
        replied=rng.random() < 0.6 if kind == "turn" else None,
    )


def _deal(rng: random.Random, world: World, moment: datetime) -> Event:
    return CommissionEvent(
        event_id=_id(rng, moment),
        occurred_at=moment,
        location_id=rng.choice(world.offices),
        deal_id=rng.choice(world.deals),
        stage=rng.choice(STAGES),
        side_held=rng.choice(("listing", "buyer", "both")),
        price_cents=rng.randrange(20_000_000, 90_000_000),
        lead_id=rng.choice(world.leads),
        agent_id=rng.choice(world.agents),
        source="referral",
    )


def _health(rng: random.Random, world: World, moment: datetime) -> Event:
    return SystemHealth(
        event_id=_id(rng, moment),
        occurred_at=moment,
        event_type="measurement",
        component=rng.choice(("api", "sink", "windows")),
        value=rng.random(),
        unit="s",
    )


def now() -> datetime:
    return datetime.now(UTC)
