"""What GET /metrics and the administrator's pages show: the numbers of every process, the streams, the warehouse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from backend import faults, observe
from backend.storage import monitoring
from backend.stream import entries

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

FRESH_SECONDS = 20
LONGEST_ASK = 2.0
_KEY = "metrics:"


async def tell(deps: Deps) -> None:
    """Put this process's numbers where the others find them; without Valkey they stay here."""
    told = orjson.dumps(deps.watch.families(deps.gauges))
    try:
        async with asyncio.timeout(LONGEST_ASK):
            await deps.valkey.set(f"{deps.channel_prefix}{_KEY}{deps.process}", told, ex=FRESH_SECONDS)
    except faults.FROM_VALKEY as fault:
        logger.debug("telling.no_valkey", extra={"fault": type(fault).__name__})


async def page(deps: Deps) -> bytes:
    """The text for Prometheus."""
    told = await everybody(deps)
    shared = await lag(deps) | await rollup(deps)
    return observe.page(told | {"": observe.of_numbers(shared)})


async def everybody(deps: Deps) -> dict[str, list[observe.Family]]:
    """What each process counted, this one's as of now, the others' of the last seconds."""
    told: dict[str, list[observe.Family]] = {}
    try:
        async with asyncio.timeout(LONGEST_ASK):
            pattern = f"{deps.channel_prefix}{_KEY}*"
            names = [name async for name in deps.valkey.scan_iter(match=pattern, count=500)]
            values = await deps.valkey.mget(names) if names else []
    except faults.FROM_VALKEY as fault:
        logger.debug("observing.no_valkey", extra={"fault": type(fault).__name__})
        names, values = [], []
    for name, value in zip(names, values, strict=True):
        if value is not None:
            told[name.decode().rpartition(_KEY)[2]] = orjson.loads(value)
    return told | {deps.process: deps.watch.families(deps.gauges)}


def numbers(told: Mapping[str, Sequence[observe.Family]], prefix: str) -> dict[str, dict[str, float]]:
    """By process, the plain numbers whose names begin so; a label's value stands behind the name."""
    found: dict[str, dict[str, float]] = {}
    for process, families in told.items():
        for name, kind, _, samples in families:
            if name.startswith(prefix) and kind != "histogram":
                found.setdefault(process, {}).update(
                    {
                        " ".join([sample.removeprefix(prefix), *labels.values()]): value
                        for sample, labels, value in samples
                    }
                )
    return found


async def streams(deps: Deps) -> dict[str, dict[str, Any]]:
    """Each stream: length, and by group what it has not read (lag) and not finished (pending). Raises: RedisError."""
    found: dict[str, dict[str, Any]] = {}
    for name in (*entries.NAMES, entries.DEAD, entries.AUDIT):
        length = await deps.valkey.xlen(name)
        groups = await deps.valkey.xinfo_groups(name) if length or await deps.valkey.exists(name) else []
        found[name] = {"length": length, "groups": [_group(one) for one in groups]}
    return found


async def lag(deps: Deps) -> dict[str, float]:
    numbers: dict[str, float] = {}
    try:
        async with asyncio.timeout(LONGEST_ASK):
            found = await streams(deps)
    except faults.FROM_VALKEY:
        return {"valkey_up": 0}
    for name, stream in found.items():
        short = name.removeprefix(entries.PREFIX)
        numbers[f'stream_length{{stream="{short}"}}'] = stream["length"]
        for group in stream["groups"]:
            labels = f'{{stream="{short}",group="{group["name"]}"}}'
            numbers["stream_pending" + labels] = group["pending"]
            if group["lag"] is not None:
                numbers["stream_lag" + labels] = group["lag"]
    return numbers | {"valkey_up": 1}


async def rollup(deps: Deps) -> dict[str, float]:
    """Facts for each row of the hourly aggregates, as PostgreSQL estimates them; below ten they are of little use."""
    try:
        async with asyncio.timeout(LONGEST_ASK), deps.pool.acquire() as connection:
            found = await monitoring.sizes(connection)
    except faults.NO_DATABASE:
        return {"database_up": 0}
    ratio = {"rollup_ratio": found.facts / found.hours} if found.hours else {}
    return ratio | {"warehouse_facts": found.facts, "warehouse_hours": found.hours, "database_up": 1}


def _group(said: Mapping[Any, Any]) -> dict[str, Any]:
    plain = {
        key.decode() if isinstance(key, bytes) else key: value.decode() if isinstance(value, bytes) else value
        for key, value in said.items()
    }
    return {name: plain.get(name) for name in ("name", "consumers", "pending", "lag", "last-delivered-id")}
