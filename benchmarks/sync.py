"""Sync against the targets of issue 3: `python -m benchmarks.sync [--quick] [--rows N] [--reconnect 500] [--slow] [--peer]`.

The server is a process of its own with its own PostgreSQL and Valkey; every byte goes through a counting proxy, a process
of its own too. So client CPU is this process's, server CPU that of our server, PostgreSQL and Valkey together.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import _common, _device, _leads, _line, _server, _table
from benchmarks._device import Device, Spent
from benchmarks._table import Figure

ROWS, EDITS = 20_000, 2_000
QUICK_ROWS, QUICK_EDITS = 4_000, 400


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of the benchmark: what it works on and what it found."""

    server: _server.Server
    folder: Path
    rows: int
    edits: int
    data: int
    figures: list[Figure] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, target: float | None = None) -> None:
        self.figures.append(Figure(what=what, value=value, unit=unit, target=target))


def main() -> None:
    chosen = arguments()
    rows = chosen.rows or (QUICK_ROWS if chosen.quick else ROWS)
    edits = chosen.edits or (QUICK_EDITS if chosen.quick else EDITS)
    print(f"{rows:,} leads, {edits:,} edits; {_common.machine()}")
    with prepared(rows, edits) as run:
        print(f"JSON of a lead: {run.data / rows:.0f} bytes")
        try:
            asyncio.run(measured(run))
        finally:
            _table.show(run.figures)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} leads and {QUICK_EDITS} edits")
    parser.add_argument("--rows", type=int, help=f"leads; {ROWS:,} unless told")
    parser.add_argument("--edits", type=int, help=f"offline edits; {EDITS:,} unless told")
    return parser.parse_args()


@contextmanager
def prepared(rows: int, edits: int) -> Iterator[Run]:
    with (
        tempfile.TemporaryDirectory(prefix="jorge-bench-") as folder,
        _server.serving(Path(folder) / "server") as server,
    ):
        data = _server.fill(server, rows)
        yield Run(server=server, folder=Path(folder), rows=rows, edits=edits, data=data)


async def measured(run: Run) -> None:
    with _line.line_to(run.server.port) as one, _line.line_to(run.server.port) as other:
        async with _device.opened(run.server, one, run.folder / "one") as device:
            await first_pull(run, device)
            local_edits(run, device)
            await push(run, device)
            await next_sync(run, device)
            async with _device.opened(run.server, other, run.folder / "two") as second:
                await second.run()
                await one_row(run, device, second)


async def first_pull(run: Run, device: Device) -> None:
    gc.collect()
    spent = await device.run()
    while not device.sync.status().first_complete or device.rows() < run.rows:
        spent = spent + await device.run()
    share = run.rows / ROWS
    run.add("first pull: client CPU", spent.client, "s", 0.6 * share)
    _server_side(run, "first pull", spent)
    run.add("first pull: wall", spent.wall, "s")
    run.add("first pull: bytes down, a row", spent.down / run.rows, "B", 130)
    run.add("… of these bodies", spent.body_down / run.rows, "B")
    run.add(f"first pull: bytes up, all of it ({spent.requests} requests)", spent.up, "B")
    run.add("disk / data after the first pull", device.disk() / run.data, "×", 1.3)


def _server_side(run: Run, what: str, spent: Spent) -> None:
    run.add(f"{what}: server CPU, ours + PostgreSQL + Valkey", spent.theirs, "s")
    run.add("… of these ours", spent.server, "s")


def local_edits(run: Run, device: Device) -> None:
    """Written with no network, each through the service that the screen calls."""
    device.sync.force_offline(True)
    people = [row["id"] for row in device.db.rows("SELECT id FROM leads ORDER BY id")]
    people = random.Random(13).sample(people, run.edits)
    typed, cpu, begun = _leads.changes(), [], time.perf_counter()
    for lead_id in people:
        before = time.process_time()
        while not device.services.leads.edit(lead_id, **next(typed)).changed:
            before = time.process_time()
        cpu.append(1000 * (time.process_time() - before))
    run.add(f"{run.edits:,} local edits: wall", time.perf_counter() - begun, "s")
    run.add("a local write: CPU, p50", statistics.median(cpu), "ms", 0.25)
    run.add("a local write: CPU, p95", _common.p(cpu, 95), "ms")


async def push(run: Run, device: Device) -> None:
    waiting = device.waiting()
    if waiting != run.edits:
        raise SystemExit(f"{waiting} changes of {run.edits} edits are in the outbox")
    device.sync.force_offline(False)
    gc.collect()
    spent = await device.run()
    if device.waiting():
        raise SystemExit("not everything was sent")
    share = run.edits / EDITS
    run.add(f"push of {waiting:,}: client CPU", spent.client, "s", 0.15 * share)
    _server_side(run, "push", spent)
    run.add("push: wall", spent.wall, "s")
    run.add("push: bytes up, an edit", spent.up / waiting, "B", 75)
    run.add("… of these bodies", spent.body_up / waiting, "B")
    run.add("push: bytes down, an edit", spent.down / waiting, "B", 8)
    run.add("… of these bodies", spent.body_down / waiting, "B")
    run.add("push: requests, the pull after it included", spent.requests, "")
    run.add("disk / data after the push", device.disk() / run.data, "×")


async def next_sync(run: Run, device: Device) -> None:
    await asyncio.sleep(0.5)
    spent = await device.run()
    run.add("next sync: bytes up and down", spent.up + spent.down, "B", 400)
    run.add("… of these up", spent.up, "B")
    run.add("… bodies alone", spent.body_up + spent.body_down, "B")


async def one_row(run: Run, writer: Device, reader: Device, times: int = 20) -> None:
    """A person changes a field; another device shows it. Both run as in the app, woken by commits and pokes."""
    async with writer.live(), reader.live():
        await asyncio.sleep(1.0)
        mine, theirs, took = writer.spent(), reader.spent(), []
        for turn in range(times):
            took.append(await _one_row(writer, reader, f"Said in call {turn}"))
            await asyncio.sleep(0.3)
        mine, theirs = writer.spent() - mine, reader.spent() - theirs
    run.add("one changed row: write → the other's commit, p50", statistics.median(took), "ms", 100)
    run.add("one changed row: p95", _common.p(took, 95), "ms")
    run.add("one changed row: bytes at the other device", (theirs.up + theirs.down) / times, "B", 600)
    run.add("… and at the writer", (mine.up + mine.down) / times, "B")


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


if __name__ == "__main__":
    main()
