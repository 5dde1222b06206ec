"""The work of the sync benchmark, step by step: each adds its figures to the run."""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import _device, _feed, _floor, _leads, _line, _machine, _server
from benchmarks._device import Device, Spent
from benchmarks._table import Figure

ROWS, EDITS = 20_000, 2_000


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of the benchmark: what it works on and what it found. `data`: bytes of the leads as JSON."""

    server: _server.Server
    folder: Path
    rows: int
    edits: int
    data: int
    peer: Mapping[str, float] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, target: float | None = None, *, peer: str = "") -> None:
        """`peer`: the name of the peer's value."""
        self.figures.append(
            Figure(what=what, value=value, unit=unit, target=target, peer=self.peer.get(peer))
        )


async def first_pull(run: Run, device: Device, others: Sequence[Spent]) -> None:
    """`others`: first pulls of other devices. CPU and wall are those of the quickest: other work disturbs, none helps."""
    spent, after = await pulled(run, device)
    best = min((spent, *others), key=lambda one: one.client)
    aim = 0.6 * run.rows / ROWS
    run.add(f"first pull: client CPU (best of {len(others) + 1})", best.client, "s", aim, peer="pull_client")
    floor = await _floor.cpu_of(device, run.folder / "floor.db")
    run.add("… over a bare GET, json.loads, executemany", best.client / floor, "×")
    _server_side(run, "first pull", best, peer="pull_server")
    run.add("first pull: wall", best.wall, "s", peer="pull_wall")
    run.add("first pull: bytes down, a row", spent.down / run.rows, "B", 130, peer="pull_down")
    run.add("… of these bodies", spent.body_down / run.rows, "B")
    run.add(f"first pull: bytes up, all of it ({spent.requests} requests)", spent.up, "B", peer="pull_up")
    run.add("… the engine's work after it (comparing): client CPU", after.client, "s")
    run.add("… and server CPU", after.theirs, "s")
    run.add("disk / data after the first pull", device.disk() / run.data, "×", 1.3, peer="disk")


async def pulled(run: Run, device: Device) -> tuple[Spent, Spent]:
    """Everything into an empty store, and what the engine does after that. Raises: SystemExit when something is missing."""
    gc.collect()
    async with asyncio.timeout(600):
        spent = await device.first_run()
    if device.rows() != run.rows:
        raise SystemExit(f"after the first pull the store holds {device.rows():,} of {run.rows:,} leads")
    return spent


def _server_side(run: Run, what: str, spent: Spent, *, peer: str) -> None:
    run.add(f"{what}: server CPU, ours + PostgreSQL + Valkey", spent.theirs, "s", peer=peer)
    run.add("… of these ours", spent.server, "s")


def local_edits(run: Run, device: Device) -> None:
    """Written with no network, each through the service that the screen calls."""
    device.sync.force_offline(True)
    people = [row["id"] for row in device.db.rows("SELECT id FROM leads ORDER BY id")]
    people = random.Random(13).sample(people, run.edits)
    typed, cpu, begun = _leads.changes(), list[float](), time.perf_counter()
    for lead_id in people:
        before = time.process_time()
        while not device.services.leads.edit(lead_id, **next(typed)).changed:
            before = time.process_time()
        cpu.append(1000 * (time.process_time() - before))
    run.add(f"{run.edits:,} local edits: wall", time.perf_counter() - begun, "s", peer="edits_wall")
    run.add("a local write: CPU, p50 (the peer: mean)", statistics.median(cpu), "ms", 0.25, peer="write_cpu")
    run.add("a local write: CPU, p95", _machine.p(cpu, 95), "ms")


async def push(run: Run, device: Device) -> None:
    waiting = device.waiting()
    if waiting != run.edits:
        raise SystemExit(f"{waiting} changes of {run.edits} edits are in the outbox")
    device.sync.force_offline(False)
    gc.collect()
    spent = await device.run()
    if device.waiting():
        raise SystemExit("not everything was sent")
    aim = 0.15 * run.edits / EDITS
    run.add(f"push of {waiting:,}: client CPU", spent.client, "s", aim, peer="push_client")
    _server_side(run, "push", spent, peer="push_server")
    run.add("push: wall", spent.wall, "s", peer="push_wall")
    run.add("push: bytes up, an edit", spent.up / waiting, "B", 75, peer="push_up")
    run.add("… of these bodies", spent.body_up / waiting, "B")
    run.add("push: bytes down, an edit", spent.down / waiting, "B", 8, peer="push_down")
    run.add("… of these bodies", spent.body_down / waiting, "B")
    run.add("push: requests, the pull after it included", spent.requests, "")
    run.add("disk / data after the push", device.disk() / run.data, "×")


