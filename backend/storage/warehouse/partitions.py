"""Months of the facts: made ahead, made when an event needs one, detached and dropped when they are too old."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import asyncpg

from backend.storage.pool import Connection

logger = logging.getLogger(__name__)

AHEAD = 3
LOCK_TIMEOUT_MS = 2_000
_OWNER = "SELECT set_config('role', 'none', true), set_config('lock_timeout', $1, true)"
_PARTITIONS = """
SELECT p.relname AS parent, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
 WHERE p.relname = ANY (bi_partitioned())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """`month` is None for the default one, which holds what has no month of its own."""

    parent: str
    name: str
    month: date | None


def month_of(moment: datetime | date, *, plus: int = 0) -> date:
    """The first day of its month, or of one so many months later (earlier: negative)."""
    count = moment.year * 12 + moment.month - 1 + plus
    return date(count // 12, count % 12 + 1, 1)


def start(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def name_of(parent: str, month: date) -> str:
    """Of a fact's month, as bi_make_partition names it."""
    return f"{parent}_{month:%Y_%m}"


async def there(connection: Connection) -> Sequence[Partition]:
    rows = await connection.fetch(_PARTITIONS)
    return [Partition(parent=row["parent"], name=row["name"], month=_month(row["bound"])) for row in rows]


def _month(bound: str) -> date | None:
    """Of "FOR VALUES FROM ('2026-11-01 00:00:00+00') TO …" as a connection in UTC gets it."""
    return date.fromisoformat(bound.split("'")[1][:10]) if "'" in bound else None


async def complete(connection: Connection) -> set[date]:
    """Months for which every fact has its partition."""
    facts: dict[date, int] = {}
    parents = set()
    for partition in await there(connection):
        parents.add(partition.parent)
        if partition.month:
            facts[partition.month] = facts.get(partition.month, 0) + 1
    return {month for month, count in facts.items() if count == len(parents)}


async def make(connection: Connection, months: Iterable[date]) -> int:
    """Those of these months that are missing, each in a transaction of its own; how many partitions were made.

    As the owner of the tables, whatever role the connection has. Rows of these months that lay in the default partition move.
    """
    made = 0
    parents: list[str] = await connection.fetchval("SELECT bi_partitioned()")
    for month in sorted(months):
        for parent in parents:
            async with connection.transaction():
                await connection.execute(_OWNER, "0")
                made += await connection.fetchval("SELECT bi_make_partition($1, $2)", parent, month)
    if made:
        logger.info("warehouse.partitions", extra={"made": made})
    return made


async def make_ahead(connection: Connection, now: datetime) -> int:
    wanted = {month_of(now, plus=n) for n in range(AHEAD + 1)}
    return await make(connection, wanted - await complete(connection))


async def strays(connection: Connection) -> dict[str, int]:
    """Rows in default partitions, by fact: there should be none; making their months moves them."""
    found = {}
    for partition in await there(connection):
        if partition.month is None:
            async with connection.transaction():
                await connection.execute(_OWNER, "0")
                found[partition.parent] = await connection.fetchval(
                    f'SELECT count(*) FROM "{partition.name}"'  # noqa: S608 - fixed words
                )
    return {parent: count for parent, count in found.items() if count}


async def rescue(connection: Connection) -> int:
    """Give rows in default partitions their months; how many partitions that made."""
    made = 0
    for parent in await strays(connection):
        async with connection.transaction():
            await connection.execute(_OWNER, "0")
            months = await connection.fetch(
                f"SELECT DISTINCT date_trunc('month', occurred_at, 'UTC')::date FROM \"{parent}_default\""  # noqa: S608 - fixed words
            )
        made += await make(connection, [row[0] for row in months])
    return made


async def drop_old(
    connection: Connection, now: datetime, *, months_kept: int, patience_ms: int = LOCK_TIMEOUT_MS
) -> Sequence[str]:
    """Detach and drop what is older; the names of those dropped. Aggregates and the ledger's states stay.

    DETACH … CONCURRENTLY is not to be had beside a default partition: so this waits `patience_ms` at most for the moment
    that it needs the table alone, and leaves what it did not get for the next time.
    """
    first = month_of(now, plus=-months_kept)
    old = [p for p in await there(connection) if p.month is not None and p.month < first]
    dropped = []
    for partition in sorted(old, key=lambda p: p.name):
        try:
            await _drop(connection, partition, first, patience_ms)
        except asyncpg.LockNotAvailableError:
            logger.info("warehouse.partition_busy", extra={"partition": partition.name})
            continue
        dropped.append(partition.name)
        logger.info("warehouse.partition_dropped", extra={"partition": partition.name})
    if dropped:
        await _forget_conversations(connection, start(first))
    return dropped


async def _drop(connection: Connection, partition: Partition, first: date, patience_ms: int) -> None:
    async with connection.transaction():
        await connection.execute(_OWNER, str(patience_ms))
        await connection.execute("UPDATE bi_retention SET kept_from = greatest(kept_from, $1)", start(first))
        await connection.execute(f'ALTER TABLE "{partition.parent}" DETACH PARTITION "{partition.name}"')
        await connection.execute(f'DROP TABLE "{partition.name}"')


async def _forget_conversations(connection: Connection, before: datetime) -> None:
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('role', 'jorge_etl', true), set_config('bi.forgetting', 'on', true)"
        )
        await connection.execute("DELETE FROM fact_bot_conversations WHERE last_at < $1", before)
