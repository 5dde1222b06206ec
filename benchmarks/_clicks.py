"""Who clicks what, when, and what happens meanwhile: the model that `benchmarks.cache` replays.

Thirty people: a manager for each of 24 offices, four of a region of six, two who see everything. Visits begin as a Poisson process with the
hour of the day (8 to 18 local, weekends a twentieth), about six a person and workday; a visit opens the board, then maybe another time or
place of it, the bots, the revenue, and a path down to the leads, with seconds of thought between; the board stays open for some minutes.
Bots and leads report from all offices; two in a hundred events are up to sixty days late.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backend.actor import Actor, Role
from backend.events import BotPerformance, LeadInteraction
from benchmarks import _facts

STEP = timedelta(minutes=1)
LATE_SHARE, LATEST_DAYS = 0.02, 60.0
_VISITS_A_MINUTE = 6 / 600
_BUSY = {8: 0.8, 9: 1.5, 10: 1.2, 11: 1.0, 12: 0.5, 13: 0.9, 14: 1.0, 15: 1.0, 16: 1.1, 17: 0.8, 18: 0.3}
_DRILLS = (
    ("revenue", "revenue_pipeline", ("stage", "agent")),
    ("leads", "active_leads", ("temperature", "source")),
    ("activity", "interactions", ("channel", "day")),
    ("bots", "bot_success", ("bot",)),
)

Question = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Person:
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    at: datetime
    person: Person
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a live channel shows to somebody until he leaves."""

    until: datetime
    person: Person
    question: Question


@dataclass(slots=True)
class Model:
    rng: random.Random
    people: Sequence[Person]
    places: Sequence[str]
    events_a_minute: float
    clicks: list[Click] = field(default_factory=list)
    boards: list[Board] = field(default_factory=list)

    def visits(self, now: datetime) -> None:
        """Those that begin in this minute: their clicks to come, and their boards."""
        chance = _VISITS_A_MINUTE * busy(now)
        for person in self.people:
            if self.rng.random() < chance:
                at = now
                path = list(_path(self.rng, person))
                for question in path:
                    self.clicks.append(Click(at=at, person=person, question=question))
                    at += timedelta(seconds=self.rng.lognormvariate(3.2, 0.8))
                until = at + timedelta(minutes=self.rng.lognormvariate(2.0, 0.8))
                self.boards.append(Board(until=until, person=person, question=path[0]))

    def due(self, now: datetime) -> list[Click]:
        """The clicks of this minute, in their order; they are taken out."""
        found = [click for click in self.clicks if click.at < now + STEP]
        self.clicks = [click for click in self.clicks if click.at >= now + STEP]
        return sorted(found, key=lambda click: click.at)

    def shown(self, now: datetime) -> list[Board]:
        self.boards = [board for board in self.boards if board.until > now]
        return self.boards

    def events(self, now: datetime) -> list[LeadInteraction | BotPerformance]:
        mean = self.events_a_minute * max(busy(now), 0.1)
        return [self._event(now) for _ in range(12) if self.rng.random() < mean / 12]

    def _event(self, now: datetime) -> LeadInteraction | BotPerformance:
        late = self.rng.random() < LATE_SHARE
        at = now - timedelta(days=self.rng.uniform(1, LATEST_DAYS)) if late else now
        event_id = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        place = uuid.UUID(self.rng.choice(self.places))
        if self.rng.random() < 0.5:
            lead = uuid.UUID(f"00000000-0000-7000-8000-{self.rng.randrange(1, _facts.LEADS):012x}")
            return LeadInteraction(
                event_id=event_id,
                occurred_at=at,
                location_id=place,
                event_type="message",
                lead_id=lead,
                direction="inbound",
                channel="text",
            )
        return BotPerformance(
            event_id=event_id,
            occurred_at=at,
            location_id=place,
            event_type="scored",
            bot_id="intent-decoder",
            processing_ms=self.rng.lognormvariate(3, 0.4),
        )


def busy(now: datetime) -> float:
    """How much of a busy hour this is."""
    local = now - timedelta(hours=7)
    return 0.05 if local.weekday() >= 5 else _BUSY.get(local.hour, 0.01)


def _path(rng: random.Random, person: Person) -> Iterator[Question]:
    place = ""
    yield "dashboard-kpis", {"location_id": place, "timeframe": "30d"}
    if rng.random() < 0.5:
        another = rng.choice(("24h", "7d", "7d", "90d", "1y"))
        yield "dashboard-kpis", {"location_id": place, "timeframe": another}
    if len(person.actor.locations) > 1 and rng.random() < 0.4:
        place = rng.choice(sorted(person.actor.locations)[:4])
        yield "dashboard-kpis", {"location_id": place, "timeframe": "30d"}
    if rng.random() < 0.3:
        yield "bot-performance", {"location_id": place, "timeframe": rng.choice(("7d", "7d", "30d"))}
    if rng.random() < 0.35:
        yield "revenue-intelligence", {"location_id": place, "timeframe": "90d", "forecast_days": None}
    if rng.random() < 0.4:
        component, metric, cuts = rng.choice(_DRILLS)
        down = {"location_id": place, "component": component, "metric": metric, "timeframe": "30d"}
        yield "drill-down", {**down, "group_by": rng.choice(cuts)}
        if rng.random() < 0.5:
            yield "drill-down", {**down, "group_by": None}


def people(places: Sequence[str]) -> list[Person]:
    def person(name: str, mine: Sequence[str]) -> Person:
        actor = Actor(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
            role=Role.MANAGER if not name.startswith("chief 1") else Role.ADMIN,
            locations=frozenset(mine),
            device_id="",
            session_id="",
        )
        return Person(actor=actor)

    found = [person(f"office {n}", [place]) for n, place in enumerate(places)]
    found += [person(f"region {n}", places[n * 6 : n * 6 + 6]) for n in range(4)]
    return found + [person(f"chief {n}", places) for n in range(2)]
