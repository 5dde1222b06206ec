"""Importing CSV files: leads from other CRMs, and sales; streamed, repeatable, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backend.services.imports import leads, runner, sales

if TYPE_CHECKING:
    from backend.deps import Deps


async def run_import_leads(
    deps: Deps,
    path: Path,
    location: str | None = None,
    progress: runner.OnProgress = runner.silent,
) -> runner.Report:
    """Contacts of GoHighLevel, Follow Up Boss or HubSpot. Raises: ImportFileError."""
    return await runner.Runner(deps=deps, kind=leads.KIND, progress=progress).run(path, location)


async def run_import_sales(
    deps: Deps,
    path: Path,
    location: str | None = None,
    progress: runner.OnProgress = runner.silent,
) -> runner.Report:
    """Sold houses, with King County's columns or an MLS header. Raises: ImportFileError."""
    return await runner.Runner(deps=deps, kind=sales.KIND, progress=progress).run(path, location)
