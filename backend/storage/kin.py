"""Rows that belong to a lead, and leads that may be the same person."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from backend.storage import rows
from domain import tables

if TYPE_CHECKING:
    from backend.storage.pool import Connection

CHILDREN = tuple(table for table in tables.ALL if "lead_id" in table.by_name)
"""Tables whose rows belong to a lead, in the order of locking."""


async def children(connection: Connection, lead_id: str) -> list[rows.Stored]:
    """All rows of this lead, deleted ones too, locked."""
    found: list[rows.Stored] = []
    for table in CHILDREN:
        found += await rows.where(connection, table, "lead_id = $1 ORDER BY id FOR UPDATE", lead_id)
    return found


async def same_contact(
    connection: Connection, scope: str, *, digits: Collection[str], emails: Collection[str]
) -> list[rows.Stored]:
    """Leads of the location, deleted ones too, with one of these numbers (their last ten digits) or e-mails (in small letters), locked.

    Two transactions that add the same number wait for each other here, so that the second one sees the first.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 5))", f"contacts {scope}")
    return await rows.where(
        connection,
        tables.LEADS,
        """id IN (
               SELECT id FROM leads WHERE location_id = $1 AND phone_digits(phone) = ANY($2::text[])
               UNION SELECT id FROM leads WHERE location_id = $1 AND lower(email) = ANY($3::text[]))
           AND location_id = $1 ORDER BY id FOR UPDATE""",
        scope,
        list(digits),
        list(emails),
    )


async def pairs(connection: Connection, lead_ids: Collection[str]) -> set[tuple[str, str]]:
    """(older, newer) of the duplicates that were recorded about these leads, settled or not."""
    found = await connection.fetch(
        "SELECT lead_id, row_id FROM conflicts WHERE lead_id = ANY($1::uuid[]) AND unit = 'duplicate'",
        list(lead_ids),
    )
    return {(row["lead_id"], row["row_id"]) for row in found}
