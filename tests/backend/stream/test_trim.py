"""Streams are trimmed behind every reader, and never into what is not stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import asyncio as redis

from backend.deps import Deps
from backend.stream import entries, trim
from backend.stream.keeping import OFFSET

pytestmark = pytest.mark.anyio

STREAM = entries.NAMES[0]
COUNT = 1_000
ROOM = 10**9


async def filled(valkey: redis.Redis, *, first_ms: int) -> list[bytes]:
    """So many entries, a millisecond apart, all read by the sink's group."""
    pipe = valkey.pipeline()
    pipe.xgroup_create(STREAM, entries.SINK_GROUP, id="0", mkstream=True)
    for n in range(COUNT):
        pipe.xadd(STREAM, {"event": b"x" * 100}, id=f"{first_ms + n}-0")
    pipe.xreadgroup(entries.SINK_GROUP, "sink-0", {STREAM: ">"}, count=COUNT)
    return (await pipe.execute())[1:-1]


async def left(valkey: redis.Redis) -> list[Any]:
    return [id for id, _ in await valkey.xrange(STREAM) or ()]


def an_hour_ago() -> int:
    return int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)


async def once(deps: Deps, *, most_bytes: int = ROOM) -> int:
    return await trim.once(deps.valkey, datetime.now(UTC), most_bytes=most_bytes)


async def test_what_both_readers_passed_goes(deps: Deps) -> None:
    ids = await filled(deps.valkey, first_ms=an_hour_ago())
    await deps.valkey.xack(STREAM, entries.SINK_GROUP, *ids)
    await deps.valkey.set(OFFSET + STREAM.removeprefix(entries.PREFIX), ids[599])

    assert 500 <= await once(deps) <= 600
    assert (await left(deps.valkey))[0] <= ids[600]


async def test_what_is_not_acknowledged_stays_however_much_it_is(deps: Deps) -> None:
    ids = await filled(deps.valkey, first_ms=an_hour_ago())
    await deps.valkey.xack(STREAM, entries.SINK_GROUP, *ids[:300], *ids[400:])
    await deps.valkey.set(OFFSET + STREAM.removeprefix(entries.PREFIX), ids[-1])

    assert await once(deps, most_bytes=1) <= 300
    assert set(ids[300:]) <= set(await left(deps.valkey))


async def test_windows_that_say_nothing_keep_a_day_and_no_more(deps: Deps) -> None:
    ids = await filled(deps.valkey, first_ms=an_hour_ago() - 24 * 3_600_000)
    fresh = await deps.valkey.xadd(STREAM, {"event": b"x"}, id=f"{an_hour_ago()}-0")
    await deps.valkey.xreadgroup(entries.SINK_GROUP, "sink-0", {STREAM: ">"})
    await deps.valkey.xack(STREAM, entries.SINK_GROUP, *ids, fresh)

    assert await once(deps) >= COUNT - 100
    assert fresh in await left(deps.valkey)


async def test_where_there_is_no_room_the_windows_are_not_waited_for(deps: Deps) -> None:
    ids = await filled(deps.valkey, first_ms=an_hour_ago())
    await deps.valkey.xack(STREAM, entries.SINK_GROUP, *ids)

    assert await once(deps) == 0
    assert await once(deps, most_bytes=4) >= COUNT - 100


async def test_without_streams_or_group_there_is_nothing_to_do(deps: Deps) -> None:
    await deps.valkey.xadd(STREAM, {"event": b"x"})

    assert await once(deps) == 0


@pytest.mark.parametrize(("where", "below"), [((5, 3), (5, 2)), ((5, 0), (4, 2**64 - 1)), ((0, 0), (0, 0))])
def test_the_id_before(where: trim.Place, below: trim.Place) -> None:
    assert trim.before(where) == below


@pytest.mark.parametrize("where", [(5, 3), (5, 2**64 - 1)])
def test_after_is_the_other_way(where: trim.Place) -> None:
    assert trim.before(trim.after(where)) == where
    assert trim.place(trim.text(where)) == where
