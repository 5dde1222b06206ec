"""The feed's order: whatever order writers commit in, a reader who only goes forward misses nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import feed, pool
from backend.stream import sequencer
from domain import ids
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import new_lead

pytestmark = pytest.mark.anyio

Write = Callable[[pool.Connection], Awaitable[str]]


def writer(location: str) -> Write:
    async def write(connection: pool.Connection) -> str:
        lead_id = ids.new_id()
        await connection.execute(
            "INSERT INTO leads (id, location_id, kind, name, stage) VALUES ($1, $2, 'seller', 'x', 'new')",
            lead_id,
            location,
        )
        return lead_id

    return write


async def test_writers_that_commit_in_reverse_order_are_both_seen(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader = await make_device()
    write = writer(reader.locations[0])
    await stamp()
    await reader.pull()
    async with deps.pool.acquire() as first, deps.pool.acquire() as second:
        slow, quick = first.transaction(), second.transaction()
        await slow.start()
        early = await write(first)
        await quick.start()
        late = await write(second)
        await quick.commit()
        await stamp()
        await reader.pull()
        assert reader.ids("leads") == {late}
        await slow.commit()
    await stamp()
    await reader.pull()
    assert reader.ids("leads") == {early, late}


async def test_an_open_transaction_holds_nobody_up(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    reader = await make_device()
    write = writer(reader.locations[0])
    async with deps.pool.acquire() as connection, connection.transaction():
        await write(connection)
        lead_id = await new_lead(reader)
        await stamp()
        desk = await make_device("manager")
        await desk.pull()
        assert desk.ids("leads") == {lead_id}


async def test_eight_writers_two_stampers_and_a_reader_agree(make_device: MakeDevice, deps: Deps) -> None:
    reader = await make_device()
    write = writer(reader.locations[0])
    made: set[str] = set()

    async def keep_writing() -> None:
        for number in range(20):
            async with pool.transaction(deps.pool) as connection:
                some = [await write(connection) for _ in range(3)]
                await asyncio.sleep(0.001 * (number % 4))
            made.update(some)

    async with _running(sequencer.keep_stamping, deps), _running(sequencer.keep_stamping, deps):
        writing = asyncio.gather(*(keep_writing() for _ in range(8)))
        while not writing.done():
            await reader.page(limit=7)
        await writing
        while reader.ids("leads") != made:
            await reader.page(limit=7)
    assert len(made) == 480
    await _assert_dense(deps)


@asynccontextmanager
async def _running(job: Callable[..., Awaitable[None]], deps: Deps) -> Any:
    task = asyncio.ensure_future(job(deps.pool, deps.hub))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _assert_dense(deps: Deps) -> None:
    """Numbers 1 to head without a gap; each transaction together; each row's versions in order."""
    async with deps.pool.acquire() as connection:
        log = await connection.fetch("SELECT seq, xid::text, row_id, ver FROM change_log ORDER BY seq")
        head = await feed.head(connection)
    assert [line["seq"] for line in log] == list(range(1, head.seq + 1))
    order = [line["xid"] for line in log]
    switches = sum(before != after for before, after in itertools.pairwise(order))
    assert switches == len(set(order)) - 1
    for row_id in {line["row_id"] for line in log}:
        versions = [line["ver"] for line in log if line["row_id"] == row_id]
        assert versions == sorted(versions)


async def test_interleaved_transactions_are_numbered_each_in_one_piece(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    write = writer((await make_device()).locations[0])
    async with deps.pool.acquire() as first, deps.pool.acquire() as second:
        async with first.transaction(), second.transaction():
            for _ in range(3):
                await write(first)
                await write(second)
    await stamp()
    await _assert_dense(deps)


async def test_a_page_never_ends_inside_a_transaction(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    reader = await make_device()
    write = writer(reader.locations[0])
    await stamp()
    await reader.pull()
    for size in (1, 5, 2):
        async with pool.transaction(deps.pool) as connection:
            for _ in range(size):
                await write(connection)
    await stamp()
    pages = await reader.pull(limit=2)
    assert [sum(len(b.rows) for b in page.blocks) for page in pages] == [6, 2]


async def test_the_age_of_what_waits_for_its_number_is_known(make_device: MakeDevice, stamp: Stamp) -> None:
    phone = await make_device()
    await new_lead(phone)
    ages = []
    for _ in range(2):
        answer = await phone.client.get("/api/sync/status", headers=phone.headers)
        ages.append(answer.json()["unstamped_seconds"])
        await stamp()
    assert ages[0] > ages[1] == 0
