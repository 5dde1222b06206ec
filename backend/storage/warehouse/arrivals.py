"""A batch of events, made ready to be stored: rows by kind, what is repeated, and what can't be stored with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction, SystemHealth
from backend.storage.warehouse import partitions
from backend.storage.warehouse.keys import NOWHERE, QUARTER, Keys, Named, Spot
from backend.storage.warehouse.staging import STAGES, Arrived, NotStoredError

MOST_AHEAD = timedelta(minutes=5)
"""An event may be so much later than its arrival: clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    arrived: Arrived
    reason: str
    message: str


@dataclass(slots=True)
class Kind:
    """What a batch holds of one kind of event: rows as its stage makes them, beside their events and where each belongs.
    `ids`: theirs, with their moments in seconds since 1970."""

    rows: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    ids: dict[int, float] = field(default_factory=dict)

    def by_month(self) -> Mapping[date, Sequence[Any]]:
        """The rows that go into each month."""
        months = {spot.month for spot in set(self.spots)}
        if len(months) == 1 and NOWHERE.month not in months:
            return {months.pop(): self.rows}
        found: dict[date, list[Any]] = {}
        for row, event, spot in zip(self.rows, self.events, self.spots, strict=True):
            month = partitions.month_of(event.occurred_at.astimezone(UTC)) if spot is NOWHERE else spot.month
            found.setdefault(month, []).append(row)
        return found


@dataclass(slots=True)
class Ready:
    kinds: Mapping[type[Event], Kind] = field(default_factory=lambda: {kind: Kind() for kind in STAGES})
    rejected: list[Rejected] = field(default_factory=list)
    repeated: int = 0
    doubted: bool = False
    """Some of it was stored lately."""


def named(batch: Sequence[Arrived]) -> Named:
    """Kind by kind: a comprehension costs a third of a loop that asks each event what it is."""
    by_kind: dict[type[Event], list[Any]] = {kind: [] for kind in STAGES}
    for arrived in batch:
        by_kind[arrived.event.__class__].append(arrived.event)
    found = Named()
    for kind, events in by_kind.items():
        found.locations |= {e.location_id.int for e in events if e.location_id is not None}
        if kind is not SystemHealth:
            found.leads |= {e.lead_id.int: e.lead_id for e in events if e.lead_id is not None}
        if kind in (LeadInteraction, CommissionEvent):
            found.agents |= {e.agent_id.int: e.agent_id for e in events if e.agent_id is not None}
        if kind in (LeadInteraction, BotPerformance):
            found.bots |= {e.bot_id for e in events}
    found.bots |= {e.to_bot_id for e in by_kind[BotPerformance]}
    return found


def ready(batch: Sequence[Arrived], keys: Keys, *, months_kept: int) -> Ready:
    """An id counts once, whatever else a repeat says: the first one stands."""
    if not batch:
        return Ready()
    found = _read(batch, keys, months_kept, {})
    known = {
        id: seen[id]
        for seen in (keys.seen_before, keys.seen)
        for part in found.kinds.values()
        for id in part.ids.keys() & seen.keys()
    }
    return _read(batch, keys, months_kept, known) if known else found


def _read(batch: Sequence[Arrived], keys: Keys, months_kept: int, known: Mapping[int, float]) -> Ready:
    """`known`: events of the batch that were stored lately. With the same moment they are for the database to look at: somebody
    may have taken them away since."""
    found = Ready(doubted=bool(known))
    oldest = partitions.start(partitions.month_of(batch[-1].received_at, plus=-months_kept))
    ways = {kind: (part, part.ids, STAGES[kind].row) for kind, part in found.kinds.items()}
    for arrived in batch:
        event = arrived.event
        part, ids, make = ways[event.__class__]
        id, seconds = event.event_id.int, event.occurred_at.timestamp()
        if id in ids or (known and known.get(id, seconds) != seconds):
            found.repeated += 1
            continue
        try:
            spot = _spot(arrived, seconds, keys, oldest)
            row = make(arrived, seconds, spot, keys)
        except NotStoredError as fault:
            found.rejected.append(Rejected(arrived=arrived, reason=fault.reason, message=fault.message))
            continue
        except KeyError:
            message = "There are too many bots already; is `bot_id` really one?"
            found.rejected.append(Rejected(arrived=arrived, reason="too_many_bots", message=message))
            continue
        ids[id] = seconds
        part.rows.append(row)
        part.events.append(event)
        part.spots.append(spot)
    return found


def _spot(arrived: Arrived, seconds: float, keys: Keys, oldest: datetime) -> Spot:
    event, received_at = arrived.event, arrived.received_at
    moment = event.occurred_at
    if moment < oldest:
        raise NotStoredError("too_old", f"`occurred_at` is before {oldest:%Y-%m}: facts of then are dropped.")
    if moment > received_at and moment > received_at + MOST_AHEAD:
        raise NotStoredError("in_the_future", "`occurred_at` is later than the event came.")
    if event.location_id is None:
        return NOWHERE
    spot = keys.spot(event.location_id.int, seconds // QUARTER)
    if spot is None:
        raise NotStoredError("unknown_location", "The warehouse knows no office with this `location_id`.")
    return spot
