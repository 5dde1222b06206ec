"""Six minutes of a brokerage's events, packed as the ingest packs them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
    def ids(count: int) -> Sequence[uuid.UUID]:
        return [_id(rnd) for _ in range(count)]

    maker = _Maker(rnd=rnd, offices=ids(LOCATIONS), leads=ids(LEADS), talks=ids(TALKS))
    end = datetime.now(UTC)
    kinds: dict[str, Callable[[datetime], Event]] = {
        "lead_interactions": maker.interaction,
        "bot_performance": maker.turn,
        "commission_events": maker.deal,
    }
    events_of: dict[str, list[Event]] = {stream: [] for stream in kinds}
    for number in range(EVENTS):
        moment = end - timedelta(seconds=360) * (1 - number / EVENTS) - timedelta(seconds=rnd.random() * 2)
        stream = rnd.choices(list(kinds), weights=(45, 53, 2))[0]
        events_of[stream].append(kinds[stream](moment))
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
        offices=maker.offices,
        end=micros(end),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    rnd: random.Random
    offices: Sequence[uuid.UUID]
    leads: Sequence[uuid.UUID]
    talks: Sequence[uuid.UUID]

    def interaction(self, moment: datetime) -> Event:
        return LeadInteraction(
            **self._common(moment),
            event_type=self.rnd.choice(["message", "call", "note", "visit"]),
            lead_id=self.rnd.choice(self.leads),
            channel="sms",
            direction=self.rnd.choice(["inbound", "outbound"]),
            temperature=self.rnd.choice(["hot", "warm", "cold"]),
            confidence=round(self.rnd.random(), 3),
        )

    def turn(self, moment: datetime) -> Event:
        return BotPerformance(
            **self._common(moment),
            event_type=self.rnd.choice(["turn", "scored"]),
            bot_id=f"bot-{self.rnd.randrange(BOTS)}",
            conversation_id=self.rnd.choice(self.talks),
            confidence=round(self.rnd.random(), 3),
            processing_ms=round(self.rnd.lognormvariate(3, 1), 3),
            success=True,
            replied=self.rnd.random() < 0.3,
        )

    def deal(self, moment: datetime) -> Event:
        return CommissionEvent(
            **self._common(moment),
            deal_id=self.rnd.choice(self.leads[:500]),
            stage=self.rnd.choice(["offer", "contract", "closed"]),
            side_held="listing",
            price_cents=self.rnd.randrange(10**7, 10**8),
        )

    def _common(self, moment: datetime) -> dict[str, Any]:
        office = self.rnd.choice(self.offices)
        return {"location_id": office, "event_id": _id(self.rnd), "occurred_at": moment}


def _id(rnd: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rnd.getrandbits(128), version=4)
