"""A processor at work beside a test, what senders add to the streams, and what it told."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson

from backend.deps import Deps
from backend.events import Event
from backend.stream import entries, keeping
from backend.stream.processor import Processor
from tests.backend.stream.windows import world
from tests.waiting import running

PATIENCE = 20.0


@contextlib.asynccontextmanager
async def working(deps: Deps) -> AsyncIterator[Processor]:
    one = Processor(deps)
    async with running(one.run()):
        yield one


def lately(rnd: random.Random, count: int) -> list[tuple[str, Event]]:
    """Events of the last minutes by the real clock."""
    now = datetime.now(UTC)
    moments = [now - timedelta(seconds=rnd.random() * 120) for _ in range(count)]
    return [world.some(rnd, 1, occurred_at=moment)[0] for moment in moments]


async def add(deps: Deps, told: Sequence[tuple[str, Event]], *, packed: int = 5) -> None:
    for begin in range(0, len(told), packed):
        by_stream: dict[str, list[Event]] = {}
        for stream, event in told[begin : begin + packed]:
            by_stream.setdefault(stream, []).append(event)
        for stream, events in by_stream.items():
            await deps.valkey.xadd(
                entries.PREFIX + stream,
                dict(entries.packed(msgspec.json.encode(events), None)),  # type: ignore[arg-type]
            )


async def total(deps: Deps, name: str = "interactions") -> int:
    """Of all locations over the last hour, as told last."""
    held = await deps.valkey.hget(keeping.LATEST, "-1:1h")
    return int(orjson.loads(held)["values"][name]) if held else 0


def interactions(told: Sequence[tuple[str, Event]]) -> int:
    return sum(stream == "lead_interactions" for stream, _ in told)


def text(said: bytes | str | None) -> str:
    return said.decode() if isinstance(said, bytes) else said or ""


async def equals(asked: Any, wanted: int) -> bool:
    return bool(await asked == wanted)


async def revision(deps: Deps, window: str) -> int:
    held = await deps.valkey.hget(keeping.LATEST, f"-1:{window}")
    return int(orjson.loads(held)["rev"]) if held else 0
