"""Every state of sync as a person sees it, on a real store: `python -m tests.browser.sync_states serve PORT | shots [state …]`."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import flet as ft

from domain import errors
from services.sync_centre import Lamp
from services.user import Role
from storage import blobs, cursor, events, outbox, outbox_writes
from tests.browser import harness
from tests.services.conftest import OTHER, Bench, open_bench
from tests.services.test_conflicts import conflict, duplicate
from tests.services.test_sync_centre import park
from tests.views.agent import field
from views import app, context, screens, theme, web

HOUSES = (
    ("Patricia Oyelaran", "2210 South 14th Street", 45_000_000),
    ("Marcus Whitfield", "88 Harbor Ave", 62_500_000),
    ("Lena Albrecht", "14 Cedar Court", 39_900_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    id: str
    person: str
    seen_at: datetime
    schema: int = 1
    loading: bool = False
    error: str = ""
    behind: int = 0
    waiting: int = 0
    parked: int = 0
    oldest_at: datetime | None = None


@dataclass(slots=True)
class Fleet:
    """What the server says of devices; None = it is not in reach."""

    devices: Sequence[Device] | None = None

    async def fetch(self) -> Sequence[Device]:
        if self.devices is None:
            raise errors.UnreachableError("The server can't be reached.", where="server")
        return self.devices


def _leads(bench: Bench) -> list[str]:
    return [
        bench.lead(
            name=name, source="zillow", address=street, price_cents=price, city="Austin", km_north=0.4 * n
        )
        for n, (name, street, price) in enumerate(HOUSES)
    ]


def _offline_work(bench: Bench) -> list[str]:
    leads = _leads(bench)
    bench.sv.leads.edit(leads[0], price_cents=43_900_000)
    bench.sv.leads.set_stage(leads[1], "qualified", "wants an offer this week")
    bench.sv.tasks.create("Bring comps", lead_id=leads[2])
    bench.sv.notes.write_text("Roof needs work, moving in June.", lead_id=leads[0])
    return leads


def idle(bench: Bench) -> str:
    _leads(bench)
    bench.online()
    bench.sync.now = replace(
        bench.sync.now,
        compared_at=bench.clock.now() - timedelta(minutes=3),
        compared_equal=True,
        compared_rows=22_010,
    )
    return "/sync"


def offline(bench: Bench) -> str:
    leads = _offline_work(bench)
    with bench.db.write_tx() as tx:
        note = bench.all("notes")[0]
        blob = blobs.add(
            tx,
            note_id=note["id"],
            location_id=note["location_id"],
            path=bench.db.path,
            sha256="0" * 64,
            size=1_258_291,
            media_type="audio/wav",
        )
        blobs.progressed(tx, blob, url="/u", sent=412_000)
    bench.clock.advance(7 * 60)
    bench.sv.leads.opt_out(leads[2], "Please stop calling")
    at = bench.clock.now()
    bench.sync.now = replace(
        bench.sync.now, last_contact_at=at - timedelta(minutes=9), next_try_at=at + timedelta(minutes=2)
    )
    return "/sync"


def waiting(bench: Bench) -> str:
    route = offline(bench)
    bench.online()
    return route


def sending(bench: Bench) -> str:
    route = waiting(bench)
    with bench.db.write_tx() as tx:
        outbox_writes.mark_inflight(tx, [line.mutation.mid for line in outbox.listed(tx)][:2])
    bench.sync.now = replace(bench.sync.now, running=True)
    return route


def parked(bench: Bench) -> str:
    bench.online()
    leads = _leads(bench)
    bench.sv.leads.edit(leads[0], price_cents=10**12)
    park(bench, "leads", code="bad_value", message="price_cents must be below 10,000,000,000,000.")
    bench.sv.leads.edit(leads[1], motivation="divorce")
    with bench.db.write_tx() as tx:
        for line in outbox.listed(tx, state=outbox.State.PENDING):
            outbox_writes.mark_parked(
                tx,
                line.mutation.mid,
                code="row_deleted",
                message="Somebody deleted this meanwhile. Your change is kept: restore it with your change, or let it go.",
            )
    return "/sync"


def fix(bench: Bench) -> str:
    parked(bench)
    return "/leads"


def _price_conflict(bench: Bench) -> str:
    lead = _leads(bench)[0]
    bench.online()
    conflict(
        bench, lead,
        base={"price_cents": 47_500_000, "price_on": "2026-10-02"},
        winner={"price_cents": 45_000_000, "price_on": "2026-11-21"},
        loser={"price_cents": 42_000_000, "price_on": "2026-11-20"},
    )  # fmt: skip
    return lead


def conflicting(bench: Bench) -> str:
    _price_conflict(bench)
    return "/sync"


def at_lead(bench: Bench) -> str:
    _price_conflict(bench)
    return "/leads"


def _conflict_of_values(bench: Bench, lead: str) -> None:
    conflict(
        bench, lead, unit="motivation", policy="newest", status="settled",
        base={"motivation": None}, winner={"motivation": "job"}, loser={"motivation": "divorce"},
    )  # fmt: skip


def lost(bench: Bench) -> str:
    bench.online()
    _conflict_of_values(bench, _leads(bench)[0])
    return "/sync"


def pair(bench: Bench) -> str:
    bench.online()
    lead = _leads(bench)[0]
    other = bench.lead(
        name="Pat Oyelaran", address="2210 S 14th St", city="Austin", agent_id=OTHER, email="pat@oyelaran.org"
    )
    duplicate(bench, lead, other)
    _conflict_of_values(bench, lead)
    return "/leads"


def others(bench: Bench) -> str:
    """Of leads that are nobody's: no lamp of an agent turns red."""
    bench.online()
    one, other = (bench.lead(name=name, agent_id=None) for name in ("Lee Chan", "Lee Chen"))
    duplicate(bench, one, other)
    return "/sync"


