"""Routes that tell how sync is doing: for one's own device, for managers, and for machines that watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from backend.actor import Role
from backend.api.deps import CurrentUser, Parts, require
from backend.deps import Deps
from backend.observe_texts import PREFIX, TEXTS
from backend.services import devices
from backend.storage import devices as stored
from backend.storage import feed
from backend.stream import sequencer
from domain import values, wire

router = APIRouter(tags=["sync"])

DeviceId = Annotated[str, Header(alias=wire.DEVICE_HEADER, max_length=100)]


@router.get("/api/sync/status")
async def status(deps: Parts, actor: CurrentUser, device_id: DeviceId = "") -> Mapping[str, Any]:
    """The feed, and how the asking device stands to it (null without its header, or before its first pull)."""
    async with deps.pool.acquire() as connection:
        head = await feed.head(connection)
        waiting = await feed.unstamped_seconds(connection)
    mine = await devices.mine(deps, devices.Caller(actor=actor, device_id=device_id, schema=wire.SCHEMA))
    return {
        "seq": head.seq,
        "floor": head.floor,
        "incarnation": head.incarnation,
        "unstamped_seconds": round(waiting, 3),
        "sockets": deps.hub.count(sequencer.CHANNEL),
        "schema": wire.SCHEMA,
        "device": _shown(mine) if mine else None,
    }


@router.get("/api/sync/devices")
async def all_devices(deps: Parts, actor: CurrentUser) -> Mapping[str, Any]:
    """For managers and admins: the devices of the people in their locations, the furthest behind first."""
    return {"devices": [_shown(one) for one in await devices.of_others(deps, actor)]}


@router.get("/api/metrics", dependencies=[Depends(require(Role.ADMIN))])
async def metrics(deps: Parts) -> Response:
    """Numbers for Prometheus, in its text format."""
    lines = [
        f"# HELP {PREFIX}{name} {TEXTS[PREFIX + name]}\n# TYPE {PREFIX}{name} gauge\n{PREFIX}{name} {value}\n"
        for name, value in (await _gauges(deps)).items()
    ]
    return Response("".join(lines), media_type="text/plain; version=0.0.4")


async def _gauges(deps: Deps) -> Mapping[str, float]:
    await devices.written(deps)
    async with deps.pool.acquire() as connection:
        head = await feed.head(connection)
        waiting = await feed.unstamped_seconds(connection)
        some = await stored.count(connection, deps.clock.now() - devices.LATELY)
    return {
        "feed_head": head.seq,
        "feed_floor": head.floor,
        "feed_unstamped_seconds": round(waiting, 3),
        "sync_sockets": deps.hub.count(sequencer.CHANNEL),
        "first_syncs_running": deps.loads.inside,
        "first_syncs_waiting": deps.loads.standing,
        "devices_seen_last_day": some.seen,
        "devices_with_unsent_work": some.waiting,
        "devices_with_parked_work": some.parked,
        "devices_loading": some.loading,
    }


def _shown(device: stored.Device) -> Mapping[str, Any]:
    return {
        name: values.time_text(value) if isinstance(value, datetime) else value
        for name, value in asdict(device).items()
    }
