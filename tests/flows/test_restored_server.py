"""The server's database is put back to an earlier hour: the devices' journals make it whole again, all of it and once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from backend.deps import Deps
from backend.services import restore
from backend.storage import pool
from domain import tables
from tests.flows.conftest import Stamp
from tests.flows.phones import MakePhone, Phone

pytestmark = pytest.mark.anyio

KEPT = (
    *(table.name for table in tables.ALL),
    "change_log",
    "feed_state",
    "applied_mutations",
    "parked_mutations",
)


async def copied(deps: Deps) -> Callable[[], Awaitable[None]]:
    """A copy of the synced tables as they are now; call it to put them back, as a restored backup does."""
    async with pool.transaction(deps.pool) as connection:
        await connection.execute("CREATE SCHEMA copied")
        for name in KEPT:
            await connection.execute(f"CREATE TABLE copied.{name} AS TABLE {name}")

    async def put_back() -> None:
        async with pool.transaction(deps.pool) as connection:
            await connection.execute("SET LOCAL session_replication_role = replica")
            for name in KEPT:
                columns = await connection.fetch(
                    "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public'"
                    " AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position",
                    name,
                )
                listed = ", ".join(column["name"] for column in columns)
                await connection.execute(f"DELETE FROM {name}")  # noqa: S608 - names of tables
                await connection.execute(
                    f"INSERT INTO {name} ({listed}) OVERRIDING SYSTEM VALUE SELECT {listed} FROM copied.{name}"  # noqa: S608
                )

    return put_back


async def at_the_server(deps: Deps, table: tables.Table) -> Mapping[str, Mapping[str, Any]]:
    found = await deps.pool.fetch(f"SELECT * FROM {table.name} WHERE _deleted_at IS NULL")  # noqa: S608
    return {row["id"]: dict(row) for row in found}


async def settled(stamp: Stamp, *phones: Phone) -> None:
    """Until nobody has anything to say."""
    for _ in range(3):
        for phone in phones:
            await phone.run()
            await stamp()


async def test_what_was_acknowledged_after_the_copy_comes_back_from_the_phones_once(
    make_phone: MakePhone, deps: Deps, stamp: Stamp
) -> None:
    ann, bob = await make_phone(), await make_phone()
    old = ann.add_lead(name="Old", tags=["a"])
    await settled(stamp, ann, bob)
    put_back = await copied(deps)
    before = await at_the_server(deps, tables.LEADS)
    new = ann.add_lead(name="New")
    ann.change(old, tags=["a", "b"])
    await settled(stamp, ann, bob)
    bob.change(old, motivation="moves")
    await settled(stamp, ann, bob)
    bob.change(old, area="north")  # not sent yet when it happens

    await put_back()
    assert await at_the_server(deps, tables.LEADS) == before
    await restore.renew(deps.pool)
    await settled(stamp, ann, bob)

    leads = await at_the_server(deps, tables.LEADS)
    assert set(leads) == {old, new}
    assert [leads[old][name] for name in ("motivation", "area", "tags")] == ["moves", "north", ["a", "b"]]
    assert leads[new]["name"] == "New"
    assert ann.everything() == bob.everything()
    assert (ann.unsent(), bob.unsent()) == (0, 0)


async def test_a_server_put_back_without_a_word_is_found_out_by_the_first_phone_ahead_of_it(
    make_phone: MakePhone, deps: Deps, stamp: Stamp
) -> None:
    ann, bob = await make_phone(), await make_phone()
    ann.add_lead(name="Old")
    await settled(stamp, ann, bob)
    put_back = await copied(deps)
    new = ann.add_lead(name="New")
    await settled(stamp, ann, bob)

    await put_back()
    assert new not in await at_the_server(deps, tables.LEADS)
    await settled(stamp, ann, bob)

    assert new in await at_the_server(deps, tables.LEADS)
    assert ann.everything() == bob.everything()


async def test_an_edit_of_a_row_that_another_phone_must_bring_back_first_is_listed_and_not_lost(
    make_phone: MakePhone, deps: Deps, stamp: Stamp
) -> None:
    ann, bob = await make_phone(), await make_phone()
    put_back = await copied(deps)
    new = ann.add_lead(name="New")
    await settled(stamp, ann, bob)
    bob.change(new, source="bob")
    await settled(stamp, bob, ann)

    await put_back()
    await settled(stamp, bob, ann)

    (line,) = bob.db.rows("SELECT state, code, patch FROM outbox")
    assert line["patch"] == '{"source":"bob"}'
    came_first = line["state"] == "parked"
    assert line["code"] == ("not_found" if came_first else "")
    assert (await at_the_server(deps, tables.LEADS))[new]["source"] == (None if came_first else "bob")
