"""A warehouse with invented facts at known moments, and plain counts of them that use neither aggregates nor spans."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from backend.actor import Actor, Role
from backend.deps import Deps
from backend.metrics import MEASURES
from backend.metrics.measures import MOMENT, MONEY
from backend.services import users
from backend.services.bi.spans import DAYS, ROLLING
from backend.storage import pool
from backend.storage.warehouse import offices
from backend.storage.warehouse.scope import writing

ZONES = ("America/Los_Angeles", "America/New_York", "Asia/Kolkata")
STAGES = ("new", "contacted", "qualified", "agreement", "offer", "contract", "closed", "lost")
TEMPERATURES = ("hot", "warm", "lukewarm", "cold", "ice_cold", "")
AGENTS = tuple(str(uuid.UUID(int=n)) for n in range(1, 4))
SOURCES = ("", "referral", "sign call")
NOW = datetime(2026, 11, 23, 5, 40, 12, tzinfo=UTC)
"""At the offices it is 21:40 of the day before, 00:40 and 11:10."""
Offices = tuple[offices.Office, ...]


async def open_offices(deps: Deps, zones: Sequence[str] = ZONES) -> Offices:
    """One location in each zone."""
    async with pool.transaction(deps.pool) as connection:
        for n, zone in enumerate(zones):
            await users.ensure_location(connection, name=f"Office {n}", state="", zone=zone)
    async with deps.bi.acquire() as connection:
        ids = [row["location_id"] for row in await connection.fetch("SELECT location_id FROM dim_location")]
        return (await offices.seen(connection, ids))[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invented:
    """Facts of some offices up to `now`, most of them near the edges of the timeframes."""

    rng: random.Random
    now: datetime
    offices: Sequence[offices.Office]

    def moment(self) -> datetime:
        back = self.rng.choice((1 / 24, 1, 1, 2, 7, 14, 30, 60, 90, 180, 365, 730))
        near = self.rng.choice((0.0, 0.0, 1.0))
        hours = back * 24 - near * 0.01 * self.rng.random() if near else back * 24 * self.rng.random()
        return self.now - timedelta(hours=hours, seconds=self.rng.uniform(-3, 3) * 60)

    def placed(self) -> dict[str, Any]:
        office = self.rng.choice(self.offices)
        moment = min(self.moment(), self.now)
        return {
            "occurred_at": moment,
            "event_id": str(uuid.UUID(int=self.rng.getrandbits(128))),
            "received_at": moment,
            "date_key": key_of(moment, office.zone),
            "location_key": office.key,
            "lead_id": self.rng.choice((None, *(str(uuid.UUID(int=n)) for n in range(100, 120)))),
        }

    def interaction(self) -> dict[str, Any]:
        return self.placed() | {
            "bot_key": self.rng.randrange(4),
            "agent_id": self.rng.choice((None, *AGENTS)),
            "event_type": self.rng.choice(("message", "call", "showing", "stage_changed", "note")),
            "channel": self.rng.choice((None, "sms", "phone")),
            "direction": self.rng.choice((None, "inbound", "outbound")),
            "stage": self.rng.choice((None, *STAGES)),
            "temperature": self.rng.choice((None, *TEMPERATURES[:5])),
        }

    def bot(self) -> dict[str, Any]:
        kind = self.rng.choice(("turn", "scored", "scored", "handoff", "error"))
        return self.placed() | {
            "bot_key": self.rng.randrange(1, 4),
            "event_type": kind,
            "confidence_bp": self.rng.choice((None, 5_000, 9_000)),
            "quality_bp": self.rng.choice((None, 4_000, 8_000)),
            "processing_us": self.rng.choice((None, int(self.rng.lognormvariate(10, 1)))),
            "replied": self.rng.choice((None, True, False)),
        }

    def talk(self) -> dict[str, Any]:
        row = self.placed()
        replied = self.rng.choice((row["occurred_at"], row["occurred_at"], None))
        return {
            "conversation_id": row["event_id"],
            "location_key": row["location_key"],
            "bot_key": self.rng.randrange(1, 4),
            "started_by": row["event_id"],
            "lead_id": row["lead_id"],
            "started_at": row["occurred_at"],
            "replied_at": replied,
            "date_key": row["date_key"] if replied else None,
            "qualified_at": self.rng.choice((None, row["occurred_at"])),
            "last_at": row["occurred_at"],
        }

    def line(self) -> dict[str, Any]:
        """A ledger line; of `closed` ones the day is when it closed, the moment when we heard of it."""
        row = self.placed()
        price = self.rng.randrange(1, 9) * 10_000_001
        closed_later = self.rng.choice((0, 0, 1))
        zone = next(office.zone for office in self.offices if office.key == row["location_key"])
        stage = self.rng.choice(STAGES)
        if stage == "closed":
            row["date_key"] = key_of(row["occurred_at"] - timedelta(days=closed_later), zone)
        return row | {
            "line": 0,
            "deal_id": row["event_id"],
            "agent_id": self.rng.choice((None, *AGENTS)),
            "stage": stage,
            "sells": self.rng.choice((True, False)),
            "rate_bp": 300,
            "added": 1,
            "deals": 1,
            "price_cents": price,
            "gross_cents": price * 3 // 100,
            "company_cents": price // 100 + self.rng.randrange(3),
            "source": self.rng.choice(SOURCES),
        }

    def lead(self) -> dict[str, Any]:
        """A current row of dim_lead."""
        created = self.now - timedelta(days=self.rng.random() * 300)
        contact = self.rng.choice((None, self.now - timedelta(days=self.rng.random() * 60)))
        touch = self.rng.choice((None, self.now + timedelta(days=self.rng.random() * 60)))
        return {
            "lead_id": str(uuid.UUID(int=self.rng.getrandbits(128))),
            "location_key": self.rng.choice(self.offices).key,
            "agent_id": self.rng.choice((None, *AGENTS)),
            "kind": "seller",
            "source": self.rng.choice(SOURCES),
            "stage": self.rng.choice(STAGES),
            "temperature": self.rng.choice(TEMPERATURES),
            "opted_out": self.rng.random() < 0.1,
            "valid_from": created,
            "created_at": created,
            "last_contact_at": contact,
            "next_touch_at": touch,
            "answer_due_at": self.rng.choice((None, self.now - timedelta(minutes=5))),
        }


def manager(offices: Sequence[Any]) -> Actor:
    """A manager of all of these."""
    return Actor(
        id=str(uuid.UUID(int=1)),
        role=Role.MANAGER,
        locations=frozenset(office.id for office in offices),
        device_id="",
        session_id="",
    )


def key_of(moment: datetime, zone: ZoneInfo) -> int:
    return int(moment.astimezone(zone).strftime("%Y%m%d"))


async def fill(deps: Deps, invented: Invented, count: int) -> None:
    """`count` rows of each fact."""
    for table, make in (
        ("fact_lead_interactions", invented.interaction),
        ("fact_bot_performance", invented.bot),
        ("fact_bot_conversations", invented.talk),
        ("fact_commission_events", invented.line),
    ):
        await store(deps, table, [make() for _ in range(count)])


async def store(deps: Deps, table: str, rows: Sequence[dict[str, Any]]) -> None:
    names = ", ".join(rows[0])
    async with writing(deps.bi) as connection:
        await connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1)",  # noqa: S608
            [{name: _plain(value) for name, value in row.items()} for row in rows],
        )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


async def counted(
    deps: Deps, name: str, office: offices.Office, timeframe: str, now: datetime, *, before: bool = False
) -> int:
    """A measure of one office over a timeframe, or the equal part before it, by its plain definition over the facts."""
    return (await counts(deps, [name], office, timeframe, now, before=before))[name]


async def counts(
    deps: Deps,
    names: Sequence[str],
    office: offices.Office,
    timeframe: str,
    now: datetime,
    *,
    before: bool = False,
) -> dict[str, int]:
    """`counted` of several measures: one question for each fact."""
    found: dict[str, int] = {}
    async with writing(deps.bi) as connection:
        for fact in sorted({MEASURES[name].fact for name in names}):
            rolling = timeframe in ROLLING and fact != MONEY
            within, arguments = (_rolled if rolling else _by_days)(timeframe, office, now, before=before)
            wanted = [name for name in names if MEASURES[name].fact == fact]
            row = await connection.fetchrow(
                f"SELECT {', '.join(MEASURES[name].expression for name in wanted)} FROM {fact}"  # noqa: S608
                " WHERE location_key = $1 AND " + within.format(moment=MOMENT[fact]),
                office.key,
                *arguments,
            )
            assert row is not None
            found |= {name: int(value or 0) for name, value in zip(wanted, row.values(), strict=True)}
    return found


def _rolled(
    timeframe: str, office: offices.Office, now: datetime, *, before: bool
) -> tuple[str, Sequence[Any]]:
    length = ROLLING[timeframe]
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    edges = (now - 2 * length, now - length) if before else (now - length, end)
    return "{moment} >= $2 AND {moment} < $3", edges


def _by_days(
    timeframe: str, office: offices.Office, now: datetime, *, before: bool
) -> tuple[str, Sequence[Any]]:
    """The days of the office; of the time before, the last day to the same time of day."""
    local = now.astimezone(office.zone)
    count = DAYS[timeframe]
    last = local.date() - timedelta(days=count if before else 0)
    first = last - timedelta(days=count - 1)
    same_time = datetime.combine(last, local.time(), office.zone)
    keys = [int(day.strftime("%Y%m%d")) for day in (first, last)]
    if before:
        return "date_key BETWEEN $2 AND $3 AND (date_key < $3 OR {moment} < $4)", [*keys, same_time]
    return "date_key BETWEEN $2 AND $3 AND {moment} IS NOT NULL", keys


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
