"""One import from file to table: recognise, read, store in batches, tell how far it is and what was left out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import asyncpg

from backend.services import users
from backend.services.imports import csvfile, encoding, kinds, offices, products, rejects
from backend.storage import imports as store
from backend.storage import pool
from backend.storage import users as user_rows
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

BATCH = 5_000
MAIN_OFFICE = "Main office"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import is; `str()` of it is a line for a terminal."""

    name: str
    rows: int
    rejected: int
    rows_per_second: float

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.rows:,} rows, {self.rejected:,} rejected, {self.rows_per_second:,.0f} rows/s"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What was recognised, before the first row."""

    product: str
    encoding: str
    location: str
    unused: tuple[str, ...]

    def __str__(self) -> str:
        unused = f"; columns not used: {', '.join(self.unused)}" if self.unused else ""
        return (
            f"Recognised a {self.product} export ({self.encoding}); importing into “{self.location}”{unused}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a file; rows = inserted + updated + unchanged + rejected."""

    started: Started
    rows: int
    inserted: int
    updated: int
    rejected: int
    rejected_path: Path | None
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def unchanged(self) -> int:
        return self.rows - self.inserted - self.updated - self.rejected

    def __str__(self) -> str:
        lines = [
            f"Done in {self.seconds:.1f} s: {self.rows:,} rows, {self.inserted:,} new, {self.updated:,} changed,"
            f" {self.unchanged:,} as they were, {self.rejected:,} rejected",
            *self.notes,
        ]
        if self.rejected_path:
            lines.append(f"Rejected rows with their reasons: {self.rejected_path}")
        return "\n".join(lines)


OnProgress = Callable[[Progress | Started | Report], object]


def silent(_: Progress | Started | Report) -> None:
    """For callers that want no progress."""


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Good rows (line first) and the cells they came from, for those that turn out to be repeats."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    cells: dict[int, list[str]] = field(default_factory=dict)
    read: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Imports files of one kind."""

    deps: Deps
    kind: kinds.ImportKind
    progress: OnProgress

    async def run(self, path: Path, location: str | None) -> Report:
        """Raises: ImportFileError, and nothing is stored; bad rows never raise."""
        codec = await asyncio.to_thread(encoding.detect, path)
        file = await asyncio.to_thread(csvfile.CsvFile, path, codec)
        try:
            layout = products.recognise(file.header, self.kind.products, path)
            records = file.records()
            first = await asyncio.to_thread(lambda: list(islice(records, offices.LOOKED_AT)))
            place = await self._location(location, layout, first)
            started = Started(
                product=layout.product.title, encoding=codec, location=place.name, unused=layout.unused
            )
            self.progress(started)
            left_out = rejects.Rejects(self._rejects_path(path), file.header)
            context = await self._context(place)
            make = self.kind.maker(context, layout)
            run = _Run(runner=self, started=started, context=context, rejects=left_out)
            report = await run.all(chain(first, records), make)
        finally:
            file.close()
        logger.info(
            "import.done", extra={"kind": self.kind.name, "rows": report.rows, "rejected": report.rejected}
        )
        self.progress(report)
        return report

    def _rejects_path(self, path: Path) -> Path:
        return self.deps.settings.server_dir.resolve() / "imports" / f"{path.name}.rejected.csv"

    async def _location(
        self, wanted: str | None, layout: products.Layout, first: list[csvfile.Record]
    ) -> user_rows.Location:
        """Made when it is absent, and placed where its rows lie. Raises: ImportFileError where the demo lives."""
        async with pool.transaction(self.deps.pool) as connection:
            if any(place.demo for place in await user_rows.all_locations(connection)):
                raise errors.ImportFileError(
                    "This database holds the demo, and real data never goes there; nothing was imported.",
                    where=str(self.deps.settings.data_dir),
                    hint="Choose an empty folder with JORGE_DATA_DIR, or another DATABASE_URL.",
                )
            found = await users.ensure_location(connection, name=(wanted or "").strip() or MAIN_OFFICE)
            if offices.is_unplaced(found):
                found, middle = offices.placed(found, layout, first)
                await store.place_office(connection, found, middle)
            return found

    async def _context(self, place: user_rows.Location) -> kinds.Context:
        async with self.deps.pool.acquire() as connection:
            agents = await store.agents(connection, place.id)
        return kinds.Context(
            location_id=place.id, zone=ZoneInfo(place.zone or "UTC"), now=self.deps.clock.now(), agents=agents
        )


@dataclass(slots=True, kw_only=True)
class _Run:
    """One file's way through; the next batch is read while the last one is stored."""

    runner: Runner
    started: Started
    context: kinds.Context
    rejects: rejects.Rejects
    rows: int = 0
    inserted: int = 0
    updated: int = 0

    async def all(self, records: Iterator[csvfile.Record], make: kinds.MakeRow) -> Report:
        begin = self.runner.deps.clock.monotonic()
        kind = self.runner.kind
        target = store.Target(
            table=kind.table, columns=kind.columns, insert_only=kind.insert_only, defaults=kind.defaults
        )
        try:
            async with self.runner.deps.pool.acquire() as connection:
                await store.prepare(connection, target)
                try:
                    await self._batches(connection, target, records, make, begin)
                    await store.analyze(connection, target)
                finally:
                    await store.finish(connection)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError) as fault:
            raise errors.EngineError(
                f"The database went away after {self.rows:,} rows; these are stored.",
                where="DATABASE_URL",
                hint="Run the same command again: it goes on where it stopped, and stores nothing twice.",
            ) from fault
        finally:
            rejected_path = self.rejects.close()
        return self._report(rejected_path, self._seconds(begin))

    async def _batches(
        self,
        connection: pool.Connection,
        target: store.Target,
        records: Iterator[csvfile.Record],
        make: kinds.MakeRow,
        begin: float,
    ) -> None:
        batch, number = await asyncio.to_thread(self._read, records, make), 0
        while batch.read:
            if number & (number - 1) == 0:  # at 0, 1, 2, 4, 8 … batches: the planner must know how full it is
                await store.analyze(connection, target)
            number += 1
            stored, following = await asyncio.gather(
                store.store(connection, target, self.context.location_id, batch.rows),
                asyncio.to_thread(self._read, records, make),
            )
            self._count(batch, stored)
            self.runner.progress(
                Progress(
                    name=self.runner.kind.name,
                    rows=self.rows,
                    rejected=self.rejects.count,
                    rows_per_second=self.rows / max(self._seconds(begin), 1e-6),
                )
            )
            batch = following

    def _read(self, records: Iterator[csvfile.Record], make: kinds.MakeRow) -> _Batch:
        """Runs in a thread, one at a time."""
        batch = _Batch()
        for record in islice(records, BATCH):
            batch.read += 1
            before = dict(self.context.counts)
            try:
                if record.fault:
                    raise errors.InputError(record.fault)
                batch.rows.append((record.line, *make(record.cells)))
                batch.cells[record.line] = record.cells
            except errors.InputError as fault:
                self._recount(before)
                self.rejects.add(record.line, fault.message, record.cells)
        return batch

    def _recount(self, before: dict[str, int]) -> None:
        """What was noted about a row that is not imported does not count."""
        self.context.counts.clear()
        self.context.counts.update(before)

    def _count(self, batch: _Batch, stored: store.Stored) -> None:
        self.rows += batch.read
        self.inserted += stored.inserted
        self.updated += stored.updated
        for line, first in stored.repeats:
            self.rejects.add(line, f"the same as line {first}: that one was taken", batch.cells[line])

    def _seconds(self, begin: float) -> float:
        return self.runner.deps.clock.monotonic() - begin

    def _report(self, rejected_path: Path | None, seconds: float) -> Report:
        words = self.runner.kind.words
        notes = tuple(f"{count:,} {words[name]}" for name, count in self.context.counts.items())
        return Report(
            started=self.started,
            rows=self.rows,
            inserted=self.inserted,
            updated=self.updated,
            rejected=self.rejects.count,
            rejected_path=rejected_path,
            seconds=seconds,
            notes=notes,
        )
