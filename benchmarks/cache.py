"""A week of clicks on the command centre, replayed: `python -m benchmarks.cache`. How often the cache had it, and never a wrong one.

The clicks and events are those of `benchmarks._clicks`; what a live channel shows is counted anew after news, as the channel does it. The
clock is ours: seven days in some minutes. Warming knows the three weeks before. Each twentieth answer is worked out again without
the cache, at the same moment, and must be the same; every answer must be about the asker's offices. Beside it: what a hit in
memory costs against a plain dict in the same run. What counts as a hit is said in docs/cache.md.

`JORGE_BENCH_DAYS` (7), `JORGE_BENCH_FACTS` (20,000: how often the cache has it does not hang on their number) and
`JORGE_BENCH_EVENTS` (3 a minute of the whole brokerage in a busy hour).
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from backend.cache import versions
from backend.cache.asked import Asked
from backend.cache.stats import Counted
from backend.deps import Deps, open_deps
from backend.jobs import remembering
from backend.metrics import FIGURES, Shape
from backend.services.bi import catalogue, closed, dashboard, spans
from backend.settings import Settings
from backend.storage.warehouse import facts
from backend.stream import entries
from benchmarks import _clicks, _facts, _machine
from benchmarks._clicks import STEP, Model, Person

DAYS = float(os.environ.get("JORGE_BENCH_DAYS", "7"))
FACTS = int(os.environ.get("JORGE_BENCH_FACTS", "20000"))
EVENTS_A_MINUTE = float(os.environ.get("JORGE_BENCH_EVENTS", "3"))
WARM_EVERY = timedelta(minutes=5)
CHECKED = 20
GOAL = 0.95
_TIMES = frozenset({"as_of", "last_updated", "watermark", "cache_hit"})


@dataclass(slots=True)
class ReplayClock:
    """Stands until it is moved."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass(slots=True)
class Week:
    deps: Deps
    clock: ReplayClock
    model: Model
    connection: asyncpg.Connection[asyncpg.Record]
    asked: int = 0
    checked: int = 0
    checked_hits: int = 0
    wrong: int = 0
    foreign: int = 0
    events: int = 0
    frames: int = 0
    seconds: list[float] = field(default_factory=list)
    of: Mapping[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("questions", "live frames", "warming")}
    )
    """What was read of buckets, for whom."""
    answers: Counter[str] = field(default_factory=Counter)
    """Where the answers to questions came from."""

    async def run(self) -> None:
        self._habits()
        end = self.clock.at + timedelta(days=DAYS)
        next_warm = self.clock.at
        while self.clock.at < end:
            if self.clock.at >= next_warm:
                await self._warm()
                next_warm += WARM_EVERY
            self.model.visits(self.clock.at)
            if touched := await self._report():
                await self._live(touched)
            for click in self.model.due(self.clock.at):
                await self._ask(click.person, *click.question)
            self.clock.at += STEP

    def _habits(self) -> None:
        """What warming learned in the three weeks before."""
        begin = self.clock.at
        self.clock.at -= timedelta(days=21)
        while self.clock.at < begin:
            self.model.visits(self.clock.at)
            for click in self.model.due(self.clock.at):
                actor, (kind, params) = click.person.actor, click.question
                noted = Asked(
                    route=kind,
                    params=params,
                    location_ids=tuple(sorted(actor.locations)),
                    role=actor.role.value,
                    who=actor.id,
                    at=click.at.timestamp(),
                )
                self.deps.warmer.rates.saw(noted.question(), noted.who, noted.at)
            self.clock.at += STEP
        self.model.clicks.clear()
        self.model.boards.clear()

    async def _live(self, touched: set[str]) -> None:
        """Boards that show what changed are counted anew, once for all who see the same."""
        shown = {}
        for board in self.model.shown(self.clock.at):
            asked = await dashboard.ask(self.deps, board.person.actor, **board.question[1])
            if {office.id for office in asked.offices} & touched:
                shown[asked.scope.fingerprint, asked.canonical] = asked
        before = self._read()
        for asked in shown.values():
            await dashboard.answer(self.deps, asked)
            self.frames += 1
        self.of["live frames"].update(self._read() - before)

    async def _report(self) -> set[str]:
        """What bots report in this minute. The offices it was about."""
        made = self.model.events(self.clock.at)
        if not made:
            return set()
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

    async def _ask(self, person: Person, kind: str, params: dict[str, Any]) -> None:
        before, began = self._read(), time.perf_counter()
        asked, body = await catalogue.answered(self.deps, person.actor, kind, params)
        self.seconds.append(time.perf_counter() - began)
        answer = orjson.loads(body)
        self.asked += 1
        read = self._read() - before
        self.of["questions"].update(read)
        self.answers[_source(answer, kind, params, read)] += 1
        if _from_facts(answer, kind, params, read):
            self.of["questions"]["unkept"] += (spans.DAYS[params["timeframe"]] - 1) * len(asked.scope.keys)
        self.foreign += not set(answer.get("locations", ())) <= person.actor.locations
        if self.asked % CHECKED == 0:
            await self._check(person, kind, params, answer)

    async def _check(self, person: Person, kind: str, params: dict[str, Any], answer: dict[str, Any]) -> None:
        """The same at this moment, without the cache. One that was kept whole may be as old as its time allows, but what
        does not depend on the running clock must be equal there too."""
        known = self.deps.answers.versions
        known.known = False
        asked = await catalogue.KINDS[kind].ask(self.deps, person.actor, **params)
        plain = orjson.loads(orjson.dumps(await catalogue.KINDS[kind].answer(self.deps, asked)))
        known.known = True
        self.checked += 1
        self.checked_hits += answer["cache_hit"]
        same = _closed if answer["cache_hit"] else _timeless
        self.wrong += same(answer) != same(plain)

    async def _warm(self) -> None:
        await self.deps.asked.flush()
        warmer = self.deps.warmer
        await warmer.learn()
        before, now = self._read(), self.clock.at.timestamp()
        await warmer.prepare(lambda question: catalogue.prepared(self.deps, question), now)
        await warmer.warm(lambda question: catalogue.again(self.deps, question), now)
        self.of["warming"].update(self._read() - before)

    def _read(self) -> Counter[str]:
        """Buckets so far: `closed` ones from memory and `missed`, `open` ones, and why they were missed."""
        found = Counter(self.deps.answers.buckets.causes)
        for name, counted in self.deps.answers.stats.buckets.items():
            if name == closed.OPEN:
                found["open"] += counted.misses
            else:
                found["closed"] += counted.hits
                found["missed"] += counted.misses
        return found


