"""The locations the warehouse knows, with their zones: what a person's scope and an office's days are made from."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from backend.storage.warehouse.scope import Scope

if TYPE_CHECKING:
    from backend.storage.pool import Connection

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A location as the warehouse knows it."""

    key: int
    id: str
    name: str
    zone: ZoneInfo


async def seen(
    connection: Connection, location_ids: Collection[str], *, role_mask: int = 0
) -> tuple[Scope, tuple[Office, ...]]:
    """The scope of these locations, and the offices in it by key; those the warehouse does not know (yet) have no facts."""
    rows = await connection.fetch(
        "SELECT location_key, location_id, name, zone FROM dim_location"
        " WHERE location_id IS NOT NULL ORDER BY location_key"
    )
    offices = tuple(
        Office(key=row["location_key"], id=row["location_id"], name=row["name"], zone=zone_of(row["zone"]))
        for row in rows
        if row["location_id"] in location_ids
    )
    keys = tuple(office.key for office in offices)
    return Scope(keys=keys, whole=bool(keys) and len(keys) == len(rows), role_mask=role_mask), offices


@cache
def zone_of(name: str) -> ZoneInfo:
    """UTC for a name that nobody knows, and the log says so once."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, a folder, no name at all
        logger.warning("warehouse.unknown_zone", extra={"zone": name})
        return ZoneInfo("UTC")