def first(bench: Bench) -> str:
    _leads(bench)
    bench.online()
    bench.sync.now = replace(
        bench.sync.now, running=True, first_sync=0.62, first_done=13_640, first_total=22_000
    )
    return "/sync"


def forced(bench: Bench) -> str:
    _offline_work(bench)
    bench.online()
    bench.sync.now = replace(bench.sync.now, forced_offline=True)
    return "/sync"


def trouble(bench: Bench) -> str:
    _offline_work(bench)
    bench.sync.now = replace(bench.sync.now, needs_sign_in=True)
    with bench.db.write_tx() as tx:
        cursor.put(tx, clock_offset_ms=str(-3 * 3600 * 1000))
        events.add(tx, "sync.failed", level="warning", at=bench.clock.now(), code="token_expired")
    return "/sync"


def devices(bench: Bench) -> str:
    bench.online()
    return "/devices"


STATES: dict[str, Callable[[Bench], str]] = {
    "idle": idle, "offline": offline, "waiting": waiting, "others": others, "sending": sending, "parked": parked, "fix": fix,
    "conflict": conflicting, "conflict-lead": at_lead, "lost": lost, "duplicate": pair,
    "first-62": first, "forced": forced, "trouble": trouble, "devices": devices,
}  # fmt: skip

SMALL = (390, 844)

AT_THE_LEAD = {"fix", "conflict-lead", "duplicate"}
"""Seen on the first lead's own page."""


def _fleet(bench: Bench) -> list[Device]:
    now = bench.clock.now()
    return [
        Device(id="0198-aa01f3", person="Kim Park", seen_at=now - timedelta(minutes=1)),
        Device(
            id="0198-bb77c2", person="Pat Lee", seen_at=now - timedelta(hours=26), behind=412, waiting=9,
            oldest_at=now - timedelta(hours=26),
        ),
        Device(
            id="0198-cc2e90", person="Ana Ruiz", seen_at=now - timedelta(minutes=4), waiting=2, parked=1,
            oldest_at=now - timedelta(hours=3),
        ),
        Device(id="0198-dd0a11", person="Jo Meyer", seen_at=now - timedelta(minutes=2), loading=True, behind=8000),
    ]  # fmt: skip


def board(bench: Bench) -> context.Board:
    """What the frame says, as wiring/workplace.py tells it."""
    lamps, zone = bench.sv.sync_centre.lamps(), bench.sv.desk.zone()
    return context.Board(
        context.Status(
            online=lamps.online,
            forced=lamps.forced_offline,
            sending=lamps.sending,
            waiting=lamps.unsent + lamps.parked,
            needs_you=lamps.needs_you,
            lost=lamps.lost,
            as_of=bench.clock.now().astimezone(zone) if lamps.server is not Lamp.OFF else None,
            heard_at=lamps.last_contact_at,
            needs_sign_in=any(found.kind == "sign_in" for found in lamps.troubles),
        )
    )


class Entry(field.Entry):
    """The bench's person, in the look that the address asks for, on the bench's own clock."""

    def __init__(self, bench: Bench, look: theme.Appearance) -> None:
        super().__init__(bench, None)
        self.look = look
        zone = bench.sv.desk.zone()
        self.access = replace(self.access, board=board(bench), now=lambda: bench.clock.now().astimezone(zone))

    def appearance(self, access: context.Access | None) -> theme.Appearance:
        return self.look


async def _main(page: ft.Page) -> None:
    """`?state=…&mode=dark`."""
    asked = dict(
        part.split("=", 1) for part in (page.route or "").partition("?")[2].split("&") if "=" in part
    )
    name = asked.get("state", "idle")
    fleet = Fleet()
    folder = Path(tempfile.mkdtemp(prefix="sync-states-"))
    bench = open_bench(folder, Role.MANAGER if name == "devices" else Role.AGENT, devices=fleet)
    fleet.devices = _fleet(bench)
    route = STATES[name](bench)
    look = theme.Appearance(mode=theme.Mode(asked.get("mode", "light")))
    await app.open_session(page, app.Site(entry=Entry(bench, look), screens=screens.ALL))
    for _ in range(200):  # the app first leads to its own start
        await asyncio.sleep(0.1)
        if (page.route or "").startswith(("/nearby", "/command")):
            break
    await asyncio.sleep(1.0)
    page.navigate(route)


async def serve(port: int) -> None:
    logging.basicConfig(level=logging.WARNING)
    await web.server(web.asgi(_main), host="127.0.0.1", port=port).serve()


async def shots(names: Sequence[str]) -> None:
    """Phone and desktop, light and dark."""
    port = harness.free_port()
    command = harness.python("-m", "tests.browser.sync_states", "serve", "{port}")
    async with harness.app_process(command, port=port) as base, harness.browser() as running:
        for size, device in ((SMALL, "phone"), (harness.DESKTOP, "desktop")):
            for mode in ("light", "dark"):
                for name in names or STATES:
                    async with harness.window(running, base, size=size) as window:
                        await window.open(f"/?state={name}&mode={mode}")
                        await window.page.wait_for_timeout(2500)
                        if name in AT_THE_LEAD:
                            await window.tap(HOUSES[0][0])
                            await window.marked("lead-header").wait_for(state="attached")
                            await window.page.wait_for_timeout(1000)
                        path = await window.shot(f"{device}-{mode}-{name}")
                        sys.stdout.write(f"{path} outside: {window.outside} faults: {window.faults}\n")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[2])) if sys.argv[1] == "serve" else shots(sys.argv[2:]))
