"""A sink at work beside a test: what lies before it, and what it has stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from redis import exceptions as redis_errors

from backend.deps import Deps
from backend.events import Event
from backend.stream import entries, sink
from tests import waiting

LEADS = entries.PREFIX + "lead_interactions"


async def add(deps: Deps, *told: Event, stream: str = LEADS) -> bytes | str:
    return await deps.valkey.xadd(stream, entries.packed(msgspec.json.encode(told), 7))  # type: ignore[arg-type]


@asynccontextmanager
async def running(deps: Deps) -> AsyncIterator[None]:
    async with waiting.running(sink.run(deps)):
        yield


async def count(deps: Deps, table: str = "fact_lead_interactions") -> int:
    return int(await deps.pool.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - fixed words


async def settled(deps: Deps) -> bool:
    """Everything was read and acknowledged."""
    for name in entries.NAMES:
        last = await deps.valkey.xrevrange(name, count=1)
        try:
            groups = await deps.valkey.xinfo_groups(name)
        except redis_errors.ResponseError:
            return False
        if not groups or groups[0]["pending"] or (last and groups[0]["last-delivered-id"] != last[0][0]):
            return False
    return True
