"""A week of clicks on the command centre, replayed: `python -m benchmarks.cache`. How often the cache had it, and never a wrong one.

The clicks and events are those of `benchmarks._clicks`; what a live channel shows is counted anew after news, as the channel does it. The
clock is ours: seven days in some minutes. Warming knows the three weeks before, and rests at night and on weekends, which costs hits but saves
half of the time. Each twentieth answer, and each that was kept whole, is worked out again without
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
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backend.cache.stats import Counted
from backend.deps import Deps, open_deps
from backend.jobs import remembering
from backend.settings import Settings
from backend.storage.warehouse import facts
from benchmarks import _clicks, _facts, _machine
from benchmarks._clicks import Model
from benchmarks._week import DAYS, WARM_EVERY, ReplayClock, Week

FACTS = int(os.environ.get("JORGE_BENCH_FACTS", "20000"))
EVENTS_A_MINUTE = float(os.environ.get("JORGE_BENCH_EVENTS", "3"))
GOAL = 0.95


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
