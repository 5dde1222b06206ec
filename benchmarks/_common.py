"""What the benchmarks of the app share: King County's houses, a store full of them, and times as they are printed."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks._machine import p
from devices import clock
from domain import ids, tables, values
from services import session
from services.user import Role, User
from storage import database, rows, search_index
from wiring import workplace

KING_COUNTY = (
    Path(__file__).resolve().parents[1].parent / "shared/data/kc_house/kc_house_until_2015-03-10.csv"
)
HOUSES = 17_356
LOCATION = "00000000-0000-7000-8000-0000000000a1"
AGENT = User(
    id="00000000-0000-7000-8000-0000000000b1",
    name="Pat",
    email="pat@example.com",
    role=Role.AGENT,
    location_ids=(LOCATION,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    lat: float
    lon: float
    price_cents: int
    sold_on: str
    beds: float
    sqft: int
    zip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds of each call, on the wall and on the processor."""

    wall: Sequence[float]
    cpu: Sequence[float]

    def text(self) -> str:
        return (
            f"p50 {p(self.wall, 50):8.2f} ms  p95 {p(self.wall, 95):8.2f} ms  (CPU {p(self.cpu, 50):8.2f} / "
            f"{p(self.cpu, 95):8.2f} ms)"
        )


def timed(call: Callable[[int], object], times: int, *, warm: int = 3) -> Times:
    """`call(n)` so many times, after some that do not count."""
    wall, cpu = [], []
    for turn in range(-warm, times):
        before, worked = time.perf_counter(), time.process_time()
        call(turn)
        if turn >= 0:
            cpu.append(1000 * (time.process_time() - worked))
            wall.append(1000 * (time.perf_counter() - before))
    return Times(wall=wall, cpu=cpu)


def houses() -> tuple[list[House], str]:
    """King County's sales and what they are; invented ones around Seattle where the file is absent."""
    if not KING_COUNTY.exists():
        return _invented(), f"{HOUSES:,} INVENTED sales (the file of King County is not here)"
    with KING_COUNTY.open(encoding="utf-8", newline="") as file:
        found = [_house(row) for row in csv.DictReader(file)]
    return found, f"{len(found):,} sales of King County"


def _house(row: dict[str, str]) -> House:
    day = row["date"]
    return House(
        lat=float(row["lat"]),
        lon=float(row["long"]),
        price_cents=round(100 * float(row["price"])),
        sold_on=f"{day[:4]}-{day[4:6]}-{day[6:8]}",
        beds=float(row["bedrooms"]),
        sqft=int(row["sqft_living"]),
        zip=row["zipcode"],
    )


def _invented() -> list[House]:
    rng = random.Random(1)
    return [
        House(
            lat=rng.gauss(47.56, 0.14),
            lon=rng.gauss(-122.21, 0.14),
            price_cents=round(rng.lognormvariate(13.0, 0.5)) * 100,
            sold_on="2015-01-15",
            beds=3.0,
            sqft=rng.randrange(700, 4000),
            zip="98103",
        )
        for _ in range(HOUSES)
    ]


@contextmanager
def workplace_of(path: Path) -> Iterator[tuple[database.Database, session.Services]]:
    """A signed-in agent with an empty store."""
    db = database.open_store(path)
    lent = session.Ports(launcher=workplace.NoLauncher())
    try:
        yield db, session.open_services(db, AGENT, clock.SystemClock(), lent)
    finally:
        db.close()


def fill(db: database.Database, sold: Sequence[House], leads: int) -> list[str]:
    """Sales and this agent's leads as if they had come from the server; the leads' ids."""
    rng, now = random.Random(2), datetime.now(UTC)
    with db.write_tx() as tx:
        _put(tx, "locations", LOCATION, {"name": "Seattle", "zone": "America/Los_Angeles", "state": "WA"})
        for house in sold:
            _put(tx, "properties", ids.new_id(), _sale(house))
        made = [ids.new_id() for _ in range(leads)]
        for number, lead_id in enumerate(made):
            _put(tx, "leads", lead_id, _lead(rng, number, rng.choice(sold), now))
            if number % 3 == 0:
                due = values.time_text(now + timedelta(hours=rng.uniform(-48, 96)))
                task = {"title": "Call back", "kind": "call", "lead_id": lead_id, "due_at": due}
                _put(tx, "tasks", ids.new_id(), {**task, "agent_id": AGENT.id})
        search_index.catch_up(tx)
    return made


def _put(tx: database.Transaction, table: str, row_id: str, row: dict[str, Any]) -> None:
    full = {"location_id": LOCATION, "created_at": values.time_text(datetime.now(UTC)), **row}
    rows.write(tx, tables.BY_NAME[table], row_id, 1, full)


def _sale(house: House) -> dict[str, Any]:
    return {
        "status": "sold",
        "lat": house.lat,
        "lon": house.lon,
        "price_cents": house.price_cents,
        "price_on": house.sold_on,
        "beds": house.beds,
        "sqft": house.sqft,
        "zip": house.zip,
        "state": "WA",
    }


def _lead(rng: random.Random, number: int, near: House, now: datetime) -> dict[str, Any]:
    due = values.time_text(now + timedelta(minutes=rng.uniform(-60, 240))) if number % 10 == 0 else None
    return {
        "agent_id": AGENT.id,
        "kind": "seller" if number % 2 else "buyer",
        "name": f"Given{number % 97} Family{number}",
        "stage": rng.choice(("new", "contacted", "qualified", "appointment")),
        "state": "WA",
        "zip": near.zip,
        "phone": f"+1206555{number % 10_000:04d}",
        "lat": near.lat + rng.gauss(0, 0.002),
        "lon": near.lon + rng.gauss(0, 0.002),
        "score": rng.uniform(5, 98),
        "temperature": rng.choice(("hot", "warm", "lukewarm", "cold")),
        "answer_due_at": due,
    }
