"""`make simulate`: many seeds over both cores, with progress; failing ones are made smaller and told."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent import futures

from tests import scratch
from tests.simulation import bench, faults, real, runs, shrink

_CHUNK = 20


def main() -> int:
    said = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    said.add_argument("--seeds", type=int, default=300, help="how many seeds")
    said.add_argument("--first", type=int, default=0, help="the first one")
    said.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    said.add_argument("--trace", action="store_true", help="run the first seed alone and print all of it")
    said.add_argument("--shrink", type=int, default=1, help="so many failing seeds are made smaller")
    said.add_argument("--real", action="store_true", help="on PostgreSQL and FastAPI instead of the model")
    chosen = said.parse_args()
    with scratch.entered(scratch.place()):
        return _done(chosen)


def _done(chosen: argparse.Namespace) -> int:
    if chosen.real:
        return _run_real(range(chosen.first, chosen.first + chosen.seeds))
    if chosen.trace:
        print(shrink.told(faults.setup_of(chosen.first), lines=100_000))
        return 0
    report = _run(range(chosen.first, chosen.first + chosen.seeds), chosen.jobs)
    return _tell(report, chosen.shrink)


def _run(seeds: range, jobs: int) -> runs.Report:
    began, whole = time.monotonic(), runs.Report()
    for part in _parts(seeds, jobs):
        whole.add(part)
        for failure in part.failures:
            print(f"\rseed {failure.seed} breaks {failure.said[:200]} {failure.where}{' ' * 20}", flush=True)
        seconds = time.monotonic() - began
        speed = whole.runs / seconds
        print(
            f"\r{whole.runs} of {len(seeds)} seeds, {speed:.1f} seeds/s, {len(whole.failures)} failed"
            f", {max(0.0, (len(seeds) - whole.runs) / speed):.0f} s to go   ",
            end="",
            flush=True,
        )
    print(f"\r{whole.runs} seeds in {time.monotonic() - began:.0f} s on {jobs} cores{' ' * 40}")
    return whole


def _run_real(seeds: range) -> int:
    """`make simulate REAL=1`."""
    began, opened, failed = time.monotonic(), bench.Bench(), 0
    for number, seed in enumerate(seeds, 1):
        found = runs.failure_of(real.setup_of(seed), make_server=real.on(opened))
        failed += found is not None
        speed = number / (time.monotonic() - began)
        print(
            f"\r{number} of {len(seeds)} seeds on PostgreSQL, {speed:.1f} seeds/s, {failed} failed ", end=""
        )
        if found:
            print(f"\nseed {seed} breaks {found.invariant}: {found.said[:400]} {found.where}", flush=True)
    print()
    opened.close()
    return 1 if failed else 0


def _parts(seeds: range, jobs: int) -> Iterator[runs.Report]:
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    if jobs == 1:
        yield from map(runs.run_all, chunks)
        return
    with futures.ProcessPoolExecutor(jobs) as pool:
        for done in futures.as_completed([pool.submit(runs.run_all, chunk) for chunk in chunks]):
            yield done.result()


def _table(report: runs.Report) -> str:
    """Fault by promise: in how many runs the fault happened; where a promise broke, in how many of those (0 = a dot)."""
    promises = [f"I{number}" for number in range(1, 15) if number != 10]  # I10 needs two runs: a test
    promises += sorted({failure.invariant for failure in report.failures} - set(promises))
    lines = [f"\n{'fault':28}{'times':>8}{'runs':>6}  " + "".join(f"{one:>5}" for one in promises)]
    for fault, times in sorted(report.met.items()):
        broke = (report.broken[fault, promise] for promise in promises)
        cells = "".join(f"{number or '.':>5}" for number in broke)
        lines.append(f"{fault:28}{report.counts[f'fault:{fault}']:8}{times:6}  {cells}")
    return "\n".join(lines)


def _tell(report: runs.Report, shrink_most: int) -> int:
    print("\nWhat the runs did:")
    for what, times in sorted(report.counts.items()):
        if not what.startswith("fault:"):
            print(f"  {times:8} {what}")
    print(_table(report))
    missing = runs.never_met(report.counts) if report.runs >= 300 else []
    if missing:
        print(f"\nNever met, so nothing is known of it: {', '.join(missing)}")
    for failure in sorted(report.failures, key=lambda one: one.seed):
        print(f"\nseed {failure.seed} breaks {failure.invariant}: {failure.said[:400]} {failure.where}")
    for failure in sorted(report.failures, key=lambda one: one.seed)[:shrink_most]:
        print(f"\nMaking seed {failure.seed} smaller ...")
        setup = faults.setup_of(failure.seed)
        small = shrink.shrunk(setup, shrink.same_failure(failure.invariant))
        print(f"{len(faults.plan(setup))} acts became {len(faults.plan(small))}.\n\n{shrink.told(small)}")
    return 1 if report.failures or missing else 0


if __name__ == "__main__":
    sys.exit(main())
