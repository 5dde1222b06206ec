"""Random work on three devices, with cuts, lost answers and restarts: in the end all four sides are equal."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import rows as server_rows
from domain import tables, wire
from storage import amend, edits, leads, outbox, pushed
from tests.flows.conftest import Stamp
from tests.flows.phones import Killed, MakePhone, Phone

pytestmark = pytest.mark.anyio
SEEDS = range(int(os.environ.get("JORGE_FIRST_SEED", "0")), int(os.environ.get("JORGE_SEEDS", "6")))
STEPS = int(os.environ.get("JORGE_STEPS", "120"))
STAGES = ("new", "contacted", "qualified", "lost")


class Work:
    """What the users of the phones do, in an order that `seed` decides."""

    def __init__(self, seed: int, phones: list[Phone], stamp: Stamp) -> None:
        self.rng = random.Random(seed)
        self.phones = phones
        self.stamp = stamp
        self.count = 0
        self.opted_out: set[str] = set()

    async def step(self) -> None:
        phone = self.rng.choice(self.phones)
        do = self.rng.choices(
            [
                self.edit,
                self.add,
                self.remove,
                self.sync,
                self.sync_badly,
                self.number,
                self.die,
                self.decide,
            ],
            [40, 5, 2, 20, 8, 15, 4, 4],
        )[0]
        self.count += 1
        await do(phone)

    async def edit(self, phone: Phone) -> None:
        known = leads.listed(phone.db)
        if not known:
            return
        lead = self.rng.choice(known)
        changes = self._changes(lead)
        if changes.get("opted_out"):
            self.opted_out.add(lead.id)
        phone.change(lead.id, **changes)

    def _changes(self, lead: leads.Lead) -> dict[str, Any]:
        tags = list(lead.tags or ())
        return self.rng.choice(
            [
                {"name": f"Name {self.count}"},
                {"phone": f"+1206555{self.count:04}", "source": f"s{self.count}"},
                {"price_cents": self.count, "price_on": f"2026-11-{self.count % 28 + 1:02}"},
                {"price_cents": self.count},
                {"stage": self.rng.choice(STAGES), "stage_reason": f"r{self.count}"},
                {"tags": [*tags, f"t{self.count}"]},
                {"tags": tags[1:]},
                {"opted_out": self.rng.random() < 0.3, "opted_out_words": f"w{self.count}"},
                {"lat": self.count / 7, "city": f"c{self.count}"},
                {"answers": {"motivation": self.count}, "score": self.count / 3},
            ]
        )

    async def add(self, phone: Phone) -> None:
        phone.add_lead(name=f"New {self.count}", tags=["a", "b"])

    async def remove(self, phone: Phone) -> None:
        known = leads.listed(phone.db)
        if known:
            lead = self.rng.choice(known)
            phone.edit(lambda e: e.delete("leads", lead.id))

    async def sync(self, phone: Phone) -> None:
        await phone.run()

    async def sync_badly(self, phone: Phone) -> None:
        line = phone.transport
        if self.rng.random() < 0.5:
            line.lose_answers = 1
        else:
            line.cut_after = len(line.requests) + self.rng.randrange(3)
        await phone.run()
        line.lose_answers, line.cut_after = 0, None

    async def number(self, _: Phone) -> None:
        await self.stamp()

    async def die(self, phone: Phone) -> None:
        """The app is killed at any point of a run, and started again."""
        line = phone.transport
        line.die_at = len(line.requests) + self.rng.randrange(4)
        line.die_after_answer = self.rng.random() < 0.5
        with suppress(Killed):
            await phone.run()
        line.die_at = None
        phone.restart()

    async def decide(self, phone: Phone) -> None:
        """What was parked is tried again, brought back, or let go."""
        parked = outbox.listed(phone.db, state=outbox.State.PARKED)
        if not parked:
            return
        line = self.rng.choice(parked)
        choice = self.rng.randrange(3)
        with phone.db.write_tx() as tx:
            if choice == 0:
                amend.send_again(tx, outbox.lines(tx, [line.mutation.mid]))
            elif choice == 1 and line.code == pushed.ROW_DELETED and line.mutation.op is wire.Op.PATCH:
                edits.start(tx, phone.clock.now()).restore(line.mutation.mid)
            else:
                amend.take_out(tx, outbox.lines(tx, [line.mutation.mid]))

    async def rest(self) -> None:
        """Everything is sent, parked changes are let go, and everybody has read to the end."""
        while any(outbox.listed(phone.db) for phone in self.phones):
            for phone in self.phones:
                status = await phone.run()
                assert status.fault is None, status.error
                for line in outbox.listed(phone.db, state=outbox.State.PARKED):
                    with phone.db.write_tx() as tx:
                        amend.take_out(tx, outbox.lines(tx, [line.mutation.mid]))
        await self.stamp()
        for phone in self.phones:
            await phone.run()


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_random_work_all_sides_are_equal(
    seed: int, make_phone: MakePhone, stamp: Stamp, deps: Deps
) -> None:
    phones = [await make_phone() for _ in range(3)]
    work = Work(seed, phones, stamp)
    for _ in range(STEPS):
        await work.step()
    await work.rest()

    server = await everything(deps, phones[0])
    for phone in phones:
        assert phone.unsent() == 0
        assert phone.everything() == server
        assert phone.db.value("SELECT count(*) FROM shadow") == 0
        lines = "SELECT id FROM search_docsize"
        assert phone.db.value(f"SELECT count(*) FROM leads WHERE _rid IS NULL OR _rid NOT IN ({lines})") == 0  # noqa: S608
    for (table, row_id), row in server.items():
        assert table != "leads" or row_id not in work.opted_out or row["opted_out"] is True


async def everything(deps: Deps, phone: Phone) -> dict[tuple[str, str], dict[str, Any]]:
    """The server's rows of the phone's location, as `Phone.everything` has them."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    async with deps.pool.acquire() as connection:
        for table in tables.ALL:
            for row in await server_rows.page(
                connection, table, scopes=[phone.location], after=None, limit=5000
            ):
                found[(table.name, row[0])] = {
                    "_ver": row[1],
                    **dict(zip(table.columns, row[2:], strict=True)),
                }
    return found
