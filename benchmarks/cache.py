"""A week of clicks on the command centre, replayed: `python -m benchmarks.cache`. How often the cache had it, and never a wrong one.

Thirty people (office managers, regional managers, two who see all 24 offices) open boards in office hours, follow paths down to the
leads and leave the board open for some minutes, where it is counted anew after news, as the live channel does it; meanwhile
bots report, late events come, and the clock runs: seven days in some minutes, by a clock of our own. Warming knows the three
weeks before. Each twentieth answer is worked out a second time without the cache and must be the same; every answer must be about the
asker's offices. Beside it: what a hit in memory costs against a plain dict in the same run.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from backend.actor import Actor, Role
from backend.cache import versions
from backend.cache.asked import Asked
from backend.cache.stats import Counted
from backend.deps import Deps, open_deps
from backend.events import BotPerformance, LeadInteraction
from backend.jobs import remembering
from backend.services.bi import catalogue, dashboard
from backend.settings import Settings
from backend.storage.warehouse import facts
from backend.stream import entries
from benchmarks import _facts

DAYS = float(os.environ.get("JORGE_BENCH_DAYS", "7"))
FACTS = int(os.environ.get("JORGE_BENCH_FACTS", "60000"))
EVENTS_A_MINUTE = float(os.environ.get("JORGE_BENCH_EVENTS", "3"))
"""Of the whole brokerage, in office hours."""
STEP = timedelta(minutes=1)
WARM_EVERY = timedelta(minutes=5)
CHECKED = 20
_TIMES = frozenset({"as_of", "last_updated", "watermark", "cache_hit"})
GOAL = 0.95


@dataclass(slots=True)
class ReplayClock:
    """Stands until it is moved."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


Question = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Person:
    actor: Actor
    home: str
    """The office they look at most; empty: all of theirs."""


