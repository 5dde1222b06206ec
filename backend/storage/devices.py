"""How each device's store is doing: what it last said of itself, and how far it has read the feed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


MOST_OF_ONE_PERSON = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one request told of a device; None = it told nothing of that."""

    user_id: str
    device: str
    at: datetime
    schema: int
    pushed: bool = False
    pulled: bool = False
    seq: int | None = None
    loading: bool | None = None
    pending: int | None = None
    parked: int | None = None
    oldest_at: datetime | None = None
    error: str | None = None

    @property
    def through(self) -> bool:
        """Nothing stands in its way: its changes were taken, or it pulled and has none."""
        return self.pushed or (self.pulled and not self.pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Devices are listed that were seen since then: any; with work that waits there; that never pulled."""

    any: datetime
    working: datetime
    new: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """`device`: its short name (origins.store_of). `behind`: changes in the feed since the place it has read to.

    `error`: what it was refused with, until it got through again. Who never pulled is not behind.
    """

    user_id: str
    name: str
    device: str
    schema: int
    first_seen: datetime
    last_seen: datetime
    last_push: datetime | None
    last_pull: datetime | None
    seq: int | None
    behind: int
    loading: bool
    pending: int
    parked: int
    oldest_at: datetime | None
    error: str | None
    error_at: datetime | None


def both(earlier: Report, later: Report) -> Report:
    """Two reports of one device as one."""
    told = {
        name: value
        for name in ("seq", "loading", "pending", "parked", "oldest_at")
        if (value := getattr(later, name)) is not None
    }
    if later.pending is not None:
        told["oldest_at"] = later.oldest_at
    return replace(
        earlier,
        at=later.at,
        schema=later.schema,
        pushed=earlier.pushed or later.pushed,
        pulled=earlier.pulled or later.pulled,
        error=later.error or (None if later.through else earlier.error),
        **told,
    )


async def note(connection: Connection, reports: Sequence[Report]) -> None:
    """In one order everywhere, so that two writers can't entangle."""
    some = sorted(reports, key=lambda report: (report.user_id, report.device))
    await connection.executemany(
        """INSERT INTO devices AS d (user_id, device, schema, first_seen, last_seen, last_push, last_pull, seq,
                                     loading, pending, parked, oldest_at, error, error_at)
           VALUES ($1, $2, $3, $4::timestamptz, $4, CASE WHEN $5::bool THEN $4 END, CASE WHEN $6::bool THEN $4 END, $7,
                   coalesce($8::bool, false), coalesce($9::int, 0), coalesce($10::int, 0), $11, $12::text,
                   CASE WHEN $12 IS NOT NULL THEN $4 END)
           ON CONFLICT (user_id, device) DO UPDATE SET
               schema = excluded.schema, last_seen = excluded.last_seen,
               last_push = coalesce(excluded.last_push, d.last_push),
               last_pull = coalesce(excluded.last_pull, d.last_pull),
               seq = coalesce(excluded.seq, d.seq), loading = coalesce($8, d.loading),
               pending = coalesce($9, d.pending), parked = coalesce($10, d.parked),
               oldest_at = CASE WHEN $9 IS NULL THEN d.oldest_at ELSE excluded.oldest_at END,
               error = CASE WHEN $12 IS NOT NULL OR NOT $13::bool THEN coalesce($12, d.error) END,
               error_at = CASE WHEN $12 IS NOT NULL OR NOT $13::bool THEN coalesce(excluded.error_at, d.error_at) END""",
        [_told(report) for report in some],
    )


def _told(report: Report) -> tuple[object, ...]:
    return (
        report.user_id,
        report.device,
        report.schema,
        report.at,
        report.pushed,
        report.pulled,
        report.seq,
        report.loading,
        report.pending,
        report.parked,
        report.oldest_at,
        report.error,
        report.through,
    )


async def get(connection: Connection, user_id: str, device: str) -> Device | None:
    row = await connection.fetchrow(_SELECT + " WHERE d.user_id = $1 AND d.device = $2", user_id, device)
    return _device(row) if row else None


async def of_people_in(
    connection: Connection, locations: Collection[str], user_id: str, *, since: Since, limit: int
) -> list[Device]:
    """Devices of whoever was granted one of these locations, and one's own; the furthest behind first."""
    found = await connection.fetch(
        _SELECT  # noqa: S608 - nothing from outside is in it
        + """ WHERE (d.user_id = $2 OR EXISTS (SELECT 1 FROM user_locations g
                  WHERE g.user_id = d.user_id AND g.location_id = ANY($1::uuid[])))
              AND d.last_seen >= CASE WHEN d.last_pull IS NULL THEN $6::timestamptz
                  WHEN d.pending > 0 OR d.parked > 0 THEN $5::timestamptz ELSE $4::timestamptz END
              ORDER BY behind DESC, d.pending DESC, d.last_seen, d.device LIMIT $3""",
        list(locations),
        user_id,
        limit,
        since.any,
        since.working,
        since.new,
    )
    return [_device(row) for row in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Devices seen in the last day: all, those with unsent work, those with parked work, those that load."""

    seen: int
    waiting: int
    parked: int
    loading: int


async def count(connection: Connection, since: datetime) -> Count:
    row = await connection.fetchrow(
        """SELECT count(*) AS seen, count(*) FILTER (WHERE pending > 0) AS waiting,
                  count(*) FILTER (WHERE parked > 0) AS parked, count(*) FILTER (WHERE loading) AS loading
             FROM devices WHERE last_seen >= $1""",
        since,
    )
    assert row is not None
    return Count(**row)


async def forget(connection: Connection, before: datetime) -> None:
    """Those not seen since, and of each person all but the last hundred: an id is whatever a client says."""
    await connection.execute("DELETE FROM devices WHERE last_seen < $1", before)
    await connection.execute(
        """DELETE FROM devices d USING (
               SELECT user_id, device, row_number() OVER (PARTITION BY user_id ORDER BY last_seen DESC, device) AS n
               FROM devices) AS each
           WHERE d.user_id = each.user_id AND d.device = each.device AND each.n > $1""",
        MOST_OF_ONE_PERSON,
    )


_SELECT = """SELECT d.*, u.name, greatest(s.head - coalesce(d.seq, s.head), 0) AS behind
               FROM devices d JOIN users u ON u.id = d.user_id CROSS JOIN feed_state s"""


def _device(row: asyncpg.Record) -> Device:
    return Device(**row)
