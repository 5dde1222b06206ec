"""One row of the kill matrix: load, kill -9 in the middle of it, and what must be true when the dust has settled."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from backend.metrics import MEASURES, measures
from backend.storage.warehouse.rebuild import rebuild
from backend.stream import keeping
from tests.backend.kill.installation import PATIENCE, Installation, running
from tests.backend.kill.load import Sender, Watcher
from tests.waiting import until

SENDERS, WATCHERS = 2, 4
WARM_SECONDS = 1.0
FACTS = ("fact_lead_interactions", "fact_bot_performance", "deal_states")


@dataclass(slots=True, kw_only=True)
class Row:
    """What was found. All of `wrong` must be empty."""

    victim: str
    kills: int = 0
    acknowledged: int = 0
    repeats: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    longest_pause: float = 0.0
    """Seconds in which nothing was acknowledged."""
    lines: int = 0
    resumed: int = 0
    snapshots: int = 0
    wrong: list[str] = field(default_factory=list)


async def row(victim: str, folder: Path, *, rounds: int = 1, apart: float = 3.0, load: bool = True) -> Row:
    """`rounds` kills, `apart` seconds of load after each."""
    async with running(folder) as at:
        senders = [Sender(at=at, dice=random.Random(n)) for n in range(SENDERS)]
        watchers = [Watcher(at=at) for _ in range(WATCHERS)]
        stop = asyncio.Event()
        looking = [asyncio.create_task(one.run()) for one in watchers]
        sending = [asyncio.create_task(one.run(stop)) for one in senders]
        try:
            await _warm(senders, watchers)
            for _ in range(rounds):
                await at.kill(victim)
                await _goes_on(senders, apart)
            stop.set()
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*sending)
            return await _judged(victim, at, senders, watchers)
        finally:
            for task in (*looking, *sending):
                task.cancel()
            await asyncio.gather(*looking, *sending, return_exceptions=True)


async def _warm(senders: Sequence[Sender], watchers: Sequence[Watcher]) -> None:
    await until(lambda: all(one.moments for one in senders), PATIENCE)
    await until(lambda: all(len(one.points) == 5 for one in watchers), PATIENCE)
    await asyncio.sleep(WARM_SECONDS)


async def _goes_on(senders: Sequence[Sender], seconds: float) -> None:
    """Each sender was answered again, and then some more load."""
    killed = time.monotonic()
    await until(lambda: all(one.moments[-1] > killed for one in senders), PATIENCE)
    await asyncio.sleep(seconds)


async def _judged(
    victim: str, at: Installation, senders: Sequence[Sender], watchers: Sequence[Watcher]
) -> Row:
    sent = {event_id: event for one in senders for event_id, event in one.sent.items()}
    found = Row(
        victim=victim, kills=at.killed, acknowledged=len(sent), repeats=sum(one.repeats for one in senders)
    )
    for one in senders:
        for name, count in one.answers.items():
            found.answers[name] = found.answers.get(name, 0) + count
        gaps = [b - a for a, b in zip(one.moments, one.moments[1:], strict=False)]
        found.longest_pause = max([found.longest_pause, *gaps])
    connection = await asyncpg.connect(at.deps.database_url, server_settings={"timezone": "UTC"})
    try:
        found.wrong += await _facts(connection, set(sent))
        found.wrong += await _aggregates(connection)
        found.wrong += await _windows(connection, at)
    finally:
        await connection.close()
    found.wrong += await _channels(at, watchers)
    found.lines = sum(one.lines for one in watchers)
    found.resumed = sum(one.resumed for one in watchers)
    found.snapshots = sum(one.snapshots for one in watchers)
    if victim == "valkey" and not await at.forgot_everything():
        found.wrong.append("Valkey came back with what it held: nothing was proved")
    return found


async def _facts(connection: asyncpg.Connection[Any], sent: set[str]) -> list[str]:
    """What was acknowledged is there, once; nothing else is: each batch was repeated until it was."""
    union = " UNION ALL ".join(f"SELECT event_id FROM {table}" for table in FACTS)  # noqa: S608
    stored = [str(row["event_id"]) for row in await connection.fetch(union)]
    wrong = []
    if len(stored) != len(set(stored)):
        wrong.append(f"{len(stored) - len(set(stored))} events are stored twice")
    if lost := sent - set(stored):
        wrong.append(f"{len(lost)} acknowledged events are not stored")
    if more := set(stored) - sent:
        wrong.append(f"{len(more)} events are stored that nobody was told of")
    return wrong


async def _aggregates(connection: asyncpg.Connection[Any]) -> list[str]:
    differed = (await rebuild(connection, check=True)).all_differed
    return [f"{differed} rows of the aggregates are not what the facts say"] if differed else []


async def _windows(connection: asyncpg.Connection[Any], at: Installation) -> list[str]:
    """All events are of the last minutes, so the windows of an hour and of a day hold every one: Σ facts by each measure."""
    wanted = {}
    for name, measure in MEASURES.items():
        if measure.fact in (measures.LEADS, measures.BOTS):
            sql = f"SELECT coalesce({measure.expression}, 0) FROM {measure.fact} WHERE location_key = $1"  # noqa: S608
            wanted[name] = int(await connection.fetchval(sql, at.location_key))
    last: list[str] = ["the windows say nothing"]
    deadline = time.monotonic() + PATIENCE
    while last and time.monotonic() < deadline:
        last = []
        for window in ("1h", "24h"):
            for place in (at.location_key, -1):
                held = await at.deps.valkey.hget(keeping.LATEST, f"{place}:{window}")
                values = orjson.loads(held)["values"] if held else {}
                last += [
                    f"{place}:{window} {name}: {values[name] if name in values else None}, Σ facts {count}"
                    for name, count in wanted.items()
                    if (values.get(name, 0) if held else None) != count
                ]
        await asyncio.sleep(0.2)
    return last


async def _channels(at: Installation, watchers: Sequence[Watcher]) -> list[str]:
    """Each watcher knows at the end what the windows say, put together from all it was told."""
    wrong = [fault for one in watchers for fault in one.faults]
    deadline = time.monotonic() + PATIENCE
    behind = ["nobody was asked"]
    while behind and time.monotonic() < deadline:
        behind = []
        for number, one in enumerate(watchers):
            for window in ("1h", "24h"):
                held = await at.deps.valkey.hget(keeping.LATEST, f"-1:{window}")
                told = [row for (_, name), row in one.rows.items() if name == window]
                wanted = orjson.loads(held)["values"].get("interactions") if held else None
                if wanted is None or [row.get("interactions") for row in told] != [wanted]:
                    behind.append(
                        f"watcher {number} knows {[r.get('interactions') for r in told]} of {window}, it is {wanted}"
                    )
        await asyncio.sleep(0.2)
    return wrong + behind