@dataclass(slots=True)
class Week:
    deps: Deps
    clock: ReplayClock
    rng: random.Random
    people: Sequence[Person]
    connection: asyncpg.Connection[asyncpg.Record]
    places: Sequence[str]
    asked: int = 0
    hits: int = 0
    checked: int = 0
    wrong: int = 0
    foreign: int = 0
    events: int = 0
    seconds: list[float] = field(default_factory=list)
    frames: int = 0
    waiting: list[tuple[datetime, Person, Question]] = field(default_factory=list)
    boards: list[tuple[datetime, Person, Question]] = field(default_factory=list)
    """Open ones, and until when."""

    async def run(self) -> None:
        self._habits()
        begin, end = self.clock.at, self.clock.at + timedelta(days=DAYS)
        next_warm = begin
        while self.clock.at < end:
            self._plan()
            if touched := await self._report():
                await self._live(touched)
            for when, person, question in sorted(self.waiting, key=lambda one: one[0]):
                if when >= self.clock.at + STEP:
                    continue
                self.waiting.remove((when, person, question))
                await self._ask(person, question)
            if self.clock.at >= next_warm:
                await self._warm()
                next_warm += WARM_EVERY
            self.clock.at += STEP

    def _busy(self) -> float:
        """How much of a busy hour this is."""
        local = self.clock.at - timedelta(hours=7)
        if local.weekday() >= 5:
            return 0.05
        return {
            8: 0.8,
            9: 1.5,
            10: 1.2,
            11: 1.0,
            12: 0.5,
            13: 0.9,
            14: 1.0,
            15: 1.0,
            16: 1.1,
            17: 0.8,
            18: 0.3,
        }.get(local.hour, 0.01)

    def _habits(self) -> None:
        """What warming learned in the three weeks before."""
        begin = self.clock.at
        self.clock.at -= timedelta(days=21)
        while self.clock.at < begin:
            self._plan()
            for when, person, (kind, params) in self.waiting:
                noted = Asked(
                    route=kind,
                    params=params,
                    location_ids=tuple(sorted(person.actor.locations)),
                    role=person.actor.role.value,
                    who=person.actor.id,
                    at=when.timestamp(),
                )
                self.deps.warmer.rates.saw(noted.question(), noted.who, noted.at)
            self.waiting.clear()
            self.clock.at += STEP
        self.boards.clear()

    def _plan(self) -> None:
        """Sessions that begin in this minute: about six a person and workday, each with a board that stays open a while."""
        for person in self.people:
            if self.rng.random() < 6 / 600 * self._busy():
                at = self.clock.at
                path = list(_path(self.rng, person))
                for question in path:
                    self.waiting.append((at, person, question))
                    at += timedelta(seconds=self.rng.lognormvariate(3.2, 0.8))
                until = at + timedelta(minutes=self.rng.lognormvariate(2.0, 0.8))
                self.boards.append((until, person, path[0]))

    async def _live(self, touched: set[str]) -> None:
        """Boards that show what changed are counted anew, once for all who see the same."""
        self.boards = [board for board in self.boards if board[0] > self.clock.at]
        shown = {}
        for _, person, (_, params) in self.boards:
            asked = await dashboard.ask(self.deps, person.actor, **params)
            if {office.id for office in asked.offices} & touched:
                shown[asked.scope.fingerprint, asked.canonical] = asked
        for asked in shown.values():
            await dashboard.answer(self.deps, asked)
            self.frames += 1

    async def _report(self) -> set[str]:
        """What bots report in this minute; one in fifty is days late. The offices it was about."""
        mean = EVENTS_A_MINUTE * max(self._busy(), 0.1)
        count = sum(self.rng.random() < mean / 12 for _ in range(12))
        if not count:
            return set()
        made = [self._event() for _ in range(count)]
        arrived = [
            facts.Arrived(event=one, source_key=None, received_at=self.clock.at, entry="") for one in made
        ]
        stored = await facts.store(self.connection, arrived)
        revision = self.deps.answers.versions.revision
        await versions.tell(self.deps.valkey, self.deps.channel(entries.TOUCHED), stored.tags)
        while self.deps.answers.versions.revision == revision:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        self.events += stored.new
        return {str(one.location_id) for one in made}

    def _event(self) -> LeadInteraction | BotPerformance:
        late = timedelta(days=self.rng.uniform(1, 60)) if self.rng.random() < 0.02 else timedelta()
        event_id = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        at, place = self.clock.at - late, uuid.UUID(self.rng.choice(self.places))
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

    async def _ask(self, person: Person, question: Question) -> None:
        kind, params = question
        began = time.perf_counter()
        _, body = await catalogue.answered(self.deps, person.actor, kind, params)
        self.seconds.append(time.perf_counter() - began)
        answer = orjson.loads(body)
        self.asked += 1
        self.hits += answer["cache_hit"]
        mine = set(answer.get("locations", ())) <= person.actor.locations
        self.foreign += not mine
        if self.asked % CHECKED == 0:
            await self._check(person, kind, params, answer)

    async def _check(self, person: Person, kind: str, params: dict[str, Any], answer: dict[str, Any]) -> None:
        """The same at this moment, without the cache: what does not depend on the running clock must be equal."""
        known = self.deps.answers.versions
        known.known = False
        stats = self.deps.answers.stats
        before = {what: c.bypassed for what, c in stats.of.items()}
        asked = await catalogue.KINDS[kind].ask(self.deps, person.actor, **params)
        plain = await catalogue.KINDS[kind].answer(self.deps, asked)
        known.known = True
        for what, counted in stats.of.items():
            counted.bypassed = before.get(what, 0)
        self.checked += 1
        if _closed(answer) != _closed(orjson.loads(orjson.dumps(plain))):
            self.wrong += 1

    async def _warm(self) -> None:
        await self.deps.asked.flush()
        warmer = self.deps.warmer
        await warmer.learn()
        await warmer.warm(lambda question: catalogue.again(self.deps, question), self.clock.at.timestamp())


def _closed(answer: dict[str, Any]) -> Any:
    """What commits alone change: money and days; leads that are late and edges that roll move with the clock."""
    if "revenue_timeseries" in answer:
        return [answer["revenue_timeseries"], answer["commission_breakdown"]]
    if "metrics" in answer and answer.get("timeframe") not in ("24h", "7d"):
        kept = ("bot_success", "ml_response", "revenue_pipeline")
        return [_timeless(answer["metrics"][name]) for name in kept] + [
            answer["trends"][name] for name in kept
        ]
    if "rows" in answer and answer.get("timeframe") not in ("24h", "7d"):
        return [{name: value for name, value in row.items() if name != "share"} for row in answer["rows"]]
    return None


def _timeless(value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name not in _TIMES}


def _path(rng: random.Random, person: Person) -> Iterator[Question]:
    """A visit: the board, maybe another time or place of it, bots, revenue, and down to the leads."""
    place = person.home
    yield "dashboard-kpis", {"location_id": place, "timeframe": "30d"}
    if rng.random() < 0.5:
        yield (
            "dashboard-kpis",
            {"location_id": place, "timeframe": rng.choice(("24h", "7d", "7d", "90d", "1y"))},
        )
    if len(person.actor.locations) > 1 and rng.random() < 0.4:
        place = rng.choice(sorted(person.actor.locations)[:4])
        yield "dashboard-kpis", {"location_id": place, "timeframe": "30d"}
    if rng.random() < 0.35:
        yield "revenue-intelligence", {"location_id": place, "timeframe": "90d", "forecast_days": None}
    if rng.random() < 0.4:
        component, metric, cuts = rng.choice(_DRILLS)
        down = {"location_id": place, "component": component, "metric": metric, "timeframe": "30d"}
        yield "drill-down", {**down, "group_by": rng.choice(cuts)}
        if rng.random() < 0.5:
            yield "drill-down", {**down, "group_by": None}


