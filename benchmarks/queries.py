"""Questions to the warehouse over a year of facts: `python -m benchmarks.queries`; beside them `SELECT 1` on the same pool.

`--only TEXT` (repeatable) asks only those whose label has it: `--only "by lead"`, `--only "cold KPIs, 24"`.

`JORGE_BENCH_FACTS` (5,000,000) are made once in `JORGE_BENCH_DATA` (a throwaway folder, unless said), month by month in SQL, so
that the triggers count them. Cold: the service works the answer out, nothing cached. Warm: the cache has it. Behind the times:
CPU of this process and of the one PostgreSQL backend that answers, which a busy machine does not stretch (workers of parallel
queries are not in it).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.actor import Actor, Role
from backend.deps import Deps, open_deps
from backend.jobs import columns as columns_job
from backend.jobs import remembering as cache_job
from backend.metrics import FIGURES, Figure
from backend.services.bi import dashboard, drill, performance, revenue, serving
from backend.settings import Settings
from benchmarks import _facts, _machine

FACTS = int(os.environ.get("JORGE_BENCH_FACTS", "5000000"))
SECONDS = float(os.environ.get("JORGE_BENCH_SECONDS", "1.5"))
"""Of each question."""
WARM_MS, COLD_MS, SERIES_MS, DRILL_MS = 5.0, 50.0, 20.0, 500.0
_MOST = 300
_FAR = 200
"""Pages of 50 leads."""

_FILTERS = {
    "bot": "jorge-seller",
    "channel": "sms",
    "event_type": "call",
    "source": "source 3",
    "stage": "new",
    "temperature": "hot",
}
_NONE_HAS = {"source": "nobody's", "channel": "telegraph"}
"""Who walks the facts for them walks all of them."""

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Drill:
    """The better of two, and the mean CPU of both, in ms."""

    ms: float
    label: str
    ours: float
    theirs: float


async def main(only: Sequence[str]) -> None:
    kept = os.environ.get("JORGE_BENCH_DATA")
    with tempfile.TemporaryDirectory(prefix="jorge-queries-") as made:
        settings = Settings.model_validate(
            {"data_dir": Path(kept or made), "bi_statement_timeout_ms": 60_000, "bi_pool": 1}
        )
        async with open_deps(settings) as deps:
            await _filled(deps)
            places = await _locations(deps)
            bench = Bench(deps=deps, locations=places, only=only)
            remembering = asyncio.create_task(cache_job.run(deps))
            await bench.looks()
            await bench.pages()
            await bench.drills()
            remembering.cancel()


async def _filled(deps: Deps) -> None:
    async with deps.pool.acquire() as connection:
        there = await connection.fetchval(
            "SELECT sum(interactions) FROM agg_daily_metrics WHERE location_key = -1"
        )
    if there:
        print(f"{there:,} interactions are there already.")
    else:
        print(f"Making {FACTS:,} facts of {_facts.LOCATIONS} offices over a year …", flush=True)
        seconds = await _facts.fill(deps.database_url, FACTS, partial(print, flush=True))
        print(f"Made and counted in {seconds:.0f} s: {FACTS / seconds:,.0f} facts/s.", flush=True)
    began = time.perf_counter()
    if days := await columns_job.once(deps):
        print(
            f"{days} closed days of a fact in columns: {time.perf_counter() - began:.0f} s,"
            " half of it pauses for writers."
        )


async def _locations(deps: Deps) -> list[str]:
    async with deps.pool.acquire() as connection:
        return [row["id"] for row in await connection.fetch("SELECT id FROM locations ORDER BY name")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    deps: Deps
    locations: list[str]
    only: Sequence[str] = ()

    def asks(self, label: str) -> bool:
        return not self.only or any(text in label for text in self.only)

    def boss(self, offices: int) -> Actor:
        """A manager of the first so many."""
        seen = frozenset(self.locations[:offices])
        return Actor(id="bench", role=Role.MANAGER, locations=seen, device_id="", session_id="")

    async def looks(self) -> None:
        print(
            f"\n{'ms':<42}{'p50':>8}{'p99':>8}{'n':>5}{'CPU ours':>10}{'CPU PG':>8}   goal (p99)   {_machine.load()}"
        )
        await self.measured("SELECT 1 on the same pool", self._nothing, None)
        for offices in (len(self.locations), 5, 1):
            for timeframe in ("24h", "7d", "30d", "90d", "1y"):
                asked = await dashboard.ask(self.deps, self.boss(offices), timeframe=timeframe)
                cold = partial(dashboard.answer, self.deps, asked)
                await self.measured(f"cold KPIs, {offices} offices, {timeframe}", cold, COLD_MS)
        asked = await dashboard.ask(self.deps, self.boss(len(self.locations)), timeframe="30d")
        warm = partial(serving.served, self.deps, asked, dashboard.answer)
        await self.measured("warm KPIs, all offices, 30d", warm, WARM_MS)
        for offices in (len(self.locations), 1):
            boss = self.boss(offices)
            money = await revenue.ask(self.deps, boss, timeframe="1y", forecast_days=None)
            for timeframe in ("7d", "90d"):
                bots = await performance.ask(self.deps, boss, timeframe=timeframe)
                cold = partial(performance.answer, self.deps, bots)
                await self.measured(f"cold bot performance, {offices} offices, {timeframe}", cold, DRILL_MS)
            whole = partial(revenue.answer, self.deps, money)
            await self.measured(f"cold revenue intelligence, {offices} offices, 1y", whole, None)
            days = await drill.ask(
                self.deps,
                boss,
                component="activity",
                metric="interactions",
                timeframe="1y",
                group_by="day",
                limit=200,
            )
            series = partial(drill.answer, self.deps, days)
            await self.measured(f"series of a year by day, {offices} offices", series, SERIES_MS)

    async def pages(self) -> None:
        """The leads behind all interactions, page after page: the first, and one far behind it."""
        first, far = "leads behind interactions, page 1", f"leads behind interactions, page {_FAR}"
        cursor = ""
        for number in range(1, _FAR + 1 if self.asks(far) else 2):
            asked = await drill.ask(
                self.deps,
                self.boss(len(self.locations)),
                component="activity",
                metric="interactions",
                timeframe="1y",
                cursor=cursor,
            )
            page = partial(drill.answer, self.deps, asked)
            if number in (1, _FAR):
                await self.measured(first if number == 1 else far, page, DRILL_MS)
            cursor = (await page())["next_cursor"]
            if not cursor:
                return

    async def _nothing(self) -> object:
        async with self.deps.bi.acquire() as connection:
            return await connection.fetchval("SELECT 1")

    async def drills(self) -> None:
        """Every figure by every dimension and by lead, and interactions by every dimension under every filter."""
        asked: list[tuple[Figure, str | None, Mapping[str, object]]] = [
            (figure, by, {}) for figure in FIGURES.values() for by in (*sorted(figure.dimensions), None)
        ]
        figure = FIGURES["interactions"]
        asked += [
            (figure, by, {name: value})
            for by in (*sorted(figure.dimensions), None)
            for name, value in (*_FILTERS.items(), *_NONE_HAS.items())
        ]
        found = [await self.once(*one) for one in asked if self.asks(_label(*one))]
        if not found:
            return
        found.sort(reverse=True)
        within = sum(one.ms <= DRILL_MS for one in found)
        print(
            f"\n{len(found)} drill-downs of a year, all offices: {within} within {DRILL_MS:.0f} ms. {_machine.load()}"
        )
        print(f"  {'':<46}{'ms':>9}{'CPU ours':>10}{'CPU PG':>8}")
        for one in found if self.only else found[:20]:
            print(f"  {one.label:<46}{one.ms:9.1f}{one.ours:10.1f}{one.theirs:8.1f}")

    async def once(self, figure: Figure, by: str | None, filters: Mapping[str, object]) -> Drill:
        """The better of two: the first one plans."""
        boss = self.boss(len(self.locations))
        asked = await drill.ask(
            self.deps,
            boss,
            component=figure.component,
            metric=figure.name,
            timeframe="1y",
            group_by=by,
            filters=filters,
        )
        times = []
        ours, theirs = await self._spent()
        for _ in range(2):
            began = time.perf_counter()
            await drill.answer(self.deps, asked)
            times.append(1000 * (time.perf_counter() - began))
        ours, theirs = (now - then for now, then in zip(await self._spent(), (ours, theirs), strict=True))
        return Drill(ms=min(times), label=_label(figure, by, filters), ours=ours / 2e6, theirs=theirs / 2e6)

    async def _spent(self) -> tuple[int, int]:
        """Nanoseconds of CPU of this process and of PostgreSQL's, which the pool gives a successor after 50,000 queries."""
        async with self.deps.bi.acquire() as connection:
            return time.process_time_ns(), _machine.cpu_ns(connection.get_server_pid())

    async def measured(self, what: str, ask: Ask, goal: float | None) -> None:
        if not self.asks(what):
            return
        await ask()
        times: list[float] = []
        ours, theirs = await self._spent()
        end = time.perf_counter() + SECONDS
        while len(times) < 5 or (time.perf_counter() < end and len(times) < _MOST):
            began = time.perf_counter()
            await ask()
            times.append(1000 * (time.perf_counter() - began))
        ours, theirs = (now - then for now, then in zip(await self._spent(), (ours, theirs), strict=True))
        times.sort()
        p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
        cpu = "".join(f"{spent / len(times) / 1e6:{width}.1f}" for spent, width in ((ours, 10), (theirs, 8)))
        aim = "" if goal is None else f"≤ {goal:.0f} {'ok' if p99 <= goal else 'OVER'}"
        print(f"{what:<42}{p50:>8.2f}{p99:>8.2f}{len(times):>5}{cpu}   {aim}", flush=True)


def _label(figure: Figure, by: str | None, filters: Mapping[str, object]) -> str:
    return f"{figure.name} by {by or 'lead'}" + "".join(f", {n} {v}" for n, v in filters.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Questions to the warehouse over a year of facts.")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="labels that have TEXT")
    asyncio.run(main(parser.parse_args().only))
