"""A signed-in agent with a real store, leads in Austin, and devices that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import ids, tables, values
from services import ports, session
from services.user import Role, User
from storage import database, rows
from tests import fakes

LOCATION = "00000000-0000-7000-8000-0000000000a1"
AGENT = "00000000-0000-7000-8000-0000000000b1"
OTHER = "00000000-0000-7000-8000-0000000000b2"
MANAGER = "00000000-0000-7000-8000-0000000000b3"
HOME = (30.2672, -97.7431)


@dataclass
class SyncState:
    """A sync engine that only says what it is told to say."""

    now: ports.NoStatus = field(default_factory=ports.NoStatus)
    sent: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    heard: list[Callable[[], None]] = field(default_factory=list)

    def status(self) -> ports.NoStatus:
        return self.now

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        self.heard.append(callback)
        return lambda: self.heard.remove(callback)

    def turn(self, **changes: Any) -> None:
        """Another status, and everybody hears of it."""
        self.now = replace(self.now, **changes)
        for callback in tuple(self.heard):
            callback()

    async def send_now(self) -> None:
        self.sent += 1

    def force_offline(self, on: bool, /) -> None:
        self.turn(forced_offline=on)

    async def audit(self) -> None:
        """Ends as `result` says; an empty one was cut off."""
        self.turn(**self.result)


@dataclass
class Bench:
    """One person at work, with all that a test may turn."""

    db: database.Database
    clock: fakes.FakeClock
    launcher: fakes.FakeLauncher
    transcriber: fakes.FakeTranscriber
    sync: SyncState
    sv: session.Services

    def lead(self, **fields: Any) -> str:
        """A lead as the server sent it: nothing waits for it."""
        row_id = ids.new_id()
        km_north = fields.pop("km_north", 0.0)
        row = {
            "location_id": LOCATION,
            "created_at": values.time_text(self.clock.now()),
            "agent_id": AGENT,
            "kind": "seller",
            "name": "Ann Lee",
            "stage": "new",
            "state": "TX",
            "zip": "78701",
            "phone": "+15125550147",
            "lat": HOME[0] + km_north / 111.2,
            "lon": HOME[1],
            "score": 60.0,
            "temperature": "warm",
            "consent_text": True,
        }
        self.server("leads", row_id, {**row, **fields})
        return row_id

    def server(self, table: str, row_id: str, row: dict[str, Any]) -> None:
        """A row that came from the server."""
        created = {"created_at": values.time_text(self.clock.now()), "location_id": LOCATION}
        with self.db.write_tx() as tx:
            rows.write(tx, tables.BY_NAME[table], row_id, 1, {**created, **row})

    def get(self, table: str, row_id: str) -> dict[str, Any]:
        found = rows.get(self.db, tables.BY_NAME[table], row_id)
        assert found is not None
        return found[1]

    def all(self, table: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.db.tools[table].rows]

    def online(self) -> None:
        """The server answered just now."""
        self.sync.now = replace(self.sync.now, online=True, last_contact_at=self.clock.now())


def in_days(bench: Bench, days: float) -> datetime:
    return bench.clock.now() + timedelta(days=days)


def person(user_id: str, role: Role) -> User:
    return User(id=user_id, name="Pat", email="pat@example.com", role=role, location_ids=(LOCATION,))


def open_bench(
    folder: Path,
    role: Role = Role.AGENT,
    *,
    hears: Path | None = None,
    says: str | None = "",
    devices: ports.DeviceList | None = None,
) -> Bench:
    """A person's first morning: an empty store in `folder`, one location, three people. Close its `db`."""
    # Sunday 22 Nov 2026, noon in Austin: calls are allowed.
    clock = fakes.FakeClock(fakes.EPOCH + timedelta(hours=8))
    db = database.open_store(folder / "store.db")
    launcher, transcriber, sync = fakes.FakeLauncher(), fakes.FakeTranscriber(says), SyncState()
    user = person(AGENT if role is Role.AGENT else MANAGER, role)
    lent = session.Ports(
        launcher=launcher,
        recorder=fakes.FakeRecorder(hears),
        transcriber=transcriber,
        check_audio=lambda path: 2.0,
        sync=sync,
        devices=devices,
    )
    bench = Bench(db, clock, launcher, transcriber, sync, session.open_services(db, user, clock, lent))
    bench.server("locations", LOCATION, {"name": "Austin", "zone": "America/Chicago", "state": "TX"})
    for user_id, name in ((AGENT, "Pat"), (OTHER, "Kim"), (MANAGER, "Max")):
        bench.server("people", ids.new_id(), {"user_id": user_id, "name": name, "role": "agent"})
    return bench


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    opened: list[Bench] = []

    def make(role: Role = Role.AGENT, **more: Any) -> Bench:
        opened.append(open_bench(tmp_path / str(len(opened)), role, **more))
        return opened[-1]

    yield make
    for bench in opened:
        bench.db.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
