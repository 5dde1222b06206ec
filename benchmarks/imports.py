"""Import speed and memory against PostgreSQL alone: `python -m benchmarks.imports [rows | sales.csv]`."""

from __future__ import annotations

import asyncio
import csv
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from backend import deps, settings
from backend.services import imports
from benchmarks import _machine

HEADER = (
    "Contact Id", "First Name", "Last Name", "Phone", "Email", "Created", "Last Activity", "Tags", "Postal Code",
    "Contact Source", "DND", "Country",
)  # fmt: skip
LIMIT_MB = 300
ZIPS = ("91730", "91739", "98103", "98115", "98178", "91764", "92336", "91701")


def main() -> None:
    """Raises: SystemExit when memory went over the limit."""
    what = sys.argv[1] if len(sys.argv) > 1 else "100000"
    with tempfile.TemporaryDirectory(prefix="jorge-bench-") as folder:
        path = Path(what)
        if what.isdigit():
            path = Path(folder) / "leads.csv"
            generate(path, int(what))
        peak_mb = asyncio.run(measure(Path(folder), path, sales=not what.isdigit()))
    if peak_mb > LIMIT_MB:
        raise SystemExit(f"peak memory {peak_mb:.0f} MB is over {LIMIT_MB} MB")


async def measure(folder: Path, path: Path, *, sales: bool) -> float:
    """Imports twice; the second run must change nothing."""
    chosen = settings.Settings.model_validate({"data_dir": folder / "data"})
    async with deps.open_deps(chosen) as opened:
        with path.open(encoding="utf-8") as file:
            rows = sum(1 for _ in file) - 1
        peer = await plainly(opened, rows)
        print(f"peer: PostgreSQL alone, {rows:,} leads from generate_series: {peer:.1f} s")
        before = _machine.rss() / 1e6
        run = imports.run_import_sales if sales else imports.run_import_leads
        for turn in ("first", "second"):
            report = await run(opened, path)
            print(f"{turn} run: {report.rows:,} rows in {report.seconds:.1f} s = "
                  f"{report.rows / report.seconds:,.0f} rows/s; new {report.inserted:,}, changed {report.updated:,}, "
                  f"rejected {report.rejected:,}; peak memory {_machine.peak_mb():.0f} MB (before {before:.0f} MB); {report.seconds / peer:.2f} × the peer's time")  # fmt: skip
    return _machine.peak_mb()


async def plainly(opened: deps.Deps, rows: int) -> float:
    """Seconds that PostgreSQL alone takes for as many leads: same table, indexes and feed; no file, no checks."""
    begin = time.perf_counter()
    async with opened.pool.acquire() as connection:
        for first in range(0, rows, 5_000):
            await connection.execute(PLAIN, first, min(first + 5_000, rows), timeout=600)
    seconds = time.perf_counter() - begin
    async with opened.pool.acquire() as connection:
        await connection.execute("TRUNCATE change_log, leads, locations CASCADE")
    return seconds


PLAIN = """
    WITH office AS (INSERT INTO locations (id, name) VALUES (gen_random_uuid(), 'Peer ' || ($1::bigint)) RETURNING id)
    INSERT INTO leads (id, location_id, kind, name, phone, email, city, state, zip, lat, lon, stage, source, tags,
                       score, temperature, last_touch_at, external_id)
    SELECT gen_random_uuid(), office.id, 'seller', 'Given Family', '+1206555' || n % 10000, n || '@mail.example',
           'Seattle', 'WA', '98103', 47.6, -122.3, 'new', 'Website', '["seller"]', 40, 'lukewarm', now(), 'peer:' || n
    FROM generate_series($1::bigint, $2::bigint - 1) n, office"""


def generate(path: Path, rows: int) -> None:
    """A GoHighLevel export of so many invented people, written in a thread of its own."""
    writer = threading.Thread(target=_write, args=(path, rows))
    writer.start()
    writer.join()


def _write(path: Path, rows: int) -> None:
    rng = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(rows):
            phone = f"({rng.choice((206, 425, 909))}) {rng.randrange(200, 1000)}-{n % 10_000:04d}"
            created = f"2026-{n % 10 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:36:17-07:00"
            out.writerow((
                f"c{n:019d}", f"Given{n % 977}", f"Family{n % 4993}", phone, f"lead{n}@mail.example", created,
                f"Sep {n % 28 + 1:02d} 2026 {n % 12 + 1:02d}:37 PM", "seller, spring 2026" if n % 2 else "buyer",
                ZIPS[n % len(ZIPS)], "Website", "false" if n % 50 else "true", "US",
            ))  # fmt: skip


if __name__ == "__main__":
    main()
