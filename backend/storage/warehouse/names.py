"""Names for ids that an answer holds. The warehouse has none: they are read where they are kept, row by row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.pool import Connection


async def of_agents(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    rows = await connection.fetch("SELECT id, name FROM users WHERE id = ANY($1::uuid[])", list(ids))
    return {row["id"]: row["name"] for row in rows}


async def of_leads(
    connection: Connection, ids: Collection[str], location_ids: Collection[str]
) -> Mapping[str, str]:
    """Only of leads that lie in these locations now."""
    rows = await connection.fetch(
        "SELECT id, name FROM leads WHERE id = ANY($1::uuid[]) AND location_id = ANY($2::uuid[])"
        " AND _deleted_at IS NULL",
        list(ids),
        list(location_ids),
    )
    return {row["id"]: row["name"] for row in rows}


async def of_bots(connection: Connection) -> Mapping[int, tuple[str, str]]:
    """bot_key → (bot_id, name)."""
    rows = await connection.fetch("SELECT bot_key, bot_id, name FROM dim_bot WHERE bot_key >= 0")
    return {row["bot_key"]: (row["bot_id"], row["name"]) for row in rows}
