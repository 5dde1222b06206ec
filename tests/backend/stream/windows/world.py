"""Events as senders make them, and windows that are fed with them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.epoch import micros
from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction
from backend.stream.windows import rows
from backend.stream.windows.spans import SPANS
from backend.stream.windows.state import Windows

NOW = datetime(2026, 11, 22, 10, 0, 3, tzinfo=UTC)
OFFICES = {uuid.UUID(int=0xA0 + n): n for n in range(1, 4)}
BOTS = ("jorge-seller", "jorge-buyer", "lead-bot")
_LEADS = [uuid.UUID(int=0xB000 + n) for n in range(12)]
_TALKS = [uuid.UUID(int=0xC000 + n) for n in range(8)]
_DEALS = [uuid.UUID(int=0xD000 + n) for n in range(4)]
_STAGES = ("new", "contacted", "qualified", "agreement", "offer", "contract", "closed", "lost")
_LONG = timedelta(hours=27)
NOW_US = micros(NOW)


def fresh(*, most_ids: int = 1_000_000) -> Windows:
    """Windows that know the three offices."""
    windows = Windows(most_ids=most_ids)
    windows.locations = {office.int: key for office, key in OFFICES.items()}
    return windows


def interaction(rnd: random.Random, *, office: uuid.UUID | None = None, **said: Any) -> LeadInteraction:
    given: dict[str, Any] = {
        "event_id": _id(rnd),
        "occurred_at": _moment(rnd, _LONG),
        "event_type": rnd.choice(
            ["message", "call", "visit", "showing", "open_house", "note", "stage_changed"]
        ),
        "location_id": office or rnd.choice(list(OFFICES)),
        "lead_id": rnd.choice(_LEADS),
        "direction": rnd.choice([None, "inbound", "outbound"]),
        "temperature": rnd.choice([None, "hot", "warm", "lukewarm", "cold", "ice_cold"]),
    }
    return LeadInteraction(**given | said)


def performance(rnd: random.Random, *, office: uuid.UUID | None = None, **said: Any) -> BotPerformance:
    kind = rnd.choice(
        ["turn", "turn", "scored", "scored", "qualified", "handoff", "error", "conversation_ended"]
    )
    talk = rnd.choice([None, *_TALKS])
    given: dict[str, Any] = {
        "event_id": _id(rnd),
        "occurred_at": _moment(rnd, _LONG),
        "event_type": kind,
        "location_id": office or rnd.choice(list(OFFICES)),
        "bot_id": rnd.choice(BOTS),
        "to_bot_id": "lead-bot" if kind == "handoff" else None,
        "conversation_id": talk,
        "confidence": rnd.choice([None, round(rnd.random(), 5)]),
        "quality": rnd.choice([None, 0.0, 0.12345, 1.0]),
        "processing_ms": rnd.choice([None, 0.0, 0.1, 49.9996, round(rnd.lognormvariate(3, 2), 4)]),
        "success": rnd.choice([None, True, False]),
        "replied": rnd.choice([None, True, False]),
    }
    return BotPerformance(**given | said)


def deal(rnd: random.Random, *, office: uuid.UUID | None = None, **said: Any) -> CommissionEvent:
    price = rnd.randrange(0, 90_000_000_00)
    given: dict[str, Any] = {
        "event_id": _id(rnd),
        "occurred_at": _moment(rnd, _LONG),
        "location_id": office or rnd.choice(list(OFFICES)),
        "deal_id": rnd.choice(_DEALS),
        "stage": rnd.choice(_STAGES),
        "side_held": rnd.choice(["listing", "buyer", "both"]),
        "price_cents": price,
        "rate_bp": rnd.choice([None, 250, 333, 600]),
        "gross_cents": rnd.choice([None, None, price // 37]),
        "company_cents": rnd.choice([None, price // 91]),
    }
    return CommissionEvent(**given | said)


MAKERS: Sequence[tuple[str, Callable[..., Event]]] = (
    ("lead_interactions", interaction),
    ("bot_performance", performance),
    ("commission_events", deal),
)


def some(rnd: random.Random, count: int, **said: Any) -> list[tuple[str, Event]]:
    """(stream, event) of all kinds."""
    chosen = rnd.choices(MAKERS, weights=(4, 5, 2), k=count)
    return [(stream, make(rnd, **said)) for stream, make in chosen]


def feed(windows: Windows, told: Iterable[tuple[str, Event]], *, at_once: int = 7, now: int = NOW_US) -> None:
    """Hand over in this order, in batches of one stream each."""
    batch: list[Event] = []
    last = ""
    for stream, event in told:
        if batch and (stream != last or len(batch) >= at_once):
            windows.take(last, batch, now)
            batch = []
        last = stream
        batch.append(event)
    if batch:
        windows.take(last, batch, now)


def said(windows: Windows) -> dict[tuple[int, str], dict[str, Any]]:
    """All rows: (location key, window) → values, bots, latencies."""
    found = {}
    for number in range(len(SPANS)):
        for row in rows.of_window(windows, number, OFFICES.values()):
            found[row.location, row.window] = {
                "values": row.values,
                "bots": row.bots,
                "latencies": row.latencies,
            }
    return found


def _id(rnd: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rnd.getrandbits(128), version=4)


def _moment(rnd: random.Random, back: timedelta) -> datetime:
    """Often lately, on edges too."""
    longest = rnd.choice([timedelta(seconds=20), timedelta(minutes=6), timedelta(minutes=70), back])
    moment = NOW + timedelta(seconds=3) - rnd.random() * longest
    return moment.replace(microsecond=rnd.choice([0, 1, 999_999, moment.microsecond]))
