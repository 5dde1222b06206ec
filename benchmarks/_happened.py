"""Six minutes of a brokerage's events, packed as the ingest packs them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from backend.epoch import micros
from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction

EVENTS = 60_000
PACK = 500
LOCATIONS, BOTS, LEADS, TALKS = 24, 4, 20_000, 8_000

Packs = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Packed events of six minutes, and the offices they are of."""

    packs: Packs
    events: Sequence[Event]
    offices: Sequence[uuid.UUID]
    end: int


def made(rnd: random.Random) -> World:
    offices = [_id(rnd) for _ in range(LOCATIONS)]
    leads, talks = [_id(rnd) for _ in range(LEADS)], [_id(rnd) for _ in range(TALKS)]
    end = datetime.now(UTC)
    events_of: dict[str, list[Event]] = {
        "lead_interactions": [],
        "bot_performance": [],
        "commission_events": [],
    }
    for number in range(EVENTS):
        moment = end - timedelta(seconds=360) * (1 - number / EVENTS) - timedelta(seconds=rnd.random() * 2)
        stream = rnd.choices(list(events_of), weights=(45, 53, 2))[0]
        events_of[stream].append(_MAKERS[stream](rnd, moment, rnd.choice(offices), leads, talks))
    packs = [
        (moment, stream, msgspec.json.encode(events[begin : begin + PACK]))
        for stream, events in events_of.items()
        for begin in range(0, len(events), PACK)
        for moment in [events[begin].occurred_at]
    ]
    packs.sort(key=lambda pack: pack[0])
    return World(
        packs=[(stream, data) for _, stream, data in packs],
        events=[event for events in events_of.values() for event in events],
        offices=offices,
        end=micros(end),
    )


def _lead(
    rnd: random.Random,
    moment: datetime,
    office: uuid.UUID,
    leads: Sequence[uuid.UUID],
    _: Sequence[uuid.UUID],
) -> Event:
    return LeadInteraction(
        event_id=_id(rnd),
        occurred_at=moment,
        event_type=rnd.choice(["message", "call", "note", "visit"]),
        location_id=office,
        lead_id=rnd.choice(leads),
        channel="sms",
        direction=rnd.choice(["inbound", "outbound"]),
        temperature=rnd.choice(["hot", "warm", "cold"]),
        confidence=round(rnd.random(), 3),
    )


def _bot(
    rnd: random.Random,
    moment: datetime,
    office: uuid.UUID,
    _: Sequence[uuid.UUID],
    talks: Sequence[uuid.UUID],
) -> Event:
    return BotPerformance(
        event_id=_id(rnd),
        occurred_at=moment,
        event_type=rnd.choice(["turn", "scored"]),
        location_id=office,
        bot_id=f"bot-{rnd.randrange(BOTS)}",
        conversation_id=rnd.choice(talks),
        confidence=round(rnd.random(), 3),
        processing_ms=round(rnd.lognormvariate(3, 1), 3),
        success=True,
        replied=rnd.random() < 0.3,
    )


def _deal(
    rnd: random.Random,
    moment: datetime,
    office: uuid.UUID,
    leads: Sequence[uuid.UUID],
    _: Sequence[uuid.UUID],
) -> Event:
    return CommissionEvent(
        event_id=_id(rnd),
        occurred_at=moment,
        location_id=office,
        deal_id=rnd.choice(leads[:500]),
        stage=rnd.choice(["offer", "contract", "closed"]),
        side_held="listing",
        price_cents=rnd.randrange(10**7, 10**8),
    )


_MAKERS: dict[str, Callable[..., Event]] = {
    "lead_interactions": _lead,
    "bot_performance": _bot,
    "commission_events": _deal,
}


def _id(rnd: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rnd.getrandbits(128), version=4)
