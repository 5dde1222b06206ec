"""Fan-out: what it costs the server to tell many live sockets the same, beside `websockets.broadcast` in the same run.

    python -m benchmarks.fanout [--stalled]

The whole server with its engines, signed-in sockets of the dashboard's channel; figures that change when asked. The clients
are in another process. µs = CPU of the server's process for each frame to each socket.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets

from backend import app as application
from backend import deps as parts
from backend import main as backend_main
from backend import server, serving
from backend.actor import Role
from backend.realtime.audience import Audience
from backend.realtime.channels import KINDS, Sources
from backend.realtime.gateway import Gateway
from backend.realtime.group import StateGroup
from backend.realtime.picture import Made
from backend.services import auth, users
from backend.services.auth import Peer
from backend.settings import Settings
from benchmarks import _machine

ROUNDS = 40
TURNS = 5
PASSWORD = "bench-password"
PEER = Peer(address="127.0.0.1", on_this_machine=True)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
SIZES = {"300 B": 0, "2.4 kB": 12}


@dataclass(slots=True)
class Figures:
    """In place of the dashboard's: they change with each look."""

    number: int = 0
    tiles: int = 0

    async def make(self, sources: Sources, audience: Audience, question: object) -> Made:
        self.number += 1
        tiles = {f"figure_{at}": self._tile(at) for at in range(self.tiles)}
        return Made(data={"n": self.number, "metrics": tiles}, as_of="2026-11-22T16:00:00.000000+00:00")

    def _tile(self, at: int) -> dict[str, Any]:
        value = (self.number * 7919 + at * 104_729) % 1_000_003
        return {"title": f"Figure {at}", "value": value, "unit": "cents", "n": value % 97, "note": None, "definition": "Net company dollars of all open deals, each times its chance to close.", "trend": [value, value + 3, value + 9]}  # fmt: skip


class Eyes:
    """The process with the clients."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, order: str, **more: Any) -> dict[str, Any]:
        reading, writing = self._process.stdout, self._process.stdin
        assert reading is not None
        assert writing is not None
        writing.write(json.dumps({"do": order, **more}).encode() + b"\n")
        return dict(json.loads(await reading.readline()))


@asynccontextmanager
async def eyes() -> AsyncIterator[Eyes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks._eyes", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        yield Eyes(process)
    finally:
        process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of each delivery."""

    us: float
    a_second: float


async def measured(
    watching: Eyes,
    count: int,
    send: Callable[[], Awaitable[None]],
    target: dict[str, Any],
    first: int,
    *,
    all_in: Callable[[], bool] = lambda: True,
) -> Cost:
    """Open, send ROUNDS frames to all, each when the last has come, close. `first`: frames that come by themselves."""
    await watching.do("open", count=count, stalled=0, **target)
    while not all_in():
        await watching.do("wait", frames=0, seconds=0.05)
    await watching.do("wait", frames=first, seconds=20 if first else 0)
    gc.collect()
    worked, began = time.process_time(), time.monotonic()
    for number in range(first + 1, first + ROUNDS + 1):
        await send()
        told = await watching.do("wait", frames=number, seconds=30)
        if told["least"] < number:
            raise SystemExit(f"frame {number} did not come to everybody within 30 s")
    worked, took = time.process_time() - worked, time.monotonic() - began
    delivered = told["sum"] - first * count
    await watching.do("close")
    return Cost(us=1e6 * worked / delivered, a_second=delivered / took)


@asynccontextmanager
async def ours(folder: Path, figures: Figures) -> AsyncIterator[tuple[parts.Deps, Gateway, dict[str, Any]]]:
    """The server with the jobs of every process alone; the gateway; where and how to connect."""
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "port": 0,
            "bi_websocket_max_connections": 5_000,
            "bi_websocket_max_per_user": 5_000,
            "bi_message_throttle_limits": {"high": 1_000_000},
            "bi_rate_limit": 0,
        }
    )
    KINDS["dashboard"] = replace(KINDS["dashboard"], make=figures.make, pause=0.0)  # type: ignore[index]
    async with AsyncExitStack() as stack:
        deps = await stack.enter_async_context(parts.open_deps(settings))
        app = application.create_app(deps, jobs=application.EVERYWHERE)
        app.state.gateway = Gateway(deps)
        listening = server.listen("127.0.0.1", 0)
        stop = asyncio.Event()
        serving = asyncio.create_task(server.serve(app, listening, stop))
        token = await _token(deps)
        target = {"port": listening.getsockname()[1], "path": "/ws/dashboard/all", "headers": [f"Authorization: Bearer {token}"]}  # fmt: skip
        yield deps, app.state.gateway, target
        stop.set()
        await serving


async def _token(deps: parts.Deps) -> str:
    email = "boss@bench.example"
    await users.create(deps, email=email, name="Boss", role=Role.MANAGER, password=PASSWORD, locations=["Bench"], zone="America/Los_Angeles")  # fmt: skip
    return (await auth.login(deps, email=email, password=PASSWORD, device_id="", peer=PEER)).access_token


