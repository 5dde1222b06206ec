"""Pages of the feed: whole transactions, about a megabyte, and every change in one of them."""

from __future__ import annotations

import pytest

from backend.deps import Deps
from backend.services import page as pages
from backend.storage import feed, pool
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, new_lead

pytestmark = pytest.mark.anyio


async def add_leads(deps: Deps, device: Device, count: int, size: int = 1) -> set[str]:
    """In one transaction."""
    made = [ids.new_id() for _ in range(count)]
    async with pool.transaction(deps.pool) as connection:
        await connection.executemany(
            "INSERT INTO leads (id, location_id, kind, name, stage, area) VALUES ($1, $2, 'seller', 'x', 'new', $3)",
            [(lead, device.locations[0], "y" * size) for lead in made],
        )
    return set(made)


def rows_of(page: wire.Page) -> set[str]:
    return {row[0] for block in page.blocks for row in block.rows}


async def test_a_page_ends_with_a_transaction_before_a_megabyte_is_full(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader = await make_device()
    await stamp()
    await reader.pull()
    size = pages.MOST_BYTES // 10
    made = [await add_leads(deps, reader, count, size) for count in (4, 4, 4, 4, 1)]
    await stamp()

    found = await reader.pull(limit=5000)

    assert [rows_of(page) for page in found] == [made[0] | made[1], made[2] | made[3] | made[4]]


async def test_a_transaction_larger_than_a_page_comes_whole(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader = await make_device()
    await stamp()
    await reader.pull()
    small = await add_leads(deps, reader, 3)
    large = await add_leads(deps, reader, 30, pages.MOST_BYTES // 20)
    after = await add_leads(deps, reader, 2)
    await stamp()

    found = await reader.pull(limit=2)

    assert [rows_of(page) for page in found if rows_of(page)] == [small, large, after]


async def test_only_a_transaction_of_thousands_of_rows_is_cut(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader = await make_device()
    await stamp()
    await reader.pull()
    made = await add_leads(deps, reader, feed.BIGGEST_TRANSACTION + 200)
    await stamp()

    found = await reader.pull(limit=100)

    assert [len(rows_of(page)) for page in found] == [feed.BIGGEST_TRANSACTION + 100, 100]
    assert reader.ids("leads") == made


async def test_rows_that_were_deleted_or_that_only_the_reader_wrote_take_no_room(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader, other = await make_device(), await make_device()
    await stamp()
    await reader.pull()
    half = "z" * (pages.MOST_BYTES // 2)
    mine = await new_lead(reader, area=half, motivation=half)
    gone = await add_leads(deps, other, 3, pages.MOST_BYTES // 2)
    await deps.pool.execute("UPDATE leads SET _deleted_at = now() WHERE id = ANY($1::uuid[])", list(gone))
    kept = await add_leads(deps, other, 3)
    await stamp()

    (page,) = await reader.pull()

    assert rows_of(page) == kept
    assert {row_id for _, row_id in page.removed} == gone
    assert mine not in rows_of(page)


async def test_the_floor_is_where_a_device_starts_over(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader = await make_device()
    for _ in range(3):
        await new_lead(reader)
    await stamp()
    await reader.pull()
    async with deps.pool.acquire() as connection:
        head = await feed.head(connection)
        await connection.execute("UPDATE feed_state SET floor = $1", head.seq)
        await reader.page()
        await connection.execute("UPDATE feed_state SET floor = $1, head = $1", head.seq + 1)

    answer = await reader.client.get(
        "/api/sync/pull", params={"cursor": reader.cursor}, headers=reader.headers
    )

    assert (answer.status_code, answer.json()["code"]) == (410, "resync")
