"""Nearby of an agent in Seattle against brute force and against SQLite's R*Tree alone: `python -m benchmarks.nearby`.

Peers in the same run: all rows measured one by one with geopy's geodesic (what a simple app does), and an R*Tree over the
same points that only finds the ids in the box (about the least that any answer costs).
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from geopy.distance import geodesic

from benchmarks import _common, _machine
from domain import geo, ports

HERE = ports.Position(lat=47.61, lon=-122.33)
KM_PER_MILE = 1.609344
LEADS = 1_500
LIMIT_MS = 50.0

Point = tuple[str, float, float]


def main() -> None:
    """Raises: SystemExit when our p95 is over the limit on the processor, or the answers differ."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--queries", type=int, default=100)
    chosen = arguments.parse_args()
    sold, what = _common.houses()
    print(
        f"{what} and {LEADS:,} leads; 47.61 N 122.33 W; {chosen.queries} queries each; {_machine.machine()}"
    )
    with (
        tempfile.TemporaryDirectory(prefix="jorge-bench-") as folder,
        _common.workplace_of(Path(folder) / "store.db") as (db, services),
    ):
        _common.fill(db, sold, LEADS)
        found = db.rows("SELECT id, lat, lon FROM leads")
        leads = Subject(
            "leads by rank",
            [(row["id"], row["lat"], row["lon"]) for row in found],
            lambda km: services.nearby.ranked(HERE, radius_km=km).within,
        )
        found = db.rows("SELECT id, lat, lon FROM properties")
        sales = Subject(
            "sales by distance",
            [(row["id"], row["lat"], row["lon"]) for row in found],
            lambda km: services.nearby.sales(HERE, radius_km=km).within,
        )
        worst = max(compared(subject, chosen.queries) for subject in (leads, sales))
    if worst > LIMIT_MS:
        raise SystemExit(f"p95 of {worst:.0f} ms on the processor is over {LIMIT_MS:.0f} ms")


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    points: Sequence[Point]
    ask: Callable[[float], int]


def compared(subject: Subject, queries: int) -> float:
    """Prints the three radii; the worst p95 on the processor."""
    tree = r_tree(subject.points)
    worst = 0.0
    for miles in (1, 3, 10):
        km = miles * KM_PER_MILE
        ours = _common.timed(partial(_with, subject.ask, km), queries)
        brute = _common.timed(partial(_with, lambda far: by_brute_force(subject.points, far), km), 2, warm=0)
        least = _common.timed(partial(_with, lambda far: in_box(tree, far), km), queries)
        within = subject.ask(km)
        if within != by_brute_force(subject.points, km):
            raise SystemExit(f"{subject.name}, {miles} mi: {within} is not what brute force counts")
        print(f"{subject.name}, {miles:2d} mi ({within:,} within)")
        print(f"  ours         {ours.text()}")
        print(f"  brute force  {brute.text()}  = {_ratio(brute, ours):,.0f} × ours")
        print(f"  R*Tree alone {least.text()}  ours = {_ratio(ours, least):,.0f} × this")
        worst = max(worst, _machine.p(ours.cpu, 95))
    return worst


def _with(ask: Callable[[float], object], km: float, _turn: int) -> object:
    return ask(km)


def _ratio(one: _common.Times, other: _common.Times) -> float:
    return _machine.p(one.cpu, 50) / _machine.p(other.cpu, 50)


def by_brute_force(points: Sequence[Point], km: float) -> int:
    return sum(geodesic((HERE.lat, HERE.lon), (lat, lon)).km <= km for _, lat, lon in points)


def r_tree(points: Sequence[Point]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE places USING rtree(n, south, north, west, east, +id TEXT)")
    rows = ((n, lat, lat, lon, lon, row_id) for n, (row_id, lat, lon) in enumerate(points))
    connection.executemany("INSERT INTO places VALUES (?, ?, ?, ?, ?, ?)", rows)
    return connection


def in_box(tree: sqlite3.Connection, km: float) -> list[tuple[str]]:
    south, north, west, east = geo.around(HERE.lat, HERE.lon, km)
    sql = "SELECT id FROM places WHERE south >= ? AND north <= ? AND west >= ? AND east <= ?"
    return tree.execute(sql, (south, north, west, east)).fetchall()


if __name__ == "__main__":
    main()
