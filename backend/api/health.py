"""Routes that a supervisor asks: /health (the process lives) and /ready (it can work)."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

import backend
from backend import faults
from backend.api.body import Json
from backend.api.deps import Parts
from backend.deps import Deps
from backend.jobs import feed_watch
from backend.storage import feed as stored
from backend.storage import migrate
from domain import errors as problems
from domain import wire

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> Json:
    return {"status": "ok", "version": backend.VERSION, "protocol": wire.PROTOCOL}


@router.get("/ready")
async def ready(deps: Parts) -> Json:
    """Raises: EngineError (503) naming the part that is missing."""
    await _asked("database", _database(deps))
    await _asked("valkey", _valkey(deps))
    feed = "late" if await _feed_seconds(deps) > feed_watch.LATE_SECONDS else "ok"
    return {"status": "ready", "database": "ok", "valkey": "ok", "migrations": "ok", "feed": feed}


async def _asked(part: str, question: asyncio.Future[None] | object) -> None:
    try:
        async with asyncio.timeout(2):
            await question  # type: ignore[misc]
    except faults.AWAY as fault:
        raise problems.EngineError(
            f"The {part} does not answer.", where=part, hint="The server goes on trying.", retry_after=5
        ) from fault


async def _database(deps: Deps) -> None:
    async with deps.pool.acquire() as connection:
        if missing := await migrate.pending(connection):
            raise problems.EngineError(
                f"Migrations are missing: {', '.join(missing)}.",
                where="migrations",
                hint="Run `python -m backend migrate`.",
            )


async def _feed_seconds(deps: Deps) -> float:
    """How long the oldest change waits for its number: late is no reason to send people away."""
    async with deps.pool.acquire() as connection:
        return await stored.unstamped_seconds(connection)


async def _valkey(deps: Deps) -> None:
    await deps.valkey.ping()
