"""Rows that belong to a lead, and leads that may be the same person."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from backend.storage import rows
from domain import tables

if TYPE_CHECKING:
    from backend.storage.pool import Connection

EARLIER = "No contact: said before about this number or e-mail"
"""The words of an opt-out that was said in another office, or about a lead that is not there any more."""
CHILDREN = tuple(table for table in tables.ALL if "lead_id" in table.by_name)
"""Tables whose rows belong to a lead, in the order of locking."""


async def children(connection: Connection, lead_id: str) -> list[rows.Stored]:
    """All rows of this lead, deleted ones too, locked."""
    found: list[rows.Stored] = []
    for table in CHILDREN:
        found += await rows.where(connection, table, "lead_id = $1 ORDER BY id FOR UPDATE", lead_id)
    return found


async def same_contact(connection: Connection, ways: Collection[str]) -> list[rows.Stored]:
    """Leads of every location, deleted ones too, with one of these numbers or e-mails (`duplicates.ways`), locked.

    Two transactions that ask wait for each other here, so that the second one sees what the first one wrote.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('contacts', 5))")
    return await rows.where(
        connection,
        tables.LEADS,
        """(phone IS NOT NULL OR email IS NOT NULL) AND contact_ways(phone, email) && $1::text[]
           ORDER BY id FOR UPDATE""",
        list(ways),
    )


async def opted_out(connection: Connection, ways: Collection[str]) -> set[str]:
    """Those of `ways` that are remembered: somebody said no for them once."""
    found = await connection.fetch("SELECT way FROM opt_outs WHERE way = ANY($1::text[])", list(ways))
    return {row["way"] for row in found}


async def remember_opt_outs(connection: Connection, ways: Collection[str]) -> None:
    await connection.execute(
        "INSERT INTO opt_outs (way) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", sorted(ways)
    )


async def opt_out_imported(connection: Connection) -> None:
    """As the server's spreading (contact_safety.py), of the leads in `import_rows`: a number that said no is out, in every lead."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('contacts', 5))")
    await connection.execute(
        """INSERT INTO opt_outs (way)
           SELECT DISTINCT w FROM import_rows i, unnest(contact_ways(i.phone, i.email)) AS w WHERE i.opted_out
           ON CONFLICT DO NOTHING"""
    )
    found = await connection.fetch(
        """SELECT DISTINCT way FROM import_rows i, unnest(contact_ways(i.phone, i.email)) AS w
           JOIN opt_outs ON way = w"""
    )
    news = {row["way"] for row in found}
    known: set[str] = set()
    while news:
        known |= news
        taken_out = await connection.fetch(
            """UPDATE leads SET opted_out = true, opted_out_at = now(), opted_out_words = $2
               WHERE opted_out IS NOT TRUE AND (phone IS NOT NULL OR email IS NOT NULL)
               AND contact_ways(phone, email) && $1::text[] RETURNING contact_ways(phone, email) AS ways""",
            list(news),
            EARLIER,
        )
        news = {way for row in taken_out for way in row["ways"]} - known
        await remember_opt_outs(connection, news)


async def pairs(connection: Connection, lead_ids: Collection[str]) -> set[tuple[str, str]]:
    """(older, newer) of the duplicates that were recorded about these leads, settled or not."""
    found = await connection.fetch(
        "SELECT lead_id, row_id FROM conflicts WHERE lead_id = ANY($1::uuid[]) AND unit = 'duplicate'",
        list(lead_ids),
    )
    return {(row["lead_id"], row["row_id"]) for row in found}
