"""Sums of row hashes, worked out by PostgreSQL as domain/digests.py does in Python: is a replica equal to this?

No sum is kept between requests: a change that is committed but not numbered yet would make it stale, and a sum over
20,000 rows costs PostgreSQL about as much as reading a page of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from domain import tables

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_ALL = 1 << 64
# The first 64 bits of MD5 as a signed number; sum() over bigint is numeric, and signs vanish in the remainder.
_HASH = "sum(('x' || left(md5(id::text || ':' || _ver), 16))::bit(64)::bigint)"


async def sums(connection: Connection, scopes: Collection[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Location → table → (rows, sum over `id:ver`); tables without rows left out."""
    parts = " UNION ALL ".join(
        f"SELECT location_id, '{table.name}' AS tbl, count(*) AS n, {_HASH} AS total FROM {table.name}"  # noqa: S608
        " WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL GROUP BY location_id"
        for table in tables.ALL
    )
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in await connection.fetch(parts, list(scopes)):
        found.setdefault(row["location_id"], {})[row["tbl"]] = (row["n"], int(row["total"]) % _ALL)
    return found


async def range_sums(connection: Connection, table: tables.Table, scope: str) -> dict[int, tuple[int, int]]:
    """The same of one location's table, by the last two hex digits of the id."""
    found = await connection.fetch(
        f"SELECT right(id::text, 2) AS part, count(*) AS n, {_HASH} AS total FROM {table.name}"  # noqa: S608
        " WHERE location_id = $1 AND _deleted_at IS NULL GROUP BY 1",
        scope,
    )
    return {int(row["part"], 16): (row["n"], int(row["total"]) % _ALL) for row in found}