def _source(answer: dict[str, Any], kind: str, params: dict[str, Any], read: Counter[str]) -> str:
    if answer["cache_hit"]:
        return "whole"
    if read["missed"] or _from_facts(answer, kind, params, read):
        return "missed"
    return "closed" if read["closed"] else "stock"


def _from_facts(answer: dict[str, Any], kind: str, params: dict[str, Any], read: Counter[str]) -> bool:
    """Whether a drill-down added up days that are over without the closed buckets. A list of leads adds nothing up."""
    if kind != "drill-down" or answer["cache_hit"] or params["group_by"] is None:
        return False
    return FIGURES[params["metric"]].shape is not Shape.STOCK and not read["closed"] + read["missed"]


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


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(part) for name, part in value.items() if name not in _TIMES}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


async def main() -> None:
    began = time.perf_counter()
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
            model = Model(random.Random(4), _clicks.people(places), places, EVENTS_A_MINUTE)
            week = Week(deps, clock, model, connection)
            await week.run()
            await connection.close()
            _print(week, time.perf_counter() - began)
            await _hit_cost(deps)
            hearing.cancel()


def _monday() -> datetime:
    """The last Monday, midnight in Los Angeles, that lies so many days ago."""
    day = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    return day - timedelta(days=day.weekday())


def _print(week: Week, took: float) -> None:
    print(
        f"\n{DAYS:g} days in {took:.0f} s: {week.asked:,} questions of {len(week.model.people)} people, {week.events:,} events"
        f" and {week.frames:,} live frames meanwhile; {_machine.load()}"
    )
    print(f"\n{'whole answers':<24}{'asked':>10}{'hits':>10}{'ratio':>8}{'warmed':>8}{'then hit':>9}")
    stats = week.deps.answers.stats
    for name, counted in [*sorted(stats.of.items()), ("all", stats.total())]:
        print(_line(name, counted) + f"{counted.warmed:>8,}{counted.warmed_then_hit:>9,}")
    print(
        "\nanswers to questions: " + ", ".join(f"{_SOURCES[name]} {n:,}" for name, n in week.answers.items())
    )
    whole, from_memory, missed = (week.answers[name] for name in ("whole", "closed", "missed"))
    need = whole + from_memory + missed
    print(
        f"of those that need closed buckets, none read from the warehouse: {(whole + from_memory) / need:.1%}"
    )
    print(f"\n{'buckets read':<24}{'asked':>10}{'hits':>10}{'ratio':>8}")
    every = Counter[str]()
    for name, read in week.of.items():
        every.update(read)
        print(_line(f"closed, {name}", _of_closed(read)))
    whole_of = _of_closed(every)
    ratio = whole_of.hit_ratio or 0.0
    print(_line("closed", whole_of) + f"   goal > {GOAL:.0%}: {ratio / GOAL:.2f} x")
    print(_line("open", Counted(misses=every["open"])))
    print(_line("overall", Counted(hits=whole_of.hits, misses=whole_of.misses + every["open"])))
    causes = ("first", "touched", "evicted", "unkept")
    print("closed ones missed: " + ", ".join(f"{_CAUSES[name]} {every[name]:,}" for name in causes))
    p50, p99 = (_machine.p(week.seconds, percent) * 1e3 for percent in (50, 99))
    print(f"\nan answer took {p50:.2f} ms (p50), {p99:.1f} ms (p99)")
    print(
        f"stale: {week.wrong} of {week.checked} checked ({week.checked_hits} of them kept whole);"
        f" across scopes: {week.foreign} of {week.asked}"
    )


_SOURCES = {
    "whole": "kept whole",
    "closed": "made of kept closed buckets and what is open",
    "missed": "some closed bucket read from the warehouse",
    "stock": "of no closed bucket (what stands, lists of leads)",
}
_CAUSES = {
    "first": "asked for the first time",
    "touched": "raised by late events",
    "evicted": "evicted",
    "unkept": "days that drill-downs add up from facts",
}


def _of_closed(read: Counter[str]) -> Counted:
    return Counted(hits=read["closed"], misses=read["missed"] + read["unkept"])


def _line(name: str, counted: Counted) -> str:
    ratio = f"{counted.hit_ratio:.2%}" if counted.hit_ratio is not None else "-"
    return f"{name:<24}{counted.asked:>10,}{counted.hits:>10,}{ratio:>8}"


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


if __name__ == "__main__":
    asyncio.run(main())
