"""What the sliding windows cost an event, beside decoding the same events and counting them in a dict, in the same run.

`python -m benchmarks.windows [--backlog]`: with `--backlog` a real processor also drains a stream (Valkey and PostgreSQL out of the wheels).
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import orjson

from backend import deps as parts
from backend.epoch import micros
from backend.events import BotPerformance, CommissionEvent, LeadInteraction
from backend.settings import Settings
from backend.storage.warehouse import facts
from backend.stream import entries, rebuilding
from backend.stream.processor import Processor
from backend.stream.windows import rows, snapshot
from backend.stream.windows.decoding import decoded
from backend.stream.windows.spans import SECOND
from backend.stream.windows.state import Windows
from benchmarks import _machine
from benchmarks._happened import BOTS, EVENTS, LEADS, LOCATIONS, PACK, World, made

GOAL_US = 8.0
ROUNDS = 3


def main() -> None:
    print(
        f"windows: {EVENTS:,} events in packs of {PACK}; {LOCATIONS} locations × {BOTS} bots, {LEADS:,} leads\n{_machine.machine()}"
    )
    world = made(random.Random(1))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)  # as in the server
    plain = min(_per_event(lambda: _plain(world)) for _ in range(ROUNDS))
    best, windows = min((_measured(world) for _ in range(ROUNDS)), key=lambda found: found[0])
    bytes_each = sum(len(pack) for _, pack in world.packs) / EVENTS
    print(f"\nan event is {bytes_each:.0f} B of JSON; µs CPU an event, best of {ROUNDS}")
    print(f"  decode and count in a dict            {plain:6.2f}")
    print(
        f"  decode and keep three windows         {best:6.2f}   {best / plain:.1f} × that; goal ≤ {GOAL_US:.0f}"
    )
    print(f"  of it, events that repeat             {_repeats(world, windows):6.2f}")
    _show_single(world)
    _show_ticks(windows)
    _show_memory(windows)
    _show_snapshots(windows, world)
    if "--backlog" in sys.argv:
        asyncio.run(_backlog(world))


def _fresh(world: World) -> Windows:
    windows = Windows()
    windows.locations = {office.int: key for key, office in enumerate(world.offices, 1)}
    return windows


def _per_event(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / EVENTS * 1e6


def _plain(world: World) -> Counter[object]:
    counts: Counter[object] = Counter()
    for stream, pack in world.packs:
        events, _ = decoded(stream, {entries.PACKED: pack})
        counts.update([event.event_type for event in events])
    return counts


def _measured(world: World) -> tuple[float, Windows]:
    windows = _fresh(world)
    return _per_event(lambda: _taken(world, windows)), windows


def _taken(world: World, windows: Windows) -> None:
    for stream, pack in world.packs:
        windows.take(stream, decoded(stream, {entries.PACKED: pack})[0], world.end)


def _repeats(world: World, windows: Windows) -> float:
    return _per_event(lambda: _taken(world, windows))


def _show_single(world: World) -> None:
    windows = _fresh(world)
    _taken(world, windows)
    some = [msgspec.structs.replace(event, event_id=uuid.uuid4()) for event in world.events[:500]]
    began = time.process_time()
    for event in some:
        windows.take("lead_interactions", [event], world.end)
    print(
        f"  one at a time                         {(time.process_time() - began) / len(some) * 1e6:6.0f}   (the processor lets them gather until the next tick)"
    )


def _show_ticks(windows: Windows) -> None:
    began = time.process_time()
    told = rows.changed(windows)
    made = time.process_time()
    message = orjson.dumps(
        [{"location_key": r.location, "window": r.window, "values": r.values, "bots": r.bots} for r in told]
    )
    print(
        f"\na tick in which all changed: {len(told)} rows, {(made - began) * 1e3:.1f} ms, "
        f"and {(time.process_time() - made) * 1e3:.1f} ms as JSON of {len(message) / 1024:.0f} KiB"
    )  # fmt: skip


def _show_memory(windows: Windows) -> None:
    places, bots = len(windows.places.keys), len(windows.bots.keys)
    rings = [sum(ring.nbytes for ring in table.rings) for table in (windows.places, windows.bots)]
    cells = sum(held.nbytes for held in windows.histograms)
    print(
        f"\nmemory: {rings[0] / places / 1024:.0f} KiB a location, {rings[1] / bots / 1024:.0f} KiB a bot at a location, "
        f"{cells / bots / 1024:.0f} KiB of latencies each ({windows.nbytes / 1e6:.1f} MB in all); "
        f"8 B an id once packed, {windows.seen.count:,} ids now"
    )


def _show_snapshots(windows: Windows, world: World) -> None:
    for what in ("whole snapshot", "the next, 10 s later"):
        pieces, size, began = [], 0, time.thread_time()
        snapshot.gone(windows)
        for _, blob in snapshot.fields(windows):
            pieces.append(time.thread_time() - began)
            size += len(blob)
            began = time.thread_time()
        print(
            f"{what}: {size / 1e6:.2f} MB in {len(pieces):,} fields, {sum(pieces) * 1e3:.0f} ms, "
            f"the longest piece {max(pieces) * 1e3:.1f} ms"
        )  # fmt: skip
        later = world.end + 10 * SECOND
        fresh = [
            msgspec.structs.replace(
                e, event_id=uuid.uuid4(), occurred_at=e.occurred_at + timedelta(seconds=10)
            )
            for e in world.events[-1000:]
        ]
        windows.take("commission_events", [e for e in fresh if isinstance(e, CommissionEvent)], later)
        _move_on(windows, world, later)


def _move_on(windows: Windows, world: World, later: int) -> None:
    """Ten more seconds at the same rate."""
    count = EVENTS // 36
    for stream, kind in (("lead_interactions", LeadInteraction), ("bot_performance", BotPerformance)):
        last = [e for e in world.events if isinstance(e, kind)][-count // 2 :]
        moved = [
            msgspec.structs.replace(
                e, event_id=uuid.uuid4(), occurred_at=e.occurred_at + timedelta(seconds=10)
            )
            for e in last
        ]
        windows.take(stream, moved, later)


async def _backlog(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data_dir": Path(folder), "port": 0})
        async with parts.open_deps(settings, channel_prefix="bench:") as deps:
            for number, office in enumerate(world.offices):
                await deps.pool.execute(
                    "INSERT INTO locations (id, name, state, zone) VALUES ($1, $2, 'CA', 'UTC')",
                    office,
                    f"Office {number}",
                )
            for stream, pack in world.packs:
                await deps.valkey.xadd(entries.PREFIX + stream, dict(entries.packed(pack, None)))  # type: ignore[arg-type]
            await _drained(deps)
            await _rebuilt(deps, world)


async def _drained(deps: parts.Deps) -> None:
    one = Processor(deps)
    cpu, wall = time.process_time(), time.perf_counter()
    task = asyncio.create_task(one.run())
    while one.counters.events < EVENTS:  # noqa: ASYNC110 - what is measured must not tell us
        await asyncio.sleep(0.01)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        f"\na processor drains the backlog: {EVENTS / wall:,.0f} events/s, {cpu / EVENTS * 1e6:.1f} µs CPU an event with XREAD, ticks, start"
    )
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    print(
        f"  its snapshot at the end held everything else up for {one.counters.snapshot_stall_us / 1e3:.1f} ms at most ({one.counters.snapshot_bytes / 1e6:.2f} MB)"
    )


async def _rebuilt(deps: parts.Deps, world: World) -> None:
    connection = await facts.connect(deps.database_url)
    now = datetime.now(UTC)
    for begin in range(0, len(world.events), 5_000):
        batch = world.events[begin : begin + 5_000]
        await facts.store(connection, [facts.Arrived(event=event, received_at=now) for event in batch])
    await connection.close()
    cpu, wall = time.process_time(), time.perf_counter()
    windows = await rebuilding.rebuilt(deps.bi, micros(now))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"cold start from {len(world.events):,} facts: {wall:.2f} s ({cpu:.2f} s CPU here), {windows.seen.count:,} ids"
    )


if __name__ == "__main__":
    main()
