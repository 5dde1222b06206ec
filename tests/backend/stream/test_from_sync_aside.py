"""A row whose content breaks the follower is set aside with the reason and arrives when it is mended; what passes blames nobody."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from backend.deps import Deps
from backend.storage.warehouse import feed_aside, feed_cursor
from backend.stream import dead, from_sync, sink, suspects
from backend.stream.from_sync import apart, sending
from backend.stream.from_sync.changed import Changed
from backend.stream.from_sync.follower import Follower
from domain import tables
from tests.backend.stream.synced_world import NOTHING, World, catch_up, differences, number
from tests.waiting import running, until

pytestmark = pytest.mark.anyio

_LATEST_EDIT = 9_000_000_000_000_000_000
"""Milliseconds: a moment that the trigger of the synced tables takes, and no timestamp does."""


async def _stage_edited_too_late(world: World) -> tuple[str, str]:
    lead = await world.add_lead()
    world.ids["leads"].remove(lead)  # nothing else happens with it
    async with world.deps.pool.acquire() as connection:
        await connection.execute("SELECT set_config('app.edit_ms', $1, false)", str(_LATEST_EDIT))
        await connection.execute("UPDATE leads SET stage = 'agreement' WHERE id = $1", lead)
        await connection.execute("SELECT set_config('app.edit_ms', '', false)")
    return "leads", lead


async def _kind_that_the_warehouse_checks(world: World) -> tuple[str, str]:
    await world.deps.pool.execute("ALTER TABLE dim_lead ADD CHECK (kind <> 'odd')")
    return "leads", await world.add(tables.LEADS, kind="odd", name="A lead", stage="new")


async def _source_too_long_for_its_index(world: World) -> tuple[str, str]:
    await world.deps.pool.execute("CREATE INDEX ON dim_lead (source)")
    long = "".join(f"{world.dice.getrandbits(64):x}" for _ in range(2_000))
    return "leads", await world.add(tables.LEADS, kind="seller", name="A lead", stage="new", source=long)


async def _role_that_a_trigger_refuses(world: World) -> tuple[str, str]:
    await refuse(world.deps, "dim_agent", "role = 'odd'", "P0001")
    return "people", await world.add(tables.PEOPLE, user_id=str(uuid.uuid4()), name="A person", role="odd")


async def _moment_beyond_what_python_knows(world: World) -> tuple[str, str]:
    return "interactions", await _add(
        world, "interactions", "lead_id, kind, occurred_at", "$3, 'call', '12026-11-23 08:00Z'"
    )


async def _closing_day_beyond_what_postgres_knows(world: World) -> tuple[str, str]:
    return "deals", await _add(
        world,
        "deals",
        "lead_id, stage, side_held, price_cents, gross_cents, net_cents, closed_on",
        "$3, 'closed', 'buyer', 5, 4, 3, '5874897-12-31'",
    )


async def _add(world: World, table: str, names: str, values: str) -> str:
    row_id, lead = str(uuid.uuid4()), await world.add_lead()
    await world.deps.pool.execute(
        f"INSERT INTO {table} (id, location_id, {names}) VALUES ($1, $2, {values})",  # noqa: S608 - fixed words
        row_id,
        world.offices[0],
        lead,
    )
    return row_id


_MENDED = {
    "people": "role = 'agent'",
    "leads": "kind = 'buyer', source = 'Web', stage = 'closed'",
    "interactions": "occurred_at = now()",
    "deals": "closed_on = current_date",
}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_stage_edited_too_late, "22008"),
        (_kind_that_the_warehouse_checks, "23514"),
        (_source_too_long_for_its_index, "54000"),
        (_role_that_a_trigger_refuses, "P0001"),
        (_moment_beyond_what_python_knows, "OverflowError"),
        (_closing_day_beyond_what_postgres_knows, "22008"),
    ],
)
async def test_a_row_at_fault_is_set_aside_and_arrives_when_it_is_mended(
    follower: Follower, world: World, make: Callable[[World], Awaitable[tuple[str, str]]], reason: str
) -> None:
    await catch_up(follower)
    await change(world, 2)
    bad = await make(world)
    await change(world, 2)
    await catch_up(follower)

    assert await set_aside(world.deps) == {bad: reason}
    assert await is_all_read(follower)

    await world.deps.pool.execute(f"UPDATE {bad[0]} SET {_MENDED[bad[0]]} WHERE id = $1", bad[1])  # noqa: S608
    await catch_up(follower)

    assert await set_aside(world.deps) == {}
    assert await differences(world.deps) == NOTHING


async def test_two_of_a_page_do_not_take_along_what_belongs_to_them(follower: Follower, world: World) -> None:
    await catch_up(follower)
    await change(world, 7)
    first = await _kind_that_the_warehouse_checks(world)
    call = await _call(world, first[1])
    await change(world, 7)
    second = await _closing_day_beyond_what_postgres_knows(world)
    await change(world, 7)
    await catch_up(follower)

    assert set(await set_aside(world.deps)) == {first, second}
    assert await world.deps.pool.fetchval(
        "SELECT lead_id FROM fact_lead_interactions WHERE event_id = $1", call
    )
    assert {len(rows) for rows in (await differences(world.deps)).values()} == {0, 1}
    assert not (await differences(world.deps))["days"]


async def test_what_is_read_with_a_lead_arrives_when_the_lead_is_mended(
    follower: Follower, world: World
) -> None:
    bad = await _stage_edited_too_late(world)
    call = await _call(world, bad[1])
    await catch_up(follower)
    assert set(await set_aside(world.deps)) == {bad, ("interactions", call)}

    await world.deps.pool.execute("UPDATE leads SET stage = 'offer' WHERE id = $1", bad[1])
    await catch_up(follower)

    assert await set_aside(world.deps) == {}
    assert await differences(world.deps) == NOTHING


async def test_a_change_of_stage_that_was_set_aside_is_told_with_a_later_change(
    follower: Follower, world: World
) -> None:
    lead = await world.add_lead()
    await catch_up(follower)
    await refuse(world.deps, "dim_lead", "stage = 'agreement'", "P0001")
    await world.set(tables.LEADS, lead, {"stage": "agreement"})
    await catch_up(follower)
    assert await set_aside(world.deps) == {("leads", lead): "P0001"}

    await world.deps.pool.execute("DROP FUNCTION refuse CASCADE")
    await world.set(tables.LEADS, lead, {"name": "Another name"})
    await catch_up(follower)

    told = await world.deps.pool.fetch(
        "SELECT stage FROM fact_lead_interactions WHERE event_type = 'stage_changed'"
    )
    assert [row["stage"] for row in told] == ["agreement"]
    assert await differences(world.deps) == NOTHING


async def test_it_is_tried_again_from_time_to_time_and_told_once(
    follower: Follower, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    deps = world.deps
    bad = await _kind_that_the_warehouse_checks(world)
    with caplog.at_level(logging.INFO, "backend.stream.from_sync"):
        await catch_up(follower)
        await look(follower)
        assert (
            await deps.pool.fetchval(
                "SELECT tries FROM bi_feed_aside WHERE again_at > now() + interval '90 seconds'"
            )
            == 2
        )
        assert follower.aside.numbers() == {"aside": 1.0}

        await deps.pool.execute("ALTER TABLE dim_lead DROP CONSTRAINT dim_lead_kind_check")
        await look(follower)

    told = [
        record for record in caplog.records if record.message not in {"from_sync.load", "from_sync.loaded"}
    ]
    assert [record.message for record in told] == ["from_sync.set_aside", "from_sync.taken_back"]
    assert (vars(told[0])["row"], vars(told[0])["reason"]) == (bad[1], "23514")
    assert follower.aside.numbers() == {"aside": 0.0}
    assert await differences(deps) == NOTHING


async def test_a_load_tries_it_too(follower: Follower, world: World) -> None:
    bad = await _kind_that_the_warehouse_checks(world)
    await catch_up(follower)
    await world.deps.pool.execute("ALTER TABLE dim_lead DROP CONSTRAINT dim_lead_kind_check")
    assert set(await set_aside(world.deps)) == {bad}

    await feed_cursor.start_over(follower.connection)
    await catch_up(follower)

    assert await set_aside(world.deps) == {}
    assert await differences(world.deps) == NOTHING


async def test_a_fault_that_nobody_knows_is_a_row_s_only_where_others_pass(
    follower: Follower, world: World
) -> None:
    await refuse(world.deps, "dim_lead", "kind = 'odd'", "XX000")
    bad = await world.add(tables.LEADS, kind="odd", name="A lead", stage="new")
    with pytest.raises(asyncpg.InternalServerError):
        await catch_up(follower)
    assert await set_aside(world.deps) == {}

    await world.add_lead()
    await catch_up(follower)

    assert await set_aside(world.deps) == {("leads", bad): "XX000"}


@pytest.mark.usefixtures("follower")
@pytest.mark.parametrize(
    "act",
    ["RAISE EXCEPTION 'full' USING ERRCODE = '53100'", "PERFORM pg_terminate_backend(pg_backend_pid())"],
)
async def test_for_what_passes_nobody_is_set_aside_and_nothing_is_lost(
    world: World, act: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL is full, or ends the connection, in the middle of a page that is being taken apart."""
    monkeypatch.setattr(from_sync, "FIRST_PAUSE", 0.05)
    deps = world.deps
    await deps.pool.execute("CREATE SEQUENCE met")
    await _kind_that_the_warehouse_checks(world)
    await _trigger(deps, "dim_lead", "kind = 'seller'", f"PERFORM nextval('met'); {act};")
    await change(world, 5)
    await number(deps)

    with caplog.at_level(logging.WARNING, "backend.stream.from_sync"):
        async with running(from_sync.run(deps)):
            await until(lambda: _is_met(deps, 3))
            assert await set_aside(deps) == {}
            await deps.pool.execute("DROP FUNCTION refuse CASCADE")
            await until(lambda: set_aside(deps))
            await until(lambda: _all_in(deps))

    said = [record.message for record in caplog.records if record.message != "from_sync.unsettled"]
    assert said == ["from_sync.waits", "from_sync.set_aside"]


