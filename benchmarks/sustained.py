"""Events all the way: streams, windows, facts, aggregates and live connections at once, at a steady rate.

    python -m benchmarks.sustained [--rate 10000] [--connections 500] [--seconds 20] [--way xadd|post]

The server runs in parts (`_parts.py`), the loader (`_load.py`) and the people who look (`_crowd.py`) are processes of their own; everything
lies in memory, so no disk is measured. µs = CPU of each part for each event that was sent, with all it does beside. What was sent has to
be in the facts exactly once at the end, or the run fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from backend import main as backend_main
from backend.jobs import scheduler
from backend.services.bi import health
from backend.stream import keeping
from backend.stream.windows.spans import LATENESS, SECOND
from benchmarks import _load, _machine, _parts
from benchmarks._parts import Parts

GOAL_US, GOAL_NEWEST_MS = 40.0, 500.0
WAYS = {
    "xadd": "packs straight into the streams (XADD)",
    "post": f"POST /api/events, {_load.POST_SIZE} an array, each waits until it is stored",
}
IDLE_SECONDS = 4.0
DRAIN_SECONDS = 90.0
_ALL_EVERY = 10
"""Every so many people look at all offices, the others at one."""


@dataclass(slots=True)
class Lags:
    """Second by second (s): the longest that an event has waited for the sink, and how old the newest event in the windows is."""

    sink: list[float] = field(default_factory=list)
    windows: list[float] = field(default_factory=list)

    async def look(self, parts: Parts) -> None:
        lanes = await health.streams(parts.deps, parts.deps.clock.now())
        self.sink.append(max(lane.waiting_seconds or 0.0 for lane in lanes))
        meta: Any = await parts.deps.valkey.hget(keeping.LATEST, keeping.META)
        watermark = meta and orjson.loads(meta)["watermark"]
        if watermark:
            newest = datetime.fromisoformat(watermark).timestamp() + LATENESS / SECOND
            self.windows.append(time.time() - newest)


class Child:
    """A process that is told and tells, one line at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tell(self, said: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(said.encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise SystemExit("a process of the benchmark ended; its fault is above")
        return dict(json.loads(line))


@asynccontextmanager
async def child(module: str, order: Mapping[str, Any]) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        made = Child(process)
        await made.tell(json.dumps(order))
        yield made
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def main(*, rate: int, connections: int, seconds: float, ways: Sequence[str]) -> None:
    print(_machine.machine())
    async with _parts.running() as parts:
        offices = [str(office) for office in _load.world().offices]
        paths = [
            f"/ws/dashboard/{'all' if n % _ALL_EVERY == 0 else offices[n % len(offices)]}"
            for n in range(connections)
        ]
        where = {"port": parts.ports["gateway"], "paths": paths, "token": parts.token}
        async with child("benchmarks._crowd", where) as crowd:
            print(f"{(await crowd.hear())['greeted']} live connections have their first picture")
            await _idle(parts)
            for way in ways:
                await _measured(parts, crowd, way, rate, seconds)
            for name, warned in parts.warnings().items():
                print(f"{name} warned: " + ", ".join(f"{n} × {event}" for event, n in warned.items()))
    print(f"\n{_machine.load()} at the end")


async def _idle(parts: Parts) -> None:
    """Once each periodic job has had its first round: that takes the sink some seconds of CPU, of which it has no more for an hour."""
    ended = "SELECT count(*) FROM periodic_jobs WHERE ended_at IS NOT NULL"
    async with asyncio.timeout(DRAIN_SECONDS):
        while await parts.deps.pool.fetchval(ended) < len(scheduler.PERIODIC):  # noqa: ASYNC110 - the sink runs them
            await asyncio.sleep(0.2)
    before = parts.cpu()
    await asyncio.sleep(IDLE_SECONDS)
    used = _used(before, parts.cpu())
    print("idle, % of a core: " + ", ".join(f"{n} {100 * s / IDLE_SECONDS:.1f}" for n, s in used.items()))


async def _measured(parts: Parts, crowd: Child, way: str, rate: int, seconds: float) -> None:
    had, load = await _parts.stored(parts), os.getloadavg()[0]
    order = {"way": way, "rate": rate, "seconds": seconds, "key": parts.key}
    order |= {"valkey": parts.deps.redis_url, "url": f"http://127.0.0.1:{parts.ports['api']}"}
    await crowd.tell("report")
    await crowd.hear()
    lags, before = Lags(), parts.cpu()
    async with child("benchmarks._load", order) as loader:
        report = asyncio.create_task(loader.hear())
        while not (await asyncio.wait({report}, timeout=1))[0]:
            await lags.look(parts)
        sent = await report
    await crowd.tell("report")
    seen = await crowd.hear()
    drained = await _drained(parts)
    used = _used(before, parts.cpu())
    print(f"\n{WAYS[way]}; load {load:.1f} before")
    _tell_rates(sent, drained, lags)
    _tell_people(seen)
    _tell_cpu(used, sum(sent["sent"].values()), sent["decode_us"])
    await _exactly_once(parts, had, sent["sent"])


async def _drained(parts: Parts) -> float:
    """Seconds until the sink had nothing left."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_SECONDS:
        lanes = await health.streams(parts.deps, parts.deps.clock.now())
        if not any(lane.undelivered or lane.pending for lane in lanes):
            break
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def _exactly_once(parts: Parts, had: Mapping[str, int], sent: Mapping[str, int]) -> None:
    """Raises: SystemExit."""
    found = await _parts.stored(parts)
    new = {name: found[name] - had[name] for name in sent}
    if new != sent:
        raise SystemExit(f"  NOT exactly once: sent {dict(sent)}, stored {new}")
    print(f"  facts: {sum(new.values()):,} = sent, each once")


def _used(before: Mapping[str, float], after: Mapping[str, float]) -> Mapping[str, float]:
    return {name: after[name] - before[name] for name in before}


def _tell_rates(sent: Mapping[str, Any], drained: float, lags: Lags) -> None:
    count, seconds = sum(sent["sent"].values()), sent["seconds"]
    answers = ", ".join(f"{n} × {status}" for status, n in sent["answers"].items())
    print(f"  {count:,} events sent in {seconds:.1f} s: {count / seconds:,.0f}/s {answers}")
    print(f"  all stored {drained:.1f} s after the last: {count / (seconds + drained):,.0f}/s")
    for name, lag in (("oldest waiting for the sink", lags.sink), ("newest in the windows", lags.windows)):
        print(f"  age of the {name}, each second (s): " + " ".join(f"{one:.1f}" for one in lag))


def _tell_people(seen: Mapping[str, Any]) -> None:
    print(f"  {seen['open']} connections, {seen['frames']:,} frames, {seen['kib']:,.0f} KiB")
    for name, key in (("published", "made"), ("newest event", "newest")):
        if seen[key]:
            p50, p99, most = seen[key]
            print(f"  {name} → client: p50 {p50:.0f}, p99 {p99:.0f}, most {most:.0f} ms")
    if seen["newest"]:
        print(f"  (goal: newest event → client, p99 < {GOAL_NEWEST_MS:.0f} ms at 10,000/s on two idle cores)")


def _tell_cpu(used: Mapping[str, float], count: int, decode_us: float) -> None:
    each = {name: 1e6 * seconds / count for name, seconds in used.items()}
    print("  CPU µs/event: " + ", ".join(f"{name} {us:.1f}" for name, us in each.items()))
    whole = sum(each.values())
    verdict = "ok" if whole <= GOAL_US else "OVER"
    print(
        f"  in all {whole:.1f} (goal ≤ {GOAL_US:.0f}: {verdict}) = {whole / decode_us:.0f} × decoding it once ({decode_us:.2f} µs)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=10_000, help="events a second")
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0, help="of load, each way")
    parser.add_argument("--way", choices=WAYS, help="only this one")
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=backend_main._loop_factory()) as runner:
        work = main(
            rate=chosen.rate,
            connections=chosen.connections,
            seconds=chosen.seconds,
            ways=[chosen.way] if chosen.way else list(WAYS),
        )
        runner.run(backend_main._until_stopped(work))
