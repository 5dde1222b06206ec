"""Small files as other products export them, for the tests of importing."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.deps import Deps
from backend.services import imports
from backend.services.imports import runner

GHL = ("Contact Id", "First Name", "Last Name", "Phone", "Email", "Created", "Last Activity", "Tags")  # fmt: skip
FUB = (
    "Date Added", "Name", "First Name", "Last Name", "Stage", "Lead Source", "Assigned To", "Is Contacted",
    "Listing Price", "Tags", "Email 1", "Email 1 - Type", "Phone 1", "Phone 1 - Type", "Phone 2",
    "Address 1 - Street", "Address 1 - City", "Address 1 - State", "Address 1 - Zip", "Timeframe", "ID",
)  # fmt: skip
HUBSPOT = (
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Contact owner", "Lead Status",
    "Lifecycle Stage", "Create Date", "Last Activity Date", "Postal Code", "Unsubscribed from all email",
)  # fmt: skip


def write(
    path: Path, header: Sequence[str], *rows: Mapping[str, str], encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    """A file with these columns; what a row does not name is empty."""
    with path.open("w", encoding=encoding, newline="") as file:
        out = csv.DictWriter(file, header, restval="", delimiter=delimiter)
        out.writeheader()
        out.writerows(rows)
    return path


async def leads(deps: Deps, path: Path) -> runner.Report:
    return await imports.run_import_leads(deps, path)


async def rows(deps: Deps, table: str = "leads") -> list[dict[str, Any]]:
    async with deps.pool.acquire() as connection:
        found = await connection.fetch(f"SELECT * FROM {table} ORDER BY name")  # noqa: S608 - the tests' own words
    return [dict(row) for row in found]


async def changes(deps: Deps) -> int:
    """How many lines the feed has."""
    async with deps.pool.acquire() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM change_log"))


def rejected(report: runner.Report) -> list[dict[str, str]]:
    assert report.rejected_path is not None
    with report.rejected_path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
