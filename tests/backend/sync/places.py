"""Locations given and taken away, and what the server holds, for tests of who may see what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from backend.deps import Deps
from backend.storage import rows, users
from domain import tables
from tests.backend.sync.devices import T0, Device

DAY_MS = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def grant(deps: Deps, device: Device, location: str) -> None:
    async with deps.pool.acquire() as connection:
        await users.grant(connection, device.user_id, [location])


async def revoke(deps: Deps, device: Device, location: str = "") -> None:
    """In a millisecond of its own: what was done before it was earlier, what comes now is later."""
    await asyncio.sleep(0.002)
    async with deps.pool.acquire() as connection:
        await connection.execute(
            "DELETE FROM user_locations WHERE user_id = $1 AND location_id = $2",
            device.user_id,
            location or device.locations[0],
        )
    await asyncio.sleep(0.002)


async def age_grants(deps: Deps, days: float) -> None:
    """All that happened to grants happened `days` earlier."""
    async with deps.pool.acquire() as connection:
        await connection.execute(
            """UPDATE scope_grants SET granted_at = granted_at - make_interval(secs => $1),
               revoked_at = revoked_at - make_interval(secs => $1)""",
            days * 86_400,
        )


async def stored(deps: Deps, table: str, row_id: str) -> rows.Stored:
    """The row as the server has it."""
    async with deps.pool.acquire() as connection:
        found = await rows.get(connection, tables.BY_NAME[table], row_id)
    assert found is not None
    return found


async def all_of(deps: Deps, table: str) -> list[rows.Stored]:
    async with deps.pool.acquire() as connection:
        return await rows.where(connection, tables.BY_NAME[table], "true ORDER BY id")


def a_visit(location: str, lead_id: str, **more: Any) -> Mapping[str, Any]:
    return {
        "location_id": location, "created_at": T0, "lead_id": lead_id, "kind": "visit", "occurred_at": T0, **more
    }  # fmt: skip


def a_task(location: str, lead_id: str | None, **more: Any) -> Mapping[str, Any]:
    return {
        "location_id": location, "created_at": T0, "lead_id": lead_id, "title": "Call", "kind": "todo", **more
    }  # fmt: skip