async def next_sync(run: Run, device: Device) -> None:
    await asyncio.sleep(0.5)
    spent = await device.run()
    run.add("next sync: bytes up and down", spent.up + spent.down, "B", 400, peer="next")
    run.add("… of these up", spent.up, "B")
    run.add("… bodies alone", spent.body_up + spent.body_down, "B")


async def one_row(run: Run, writer: Device, reader: Device, times: int = 20) -> None:
    """A person changes a field; another device shows it. Both run as in the app, woken by commits and pokes."""
    async with writer.live(), reader.live():
        await asyncio.sleep(1.0)
        mine, theirs, took = writer.spent(), reader.spent(), list[float]()
        for turn in range(times):
            took.append(await _one_row(writer, reader, f"Said in call {turn}"))
            await asyncio.sleep(0.3)
        mine, theirs = writer.spent() - mine, reader.spent() - theirs
    run.add("one changed row: write → the other's commit, p50", statistics.median(took), "ms", 100)
    run.add("one changed row: p95", _machine.p(took, 95), "ms")
    run.add("one changed row: bytes at the other device", (theirs.up + theirs.down) / times, "B", 600)
    run.add("… in requests of HTTP", theirs.requests / times, "")
    run.add("… bytes at the writer", (mine.up + mine.down) / times, "B")
    run.add("… in requests of HTTP", mine.requests / times, "")


async def _one_row(writer: Device, reader: Device, words: str) -> float:
    """Milliseconds."""
    lead_id = writer.db.value("SELECT id FROM leads ORDER BY random() LIMIT 1")
    arrived = asyncio.Event()

    def look(touched: frozenset[str]) -> None:
        if (
            "leads" in touched
            and reader.db.value("SELECT motivation FROM leads WHERE id = ?", (lead_id,)) == words
        ):
            arrived.set()

    unsubscribe = reader.db.subscribe(look)
    begun = time.perf_counter()
    writer.services.leads.edit(lead_id, motivation=words)
    async with asyncio.timeout(30):
        await arrived.wait()
    unsubscribe()
    return 1000 * (time.perf_counter() - begun)


async def feed(run: Run, device: Device, seconds: float) -> None:
    """Raises: SystemExit when the reader missed a row."""
    lag = await _feed.measured(run.server, token_of(device), seconds=seconds)
    if lag.missed:
        raise SystemExit(f"the feed's reader missed {lag.missed} of {lag.changes} changes")
    run.add(
        f"feed lag, commit → reader, p50 ({_feed.WRITERS} writers, {lag.pushes:.0f} pushes/s)",
        lag.p50,
        "ms",
        50,
    )
    run.add("feed lag: p95", lag.p95, "ms")
    run.add(f"feed: rows missed, of {lag.changes:,} changes", lag.missed, "", 0)


def token_of(device: Device) -> str:
    return device.line.tokens.access_token() or ""


async def slow_line(run: Run, speed: _line.Speed = _line.SLOW) -> None:
    """The first pull and the push again, over a line of 200 ms, 2 Mbit/s down and 0.5 up."""
    with _line.line_to(run.server.port, speed) as line:
        async with _device.opened(run.server, line, run.folder / "slow") as device:
            loaded, _after = await device.first_run()
            again = Run(server=run.server, folder=run.folder, rows=run.rows, edits=run.edits, data=run.data)
            local_edits(again, device)
            device.sync.force_offline(False)
            pushed = await device.run()
    run.add("slow line: first pull, wall", loaded.wall, "s", peer="slow_pull")
    run.add(f"slow line: push of {run.edits:,}, wall", pushed.wall, "s", peer="slow_push")


async def idle(run: Run, device: Device, seconds: float) -> None:
    """Nothing happens: the socket's pings, and a look every minute as sync/schedule.py has it, scaled to an hour."""
    await device.run()
    one = await device.run()
    async with device.live():
        await asyncio.sleep(2.0)
        before = device.spent()
        await asyncio.sleep(seconds)
        quiet = device.spent() - before
    hour = (quiet.up + quiet.down) * 3600 / seconds
    run.add("idle, an hour: the socket's pings", hour, "B")
    run.add("idle, an hour: with a look every 60 s", hour + 60 * (one.up + one.down), "B")
