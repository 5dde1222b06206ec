"""Which mutations have arrived and what became of them: the memory that makes a repeat harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from domain import values, wire

if TYPE_CHECKING:
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The device's store that a mutation comes from, and who is signed in there."""

    device_id: str
    epoch: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A mutation that had arrived before."""

    content_hash: str
    user_id: str
    result: wire.Result


async def claim(
    connection: Connection, sender: Sender, mutations: Sequence[wire.Mutation]
) -> dict[int, Seen]:
    """Those that had arrived before, by mid. Until this transaction ends no other one of this store goes on here."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 4))", f"{sender.device_id} {sender.epoch}"
    )
    # A statement of its own: it has to see what another request entered while this one waited.
    return await _seen(connection, sender, {mutation.mid for mutation in mutations})


async def _seen(connection: Connection, sender: Sender, mids: set[int]) -> dict[int, Seen]:
    rows = await connection.fetch(
        """SELECT mid, content_hash, user_id, result FROM applied_mutations
           WHERE device_id = $1 AND epoch = $2 AND mid = ANY($3::bigint[])""",
        sender.device_id,
        sender.epoch,
        list(mids),
    )
    return {
        row["mid"]: Seen(
            content_hash=row["content_hash"],
            user_id=row["user_id"],
            result=wire.Result.from_json(row["result"]),
        )
        for row in rows
    }


async def settle(
    connection: Connection, sender: Sender, results: Sequence[wire.Result], hashes: Mapping[int, str]
) -> None:
    """Enter claimed mutations and what became of them, without the rows: a repeat is told the row of that day."""
    if not results:
        return
    await connection.execute(
        """INSERT INTO applied_mutations (device_id, epoch, mid, content_hash, result, user_id)
           SELECT $1, $2, r.mid, r.hash, r.result, $3
           FROM unnest($4::bigint[], $5::text[], $6::jsonb[]) AS r (mid, hash, result)""",
        sender.device_id,
        sender.epoch,
        sender.user_id,
        [result.mid for result in results],
        [hashes[result.mid] for result in results],
        [replace(result, row=None).as_json() for result in results],
    )


async def park(connection: Connection, sender: Sender, mutation: wire.Mutation, result: wire.Result) -> None:
    """Keep what could not be applied, so that support can see it; the device keeps it too.

    `row_id` is for looking up what builds on it, which only the id of a row can: it may be anything else, of any length.
    """
    await connection.execute(
        """INSERT INTO parked_mutations (device_id, epoch, mid, user_id, mutation, code, message, row_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING""",
        sender.device_id,
        sender.epoch,
        mutation.mid,
        sender.user_id,
        json.dumps(mutation.as_json()),
        result.code,
        result.message,
        mutation.row_id.lower() if values.is_id(mutation.row_id) else "",
    )


async def forget(connection: Connection, before: datetime) -> None:
    """No device sends again what was answered so long ago. What is parked stays."""
    await connection.execute("DELETE FROM applied_mutations WHERE at < $1", before)