async def run_ours(
    watching: Eyes, count: int, target: dict[str, Any], gateway: Gateway, packed: bool
) -> Cost:
    async def send() -> None:
        (group,) = gateway._groups.values()
        assert isinstance(group, StateGroup)
        await group._look(always=False)

    headers = [*target["headers"], *([DEFLATE] if packed else [])]
    return await measured(watching, count, send, target | {"headers": headers}, first=1)


async def run_broadcast(watching: Eyes, count: int, body: str) -> Cost:
    """The `websockets` library's own server and its best way to tell many."""
    lines: set[ServerConnection] = set()

    async def serve(line: ServerConnection) -> None:
        lines.add(line)
        await line.wait_closed()
        lines.discard(line)

    async def send() -> None:
        broadcast(lines, body)
        await asyncio.sleep(0)

    async with serve_websockets(serve, "127.0.0.1", 0, compression=None, ping_interval=None) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        there = {"port": port, "path": "/", "headers": []}
        return await measured(watching, count, send, there, first=0, all_in=lambda: len(lines) == count)


async def stalled(
    watching: Eyes, deps: parts.Deps, gateway: Gateway, target: dict[str, Any], figures: Figures
) -> None:
    """1,000 sockets of which 50 never read: until they are cut."""
    figures.tiles = 200
    await watching.do("open", count=1_000, stalled=50, **target)
    await watching.do("wait", frames=1, seconds=20)
    began, sent = time.monotonic(), 1
    slowest = 0.0
    while deps.live.slow_closes < 50 and time.monotonic() - began < 60:
        at = time.monotonic()
        next(iter(gateway._groups.values())).touch()
        sent += 1
        told = await watching.do("wait", frames=sent, seconds=10)
        slowest = max(slowest, told["at"] - at)
        if told["least"] < sent:
            raise SystemExit("a socket that reads was kept waiting")
        await asyncio.sleep(0.1)
    await watching.do("close")
    print(
        f"1,000 sockets, 50 of them stalled: {deps.live.slow_closes} cut after {time.monotonic() - began:.1f} s; the other 950 got "
        f"all {sent} frames of {figures.tiles * 0.21:.0f} kB, the slowest round took {slowest * 1000:.0f} ms"
    )


async def main(*, with_stalled: bool) -> None:
    serving.collect_rarely()
    figures = Figures()
    print(f"Fan-out; {_machine.load()}")
    with tempfile.TemporaryDirectory() as folder:
        async with ours(Path(folder), figures) as (deps, gateway, target), eyes() as watching:
            if with_stalled:
                await stalled(watching, deps, gateway, target, figures)
                return
            print(f"{await memory(watching, target):.1f} KiB a connection, of 1,000")
            await table(watching, gateway, target, figures)


async def memory(watching: Eyes, target: dict[str, Any]) -> float:
    """KiB of each of 1,000 connections, before anything was freed that they could take."""
    await watching.do("open", count=20, stalled=0, **target)
    await watching.do("wait", frames=1, seconds=20)
    gc.collect()
    before = _machine.rss() / 1024
    for _ in range(10):
        await watching.do("open", count=100, stalled=0, **target)
        await watching.do("wait", frames=1, seconds=20)
    gc.collect()
    found = (_machine.rss() / 1024 - before) / 1_000
    await watching.do("close")
    return found


async def table(watching: Eyes, gateway: Gateway, target: dict[str, Any], figures: Figures) -> None:
    """Both sides take turns, and the median of each counts: a run differs from the next by more than the sides do."""
    print(
        "| connections | frame | deflate | µs CPU/delivery | deliveries/s | websockets.broadcast µs | ratio |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in (500, 1_000):
        for name, tiles in SIZES.items():
            figures.tiles = tiles
            body = json.dumps({"x": "x" * (2_400 if tiles else 290)})
            peer, plain, packed = [], [], []
            for _ in range(TURNS):
                peer.append(await run_broadcast(watching, count, body))
                plain.append(await run_ours(watching, count, target, gateway, packed=False))
                packed.append(await run_ours(watching, count, target, gateway, packed=True))
            theirs = median(cost.us for cost in peer)
            for deflate, costs in (("no", plain), ("once", packed)):
                us, a_second = median(cost.us for cost in costs), median(cost.a_second for cost in costs)
                print(
                    f"| {count} | {name} | {deflate} | {us:.1f} | {a_second:,.0f} | {theirs:.1f} | {theirs / us:.2f} |"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--stalled", action="store_true", help="instead: 1,000 sockets of which 50 never read"
    )
    with asyncio.Runner(loop_factory=backend_main._loop_factory()) as runner:
        runner.run(main(with_stalled=parser.parse_args().stalled))
