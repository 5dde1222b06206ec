"""Which mutations have arrived and what became of them: the memory that makes a repeat harmless."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain import wire

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
    """Enter `mutations` as arrived, in this transaction; those that had arrived before, by mid.

    Waits for another request that is entering the same one at this moment.
    """
    mids = [mutation.mid for mutation in mutations]
    new = await connection.fetch(
        """INSERT INTO applied_mutations (device_id, epoch, mid, content_hash, result, user_id)
           SELECT $1, $2, m.mid, m.hash, '{}', $3 FROM unnest($4::bigint[], $5::text[]) AS m (mid, hash)
           ORDER BY m.mid ON CONFLICT DO NOTHING RETURNING mid""",
        sender.device_id,
        sender.epoch,
        sender.user_id,
        mids,
        [mutation.content_hash() for mutation in mutations],
    )
    old = set(mids) - {row["mid"] for row in new}
    return await _seen(connection, sender, old) if old else {}


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


async def settle(connection: Connection, sender: Sender, results: Sequence[wire.Result]) -> None:
    """Keep what became of claimed mutations, without the rows: a repeat is told the row of that day."""
    if not results:
        return
    await connection.execute(
        """UPDATE applied_mutations a SET result = r.result
           FROM unnest($3::bigint[], $4::jsonb[]) AS r (mid, result)
           WHERE a.device_id = $1 AND a.epoch = $2 AND a.mid = r.mid""",
        sender.device_id,
        sender.epoch,
        [result.mid for result in results],
        [{**result.as_json(), "row": None} for result in results],
    )


async def park(connection: Connection, sender: Sender, mutation: wire.Mutation, result: wire.Result) -> None:
    """Keep what could not be applied, so that support can see it; the device keeps it too."""
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
        mutation.row_id.lower().replace("\x00", ""),
    )


async def forget(connection: Connection, before: datetime) -> None:
    """No device sends again what was answered so long ago. What is parked stays."""
    await connection.execute("DELETE FROM applied_mutations WHERE at < $1", before)
