"""How much of what this store holds."""

from __future__ import annotations

from dataclasses import dataclass

from domain import tables
from storage import database


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`search_bytes`: the full-text index within the file."""

    rows: tuple[tuple[str, int], ...]
    search_bytes: int


def read(reads: database.Reads) -> Usage:
    """Counts all tables: run it in a thread."""
    counted = [
        (table.name, int(reads.value(f"SELECT count(*) FROM {table.name}")))  # noqa: S608 - names of the registry
        for table in tables.ALL
    ]
    search = reads.value("SELECT coalesce(sum(length(block)), 0) FROM search_data")
    return Usage(
        rows=tuple(sorted((line for line in counted if line[1]), key=lambda line: -line[1])),
        search_bytes=int(search),
    )
