"""A batch of events, made ready to be stored: rows by kind, what is repeated, and what can't be stored with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.events import BotPerformance, Event, LeadInteraction, SystemHealth
from backend.storage.warehouse import partitions
from backend.storage.warehouse.keys import NOWHERE, QUARTER, Keys, Named, Spot
from backend.storage.warehouse.staging import STAGES, NotStoredError, Row

MOST_AHEAD = timedelta(minutes=5)
"""An event may be so much later than its arrival: clocks differ."""


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A struct, because there are so many. `entry` is where it lay in its stream, for who asks later; `received_at` stays the same when it is read again."""

    event: Event
    source_key: int | None = None
    received_at: datetime
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    arrived: Arrived
    reason: str
    message: str


@dataclass(slots=True)
class Kind:
    """What a batch holds of one kind of event. `ids`: of the rows, with their moments."""

    rows: list[Row] = field(default_factory=list)
    spots: set[Spot] = field(default_factory=set)
    ids: dict[int, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Ready:
    kinds: Mapping[type[Event], Kind] = field(default_factory=lambda: {kind: Kind() for kind in STAGES})
    months: set[date] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)
    repeated: int = 0
    doubted: bool = False
    """Some of it was stored lately."""


def named(batch: Sequence[Arrived]) -> Named:
    locations, bots, leads, agents = set[int](), set[Any](), dict[int, UUID](), dict[int, UUID]()
    for arrived in batch:
        event = arrived.event
        if event.location_id is not None:
            locations.add(event.location_id.int)
        if isinstance(event, SystemHealth):
            continue
        if event.lead_id is not None:
            leads[event.lead_id.int] = event.lead_id
        if isinstance(event, BotPerformance):
            bots.add(event.bot_id)
            bots.add(event.to_bot_id)
            continue
        if event.agent_id is not None:
            agents[event.agent_id.int] = event.agent_id
        if isinstance(event, LeadInteraction):
            bots.add(event.bot_id)
    bots.discard(None)
    return Named(locations, bots, leads, agents)


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


def _read(batch: Sequence[Arrived], keys: Keys, months_kept: int, known: Mapping[int, datetime]) -> Ready:
    """`known`: events of the batch that were stored lately. With the same moment they are for the database to look at: somebody
    may have taken them away since."""
    found = Ready(doubted=bool(known))
    oldest = partitions.start(partitions.month_of(batch[-1].received_at, plus=-months_kept))
    ways = {kind: (part, part.rows.append, STAGES[kind].row) for kind, part in found.kinds.items()}
    for arrived in batch:
        event = arrived.event
        part, append, row = ways[event.__class__]
        id, moment = event.event_id.int, event.occurred_at
        if id in part.ids or known.get(id, moment) != moment:
            found.repeated += 1
            continue
        try:
            spot = _spot(arrived, keys, oldest)
            append(row(event, arrived.received_at, arrived.source_key, spot, keys))
        except NotStoredError as fault:
            found.rejected.append(Rejected(arrived=arrived, reason=fault.reason, message=fault.message))
            continue
        except KeyError:
            message = "There are too many bots already; is `bot_id` really one?"
            found.rejected.append(Rejected(arrived=arrived, reason="too_many_bots", message=message))
            continue
        part.ids[id] = moment
        if spot not in part.spots:
            part.spots.add(spot)
            found.months.add(spot.month)
        if spot is NOWHERE:
            found.months.add(partitions.month_of(moment.astimezone(UTC)))
    found.months.discard(NOWHERE.month)
    return found


def _spot(arrived: Arrived, keys: Keys, oldest: datetime) -> Spot:
    event, received_at = arrived.event, arrived.received_at
    moment = event.occurred_at
    if moment < oldest:
        raise NotStoredError("too_old", f"`occurred_at` is before {oldest:%Y-%m}: facts of then are dropped.")
    if moment > received_at and moment > received_at + MOST_AHEAD:
        raise NotStoredError("in_the_future", "`occurred_at` is later than the event came.")
    if event.location_id is None:
        return NOWHERE
    spot = keys.spot(event.location_id.int, moment.timestamp() // QUARTER)
    if spot is None:
        raise NotStoredError("unknown_location", "The warehouse knows no office with this `location_id`.")
    return spot
