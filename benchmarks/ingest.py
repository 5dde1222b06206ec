"""Events into facts and aggregates, exactly once, beside a plain COPY of the same rows: `python -m benchmarks.ingest [--quick]`.

Plain: asyncpg's binary COPY of the same rows, already made, into tables with the same indexes and no triggers; a transaction a
batch, as ours. They take turns. "Two lanes" is what the sink does: while PostgreSQL works on a batch, the next one is prepared and
copied on a second connection. CPU of PostgreSQL is that of the backends that do the work (`/proc/<pid>/stat`).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from backend.events import Event
from backend.storage.warehouse import facts
from benchmarks import _ingest, _machine

EVENTS, QUICK = 120_000, 40_000
BATCH = 10_000
ROUND = 40_000
LANES = 2
GOAL = 0.5
TABLES = (
    "fact_lead_interactions",
    "fact_bot_performance",
    "fact_bot_conversations",
    "deal_states",
    "fact_commission_events",
    "fact_system_health",
)


@dataclass(slots=True)
class Spent:
    """Seconds on the wall, of our CPU, of the backend's."""

    wall: float = 0.0
    client: float = 0.0
    backend: float = 0.0

    def line(self, what: str, events: int) -> str:
        return (
            f"{what:<34}{events / self.wall:>10,.0f} events/s   client {1e6 * self.client / events:5.1f} µs   "
            f"PostgreSQL {1e6 * self.backend / events:5.1f} µs a event"
        )


class Clock:
    """Adds what a block took."""

    def __init__(self, spent: Spent, *pids: int) -> None:
        self.spent, self.pids = spent, pids

    def __enter__(self) -> None:
        gc.collect()
        gc.freeze()  # what the benchmark itself holds is not to be looked through meanwhile
        gc.set_threshold(100_000, 10, 10)  # as in the server
        self.begun = self._now()

    def __exit__(self, *_: object) -> None:
        wall, client, backend = (b - a for a, b in zip(self.begun, self._now(), strict=True))
        self.spent.wall += wall
        self.spent.client += client
        self.spent.backend += backend

    def _now(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), sum(map(_machine.seconds, self.pids))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} events")
    parser.add_argument("--events", type=int, help=f"{EVENTS:,} unless told")
    parser.add_argument("--batch", type=int, default=BATCH, help=f"{BATCH:,} unless told")
    chosen = parser.parse_args()
    events = chosen.events or (QUICK if chosen.quick else EVENTS)
    print(_machine.machine())
    with tempfile.TemporaryDirectory(prefix="jorge-bench-") as folder:
        with _ingest.postgres(Path(folder) / "server") as engines:
            asyncio.run(measured(engines.database_url(), events, chosen.batch))
    print(f"{_machine.load()} at the end")


async def measured(url: str, count: int, batch: int) -> None:
    rng = random.Random(4)
    world = _ingest.invented_world(rng)
    await _ingest.settle(url, world)
    lanes, plain = [await facts.connect(url) for _ in range(LANES)], await asyncpg.connect(url)
    await _plain_tables(plain)
    for lane in lanes:  # warm
        await facts.store(lane, _arrived(_ingest.invented(rng, world, 500, _ingest.now())))
    copied: set[Any] = set()
    await _rows_since(plain, copied)
    one, two, bare = Spent(), Spent(), Spent()
    *pids, pid = [await c.fetchval("SELECT pg_backend_pid()") for c in (*lanes, plain)]
    for _ in range(0, count, ROUND):
        first, second = (_arrived(_ingest.invented(rng, world, ROUND, _ingest.now())) for _ in range(2))
        with Clock(one, pids[0]):
            await _store(lanes[:1], first, batch)
        rows = await _rows_since(plain, copied)
        with Clock(bare, pid):
            await _copy(plain, rows, batch)
        with Clock(two, *pids):
            await _store(lanes, second, batch)
        await _rows_since(plain, copied)
    await _told(plain, bare, {"one lane": one, "two lanes": two}, -(-count // ROUND) * ROUND, batch)
    for connection in (*lanes, plain):
        await connection.close()


async def _store(
    lanes: Sequence[asyncpg.Connection[asyncpg.Record]], events: Sequence[facts.Arrived], batch: int
) -> None:
    batches = [events[first : first + batch] for first in range(0, len(events), batch)]

    async def work(lane: asyncpg.Connection[asyncpg.Record]) -> None:
        while batches:
            await facts.store(lane, batches.pop(0))

    await asyncio.gather(*map(work, lanes))


def _arrived(events: Sequence[Event]) -> list[facts.Arrived]:
    now = _ingest.now()
    return [facts.Arrived(event=event, received_at=now, source_key=1) for event in events]


async def _plain_tables(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for table in TABLES:
        await connection.execute(f"CREATE TABLE plain_{table} (LIKE {table} INCLUDING ALL)")


async def _rows_since(
    connection: asyncpg.Connection[asyncpg.Record], copied: set[Any]
) -> Mapping[str, list[tuple[Any, ...]]]:
    """The rows that came since the last call, as they lie in the facts."""
    found = {}
    for table in TABLES:
        key = "conversation_id" if table == "fact_bot_conversations" else "ctid::text || tableoid"
        rows = await connection.fetch(f"SELECT f.*, {key} FROM {table} f")  # noqa: S608 - fixed words
        found[table] = [tuple(row)[:-1] for row in rows if (table, row[-1]) not in copied]
        copied.update((table, row[-1]) for row in rows)
    return found


async def _copy(
    connection: asyncpg.Connection[asyncpg.Record], rows: Mapping[str, list[tuple[Any, ...]]], batch: int
) -> None:
    parts = max(1, -(-ROUND // batch))
    for part in range(parts):
        async with connection.transaction():
            for table, all_rows in rows.items():
                await connection.copy_records_to_table(f"plain_{table}", records=all_rows[part::parts])


async def _told(
    connection: asyncpg.Connection[asyncpg.Record],
    bare: Spent,
    ours: Mapping[str, Spent],
    count: int,
    batch: int,
) -> None:
    print(
        f"{count:,} events in batches of {batch:,}: {_ingest.OFFICES} offices, {len(_ingest.BOTS)} bots, ten minutes long"
    )
    print(bare.line("plain COPY of the same rows", count))
    for name, spent in ours.items():
        ratio, cpu = bare.wall / spent.wall, (bare.client + bare.backend) / (spent.client + spent.backend)
        print(spent.line(f"facts.store, {name}", count))
        print(
            f"  ratio of the rates {ratio:.2f} (goal ≥ {GOAL}), of CPU {cpu:.2f}: {'ok' if ratio >= GOAL else 'UNDER'}"
        )
    (sizes,) = await connection.fetch(
        "SELECT (SELECT count(*) FROM fact_lead_interactions) + (SELECT count(*) FROM fact_bot_performance) AS facts, "
        "(SELECT count(*) FROM agg_hourly_metrics) AS hourly, (SELECT count(*) FROM agg_latency_hist) AS latencies"
    )
    print(
        f"{sizes['facts']:,} facts lie in {sizes['hourly']:,} hourly rows and {sizes['latencies']:,} histograms"
    )


if __name__ == "__main__":
    main()