_DRILLS = (
    ("revenue", "revenue_pipeline", ("stage", "agent")),
    ("leads", "active_leads", ("temperature", "source")),
    ("activity", "interactions", ("channel", "day")),
    ("bots", "bot_success", ("bot",)),
)


def _people(places: Sequence[str]) -> list[Person]:
    def person(name: str, mine: Sequence[str], home: str) -> Person:
        actor = Actor(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
            role=Role.MANAGER,
            locations=frozenset(mine),
            device_id="",
            session_id="",
        )
        return Person(actor=actor, home=home)

    found = [person(f"office {n}", [place], "") for n, place in enumerate(places)]
    found += [person(f"region {n}", places[n * 6 : n * 6 + 6], "") for n in range(4)]
    return found + [person(f"chief {n}", places, "") for n in range(2)]


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="jorge-cache-", dir=_memory()) as folder:
        clock = ReplayClock(at=_monday())
        settings = Settings.model_validate({"data_dir": Path(folder), "bi_cache_warming_interval": 0})
        async with open_deps(settings, clock=clock) as deps:
            await _facts.fill(deps.database_url, FACTS, lambda _: None)
            hearing = asyncio.create_task(remembering.run(deps))
            while not deps.answers.versions.known:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
            deps.warmer.interval, deps.warmer.share_of_time = WARM_EVERY.total_seconds(), 1.0
            places = [
                str(row["id"]) for row in await deps.pool.fetch("SELECT id FROM locations ORDER BY name")
            ]
            connection = await facts.connect(deps.database_url)
            week = Week(deps, clock, random.Random(4), _people(places), connection, places)
            await week.run()
            await connection.close()
            _print(week)
            await _hit_cost(deps)
            hearing.cancel()


def _monday() -> datetime:
    """The last Monday, midnight in Los Angeles, that lies so many days ago."""
    day = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    return day - timedelta(days=day.weekday())


def _print(week: Week) -> None:
    stats = week.deps.answers.stats
    print(
        f"\n{DAYS:g} days: {week.asked:,} questions of {len(week.people)} people, {week.events:,} events and {week.frames:,} live frames meanwhile. {_load()}"
    )
    print(f"{'':<26}{'asked':>9}{'hits':>9}{'ratio':>8}{'warmed':>8}{'then hit':>9}")
    parts = [name for name in stats.of if name.startswith("closed-")]
    for name, counted in sorted(stats.of.items()):
        print(_line(name, counted))
    closed = Counted(
        hits=sum(stats.of[name].hits for name in parts), misses=sum(stats.of[name].misses for name in parts)
    )
    ratio = closed.hit_ratio or 0
    print(_line("closed buckets", closed) + f"   goal > {GOAL:.0%}: {ratio / GOAL:.2f} x")
    print(_line("everything", stats.total()))
    p50, p99 = (statistics.quantiles(week.seconds, n=100)[place] * 1e3 for place in (49, 98))
    print(f"an answer took {p50:.2f} ms (p50), {p99:.1f} ms (p99)")
    print(
        f"{week.checked} checked against the database: {week.wrong} stale; {week.foreign} of {week.asked} across scopes"
    )


def _line(name: str, counted: Counted) -> str:
    ratio = f"{counted.hit_ratio:.1%}" if counted.hit_ratio is not None else "-"
    return f"{name:<26}{counted.asked:>9,}{counted.hits:>9,}{ratio:>8}{counted.warmed:>8,}{counted.warmed_then_hit:>9,}"


async def _hit_cost(deps: Deps) -> None:
    """A tracked hit against a plain dict."""
    body, rounds = b"x" * 2_000, 20_000
    await deps.answers.tiers.set("bench", body, expire=60)
    plain = {"bench": (time.monotonic() + 60, body)}
    began = time.perf_counter()
    for _ in range(rounds):
        await deps.answers.tiers.held("bench")
    tracked = (time.perf_counter() - began) / rounds * 1e6
    began = time.perf_counter()
    for _ in range(rounds):
        until, _value = plain["bench"]
        assert until > time.monotonic()
    bare = (time.perf_counter() - began) / rounds * 1e6
    print(
        f"a tracked hit: {tracked:.2f} µs (goal < 10); a dict with expiry: {bare:.2f} µs, {tracked / bare:.1f} x"
    )


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _load() -> str:
    return f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs."


if __name__ == "__main__":
    asyncio.run(main())