async def _is_met(deps: Deps, times: int) -> bool:
    return bool(await deps.pool.fetchval("SELECT last_value FROM met") >= times)


async def _all_in(deps: Deps) -> bool:
    found = await differences(deps)
    return len(found.pop("leads")) == 1 and not any(found.values())


async def test_what_the_sink_holds_back_for_want_of_proof_does_not_stop_the_follower(
    follower: Follower, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(sending, "PATIENCE", 0.3)
    monkeypatch.setattr(sending, "STORE_WAIT", 0.1)
    deps, lead = world.deps, await world.add_lead()
    await _call(world, lead)
    await catch_up(follower)
    await deps.pool.execute(HELD_BACK)

    bad = await _call(world, lead, channel="poison")
    async with asyncio.timeout(20):
        await catch_up(follower)
    assert await set_aside(deps) == {("interactions", bad): "not_there"}
    assert {letter.reason async for letter in dead.newest_first(deps.valkey)} == {"poison"}

    await deps.pool.execute("DROP FUNCTION refuse CASCADE")
    await look(follower)
    assert await differences(deps) == NOTHING


HELD_BACK = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM changed WHERE channel = 'poison') THEN
            RAISE EXCEPTION 'nobody knows' USING ERRCODE = 'XX000';
        END IF;
        RETURN NULL; END $$;
    CREATE TRIGGER refuse AFTER INSERT ON fact_lead_interactions REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION refuse();
    SELECT bi_follow_triggers()"""


class Deadly:
    """Brings into memory, and one row ends its connection each time."""

    def __init__(self, row: feed_aside.Row) -> None:
        self.row = row
        self.brought: list[feed_aside.Row] = []
        self.ends = 0

    async def __call__(self, changed: Changed) -> dict[feed_aside.Row, str]:
        if self.row in changed.rows():
            self.ends += 1
            raise suspects.EndedError
        self.brought += changed.rows()
        return {}


async def test_a_row_that_connections_end_of_is_found_by_who_comes_after() -> None:
    rows: list[feed_aside.Row] = [("deals", uuid.uuid4()) for _ in range(9)]
    deadly, doubts = Deadly(rows[4]), apart.Doubts()
    changed = Changed.anew(rows, datetime.now(UTC))

    async def others(row: feed_aside.Row) -> list[feed_aside.Row]:
        return [one for one in rows if one != row][:1]

    for _ in range(apart.PATIENCE + apart.MOST_ENDS):
        bench = apart.Bench(
            bring=deadly, is_closed=lambda: False, others=others, now=lambda: datetime.now(UTC), doubts=doubts
        )
        with pytest.raises(suspects.EndedError):
            await bench.brought(changed, rows)
        doubts.stop(ended=True)

    assert await bench.brought(changed, rows) == {rows[4]: "ended"}
    assert set(deadly.brought) == {row for row in rows if row != rows[4]}
    assert deadly.ends == apart.PATIENCE + apart.MOST_ENDS


async def change(world: World, times: int) -> None:
    for _ in range(times):
        await world.add_lead()
        await world.add_interaction()
        await world.add_deal()


async def set_aside(deps: Deps) -> dict[tuple[str, str], str]:
    rows = await deps.pool.fetch("SELECT tbl, row_id, reason FROM bi_feed_aside")
    return {(row["tbl"], row["row_id"]): row["reason"] for row in rows}


async def is_all_read(follower: Follower) -> bool:
    cursor = await feed_cursor.read(follower.connection)
    return cursor is not None and cursor.seq == await follower.connection.fetchval(
        "SELECT head FROM feed_state"
    )


async def look(follower: Follower) -> None:
    """When it is time to."""
    await follower.deps.pool.execute("UPDATE bi_feed_aside SET again_at = now() - interval '1 second'")
    await catch_up(follower)


async def _call(world: World, lead: str, channel: str = "phone") -> str:
    return await world.add(
        tables.INTERACTIONS, lead_id=lead, kind="call", channel=channel, occurred_at=world.moment()
    )


async def refuse(deps: Deps, table: str, condition: str, code: str) -> None:
    """From now on PostgreSQL answers a row of this table so."""
    await _trigger(deps, table, condition, f"RAISE EXCEPTION 'no' USING ERRCODE = '{code}';")


async def _trigger(deps: Deps, table: str, condition: str, act: str) -> None:
    await deps.pool.execute(
        f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {act} RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.{condition}) EXECUTE FUNCTION refuse()"""
    )
