"""Import speed and memory: `python -m benchmarks.imports [rows | sales.csv]`; leads are generated first."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import resource
import sys
import tempfile
import threading
from pathlib import Path

from backend import deps, settings
from backend.services import imports

HEADER = (
    "Contact Id", "First Name", "Last Name", "Phone", "Email", "Created", "Last Activity", "Tags", "Postal Code",
    "Contact Source", "DND", "Country",
)  # fmt: skip
LIMIT_MB = 300
ZIPS = ("91730", "91739", "98103", "98115", "98178", "91764", "92336", "91701")


def main() -> None:
    """Raises: SystemExit when memory went over the limit."""
    what = sys.argv[1] if len(sys.argv) > 1 else "1000000"
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
        before = _rss_mb()
        run = imports.run_import_sales if sales else imports.run_import_leads
        for turn in ("first", "second"):
            report = await run(opened, path)
            print(f"{turn} run: {report.rows:,} rows in {report.seconds:.1f} s = "
                  f"{report.rows / report.seconds:,.0f} rows/s; new {report.inserted:,}, changed {report.updated:,}, "
                  f"rejected {report.rejected:,}; peak memory {_peak_mb():.0f} MB (before {before:.0f} MB)")  # fmt: skip
    return _peak_mb()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
