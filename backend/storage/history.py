"""What a merge has to know of the past: grants that ended, locations that a row left, leads that were merged, what is parked."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain import errors, wire

if TYPE_CHECKING:
    from backend.storage.mutations import Sender
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A location, from when until when (Unix ms): granted to a person, or a row's."""

    scope: str
    from_ms: int
    until_ms: int


async def past_grants(connection: Connection, user_id: str) -> list[Span]:
    """Locations that this person was granted once, and that were taken away again."""
    found = await connection.fetch(
        """SELECT location_id, floor(extract(epoch FROM granted_at) * 1000)::bigint AS since,
                  floor(extract(epoch FROM revoked_at) * 1000)::bigint AS until
           FROM scope_grants WHERE user_id = $1 AND revoked_at IS NOT NULL ORDER BY revoked_at""",
        user_id,
    )
    return [Span(scope=row["location_id"], from_ms=row["since"], until_ms=row["until"]) for row in found]


async def past_scopes(connection: Connection, table: str, row_id: str) -> list[Span]:
    """Where the row was before, the oldest first."""
    found = await connection.fetch(
        """SELECT location_id, floor(extract(epoch FROM left_at) * 1000)::bigint AS until
           FROM row_moves WHERE row_id = $1 AND tbl = $2 ORDER BY left_at""",
        row_id,
        table,
    )
    spans: list[Span] = []
    for row in found:
        since = spans[-1].until_ms if spans else 0
        spans.append(Span(scope=row["location_id"], from_ms=since, until_ms=row["until"]))
    return spans


async def aliases(connection: Connection, row_ids: Collection[str]) -> dict[str, str]:
    """Of these ids: those of merged leads, and which lead they are now."""
    found = await connection.fetch(
        "SELECT old_id, new_id FROM row_alias WHERE old_id = ANY($1::uuid[])", list(row_ids)
    )
    return {row["old_id"]: row["new_id"] for row in found}


async def add_alias(connection: Connection, old_id: str, new_id: str) -> None:
    """What was merged into `old_id` before follows: an alias never leads to another one."""
    await connection.execute("UPDATE row_alias SET new_id = $2 WHERE new_id = $1", old_id, new_id)
    await connection.execute("INSERT INTO row_alias (old_id, new_id) VALUES ($1, $2)", old_id, new_id)


async def parked(connection: Connection, sender: Sender, row_id: str) -> Sequence[wire.Mutation]:
    """This store's changes of the row that could not be applied, the oldest first."""
    found = await connection.fetch(
        """SELECT mutation FROM parked_mutations WHERE device_id = $1 AND epoch = $2 AND row_id = $3
           ORDER BY mid DESC LIMIT 100""",
        sender.device_id,
        sender.epoch,
        row_id,
    )
    return [mutation for row in reversed(found) if (mutation := _read(row["mutation"]))]


def _read(text: str) -> wire.Mutation | None:
    try:
        return wire.Mutation.from_json(json.loads(text))
    except errors.InputError:
        return None
