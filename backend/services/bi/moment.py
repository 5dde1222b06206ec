"""This moment: the sliding windows as the processor keeps them, and the command to bring everything up to now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson

from backend import faults
from backend.actor import Actor
from backend.metrics import FIGURES
from backend.policy import Permission
from backend.services.bi import question
from backend.storage.warehouse import facts, newest, views
from backend.storage.warehouse import windows as warehouse
from backend.stream import keeping
from backend.stream.windows import merging
from backend.stream.windows.spans import BY_WORD, SPANS
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

STALE = timedelta(seconds=15)
"""The processor says each second that it lives; after so long it does not."""
LONGEST_ASK = 1.0
_SEVERAL = "a lead that two of your locations know counts in both"
_AWAY = "the live windows are away: 24 hours as of the last refresh"
_CATCHING_UP = "events are still being read: the figures are on their way up"


async def real_time(deps: Deps, actor: Actor, location_id: str) -> dict[str, Any]:
    """The windows of one location, or of all that may be seen, as one. Raises: ForbiddenError."""
    scope, offices = await question.whose(deps, actor, location_id, Permission.SEE_KPIS)
    asked = question.Question(scope=scope, offices=offices)
    now = deps.clock.now()
    held = await _held(deps, scope.places, now)
    if held is None:
        return await _from_views(deps, asked, now)
    meta, rows = held
    complete = bool(meta["complete"])
    notes = [_CATCHING_UP] if not complete else []
    notes += [_SEVERAL] if len(scope.places) > 1 else []
    return {
        "windows": {span.name: _window(asked, rows[span.name]) for span in SPANS},
        "locations": [office.id for office in offices],
        "complete": complete,
        "as_of": meta["as_of"],
        "watermark": meta["watermark"],
        "source": "windows",
        "last_updated": meta["as_of"],
        "note": "; ".join(notes) or None,
        "cache_hit": False,
    }


async def aggregate(deps: Deps, actor: Actor, window: str) -> dict[str, Any]:
    """Refresh the views that hold the window, and have its rows told again; `watermark` is of the actor's locations.

    Raises: InputError, EngineError.
    """
    span = BY_WORD.get(window)
    if span is None:
        raise errors.InputError(
            f"{window!r:.20} is no window.", where="window", hint=f"One of {', '.join(BY_WORD)}."
        )
    wanted = views.VIEWS if window == "24hr" else views.VIEWS[:1]
    scope, _ = await question.whose(deps, actor, None, Permission.AGGREGATE)
    async with question.opened(deps, scope) as connection:  # what is stored now is in the views then
        reach = await newest.event(connection, scope, deps.clock.now())
    took = await _refreshed(deps, wanted)
    now = deps.clock.now()
    return {
        "window": window,
        "refreshed_ms": dict(took),
        "busy": [view for view in wanted if view not in took],
        "told_again": await _flush(deps, span.name),
        **question.stamps(now, reach, "views"),
        "cache_hit": False,
    }


async def _held(
    deps: Deps, places: Sequence[int], now: datetime
) -> tuple[Mapping[str, Any], Mapping[str, list[merging.Kept]]] | None:
    """What the processor says of itself, and its rows of these location keys by window; None without one that lives."""
    fields = [f"{place}:{span.name}" for span in SPANS for place in places]
    try:
        async with asyncio.timeout(LONGEST_ASK):
            said, *found = await deps.valkey.hmget(keeping.LATEST, [keeping.META, *fields])
    except faults.FROM_VALKEY as fault:
        logger.warning("moment.no_valkey", extra={"fault": type(fault).__name__})
        return None
    if said is None:
        return None
    meta: dict[str, Any] = orjson.loads(said)
    if now - datetime.fromisoformat(meta["as_of"]) > STALE:
        return None
    rows: dict[str, list[merging.Kept]] = {span.name: [] for span in SPANS}
    for field, one in zip(fields, found, strict=True):
        if one is not None:
            rows[field.partition(":")[2]].append(orjson.loads(one))
    return meta, rows


def _window(asked: question.Question, rows: Sequence[merging.Kept]) -> dict[str, Any]:
    values, bots = merging.together(rows), merging.bots(rows)
    if len(rows) == 1:
        values, bots = values | rows[0]["values"], rows[0]["bots"]
    shown: dict[str, Any] = {
        "values": {name: value for name, value in values.items() if asked.sees(_permission(name))}
    }
    if asked.sees(Permission.SEE_BOTS):
        shown["bots"] = bots
    return shown


def _permission(name: str) -> Permission:
    figure = FIGURES.get(name.removesuffix("_p50"))
    return figure.permission if figure else Permission.SEE_KPIS


async def _from_views(deps: Deps, asked: question.Question, now: datetime) -> dict[str, Any]:
    """What the database has of the last day, for when nobody keeps the windows."""
    async with question.opened(deps, asked.scope) as connection:
        rows = await warehouse.last_day(connection, asked.scope.places)
        as_of = min((row["as_of"] for row in rows), default=now)
        reach = await newest.event(connection, asked.scope, as_of)
    return {
        "windows": {span.name: None for span in SPANS[:-1]} | {SPANS[-1].name: _of_views(asked, rows)},
        "locations": [office.id for office in asked.offices],
        "complete": False,
        **question.stamps(as_of, reach, "views"),
        "note": _AWAY if rows else f"{_AWAY}; there is nothing in it",
        "cache_hit": False,
    }


def _of_views(asked: question.Question, rows: Sequence[asyncpg.Record]) -> dict[str, Any] | None:
    if not rows:
        return None
    names = ("interactions", "leads", "bot_events", "scored", "conversations", "qualified")
    values: dict[str, float | None] = {name: sum(row[name] for row in rows) for name in names}
    one = rows[0] if len(rows) == 1 else None  # quantiles of several can't be had from quantiles
    for name, column in (("ml_response", "scored_p95_us"), ("ml_response_p50", "scored_p50_us")):
        us = one[column] if one else None
        values[name] = None if us is None else us / 1000
    return {"values": {name: value for name, value in values.items() if asked.sees(_permission(name))}}


async def _refreshed(deps: Deps, wanted: Sequence[str]) -> Mapping[str, float]:
    """On a connection of its own: a refresh may take longer than the pool allows a statement."""
    try:
        connection = await facts.connect(deps.database_url)
    except (OSError, asyncpg.PostgresError) as fault:
        raise errors.EngineError(
            "The database does not answer.", where="DATABASE_URL", hint="Try again in a moment."
        ) from fault
    try:
        return await views.refresh(connection, wanted)
    finally:
        await connection.close()


async def _flush(deps: Deps, span: str) -> bool:
    """Was the wish taken? The processor fulfils it within a second."""
    try:
        async with asyncio.timeout(LONGEST_ASK):
            await deps.valkey.sadd(keeping.FLUSH, span)
    except faults.FROM_VALKEY:
        return False
    return True
