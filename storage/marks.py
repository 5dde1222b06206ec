"""Which rows carry work that the server has not confirmed, and which wait for a person."""

from __future__ import annotations

from dataclasses import dataclass

from storage import database


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Row ids of one table, by what is the matter with them."""

    waiting: frozenset[str]
    sending: frozenset[str]
    parked: frozenset[str]
    disputed: frozenset[str]


def of_table(reads: database.Reads, table: str) -> Marks:
    """Unsent, in flight, parked, and in an open conflict."""
    lines = reads.rows(
        "SELECT DISTINCT row_id, state FROM outbox WHERE tbl = ? AND state <> 'acked'", (table,)
    )
    disputes = reads.rows("SELECT DISTINCT row_id FROM conflicts WHERE tbl = ? AND status = 'open'", (table,))
    return Marks(
        waiting=frozenset(line["row_id"] for line in lines if line["state"] == "pending"),
        sending=frozenset(line["row_id"] for line in lines if line["state"] == "inflight"),
        parked=frozenset(line["row_id"] for line in lines if line["state"] == "parked"),
        disputed=frozenset(row["row_id"] for row in disputes),
    )
