"""The last figures that the server sent, stamped, for a screen without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import values
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTile:
    """One tile as the server said it; `as_of` is the server's."""

    location_id: str
    timeframe: str
    name: str
    tile: Mapping[str, Any] = field(hash=False)
    as_of: datetime


def save(
    tx: database.Transaction,
    *,
    location_id: str,
    timeframe: str,
    tiles: Mapping[str, Mapping[str, Any]],
    as_of: datetime,
) -> None:
    """Older figures never replace newer ones."""
    at = values.time_text(as_of)
    tx.executemany(
        "INSERT INTO kpi_tiles (location_id, timeframe, name, tile, as_of) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (location_id, timeframe, name) DO UPDATE SET tile = excluded.tile, as_of = excluded.as_of"
        " WHERE excluded.as_of >= kpi_tiles.as_of",
        [(location_id, timeframe, name, rows.dumps(tile), at) for name, tile in tiles.items()],
    )
    tx.touch("kpi_tiles")


def listed(reads: database.Reads, *, location_id: str, timeframe: str) -> dict[str, StoredTile]:
    """By name; empty = the server has sent none yet."""
    found = reads.rows(
        "SELECT * FROM kpi_tiles WHERE location_id = ? AND timeframe = ? ORDER BY name",
        (location_id, timeframe),
    )
    return {
        row["name"]: StoredTile(
            location_id=row["location_id"],
            timeframe=row["timeframe"],
            name=row["name"],
            tile=json.loads(row["tile"]),
            as_of=values.parse_time(row["as_of"]),
        )
        for row in found
    }
