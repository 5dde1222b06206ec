"""A sink's place in the group: consumer `sink-N`, as long as its connection to PostgreSQL holds the advisory lock N.

So nobody has to guess from idle times who lives: what a consumer with a free lock had read is taken over at once.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from redis import asyncio as redis
from redis import exceptions as redis_errors

from backend.storage.pool import Connection
from backend.storage.warehouse import facts
from backend.stream import entries, groups
from backend.stream.batches import MOST
from backend.stream.groups import Entry, Read
from domain import errors

logger = logging.getLogger(__name__)

PLACES = 64
_LOCKS = 7_305_802
NAME = "sink-"
STRANGER_IDLE_MS = 600_000
"""What a consumer that is none of ours read may be taken from it after so long."""
BLOCK_MS = 1_000
_MAKE = """
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err then
    if string.find(made.err, 'BUSYGROUP') then return 0 end
    return made
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""
_FIRST_COUNT = 50
_MOST_COUNT = 2_000
_AT_ONCE = 1_000


@asynccontextmanager
async def opened(url: str, valkey: redis.Redis, channel: str = entries.STORED) -> AsyncIterator[Consumer]:
    """The first free place. Raises: EngineError when there is none; what asyncpg and redis raise."""
    connection = await facts.connect(url)
    try:
        number = await _first_free(connection)
        consumer = Consumer(connection, valkey, number, channel)
        await consumer.make_groups()
        yield consumer
    finally:
        connection.terminate()


async def _first_free(connection: Connection) -> int:
    for number in range(PLACES):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _LOCKS, number):
            return number
    raise errors.EngineError(
        f"{PLACES} sinks run already.", where="sink", hint="More of them would not be faster: stop some."
    )


class Consumer:
    """Reads for one place. `channel`: where `entries.STORED` is told."""

    def __init__(self, connection: Connection, valkey: redis.Redis, number: int, channel: str) -> None:
        self.connection = connection
        self.name = f"{NAME}{number}"
        self._number = number
        self._valkey = valkey
        self._channel = channel
        self._counts = dict.fromkeys(entries.NAMES, _FIRST_COUNT)

    async def make_groups(self) -> None:
        for stream in entries.NAMES:
            try:
                made = await self._make_group(stream)
            except redis_errors.ResponseError as fault:
                if "WRONGTYPE" not in str(fault):
                    raise
                await self._set_aside(stream)
                made = await self._make_group(stream)
            if made:
                logger.info("sink.group_made", extra={"stream": stream})

    async def _make_group(self, stream: str) -> bool:
        """Nobody may take what is stored from now on for a sign that what lay there before is: it is said in the same moment."""
        told = orjson.dumps({"stream": stream})
        return bool(await self._valkey.eval(_MAKE, 1, stream, entries.SINK_GROUP, self._channel, told))

    async def _set_aside(self, stream: str) -> None:
        """What lies in a stream's place and is none stops everybody: it is moved beside it, whatever it is."""
        seconds, micros = await self._valkey.time()
        name = f"{stream}:set_aside:{seconds}{micros:06}"
        await self._valkey.rename(stream, name)
        logger.error("sink.no_stream", extra={"stream": stream, "set_aside": name})

    async def new(self) -> Read:
        """What nobody has read yet; waits for something a while."""
        pipe = self._valkey.pipeline(transaction=False)
        for stream, count in self._counts.items():
            pipe.xreadgroup(entries.SINK_GROUP, self.name, {stream: ">"}, count=count)
        found = [one for answer in await self._in_group(pipe.execute()) for one in groups.read(answer)]
        if not found:
            waiting = self._valkey.xreadgroup(
                entries.SINK_GROUP,
                self.name,
                dict.fromkeys(entries.NAMES, ">"),
                count=_FIRST_COUNT,
                block=BLOCK_MS,
            )
            found = groups.read(await self._in_group(waiting))
        for stream, some in found:
            self._counts[stream] = _count(some)
        return found

    async def own(self, after: Mapping[str, bytes]) -> Read:
        """What this place has read and not acknowledged, some of the oldest; of a stream in `after`, behind that entry."""
        reading = self._valkey.xreadgroup(
            entries.SINK_GROUP,
            self.name,
            {stream: after.get(stream, b"0") for stream in entries.NAMES},
            count=_FIRST_COUNT,
        )
        return [one for one in groups.read(await self._in_group(reading)) if one[1]]

    async def deliveries(self, read: Read) -> Mapping[tuple[str, bytes], int]:
        """How often each of these entries of its own was handed out."""
        pipe = self._valkey.pipeline(transaction=False)
        for stream, some in read:
            pipe.xpending_range(
                stream,
                entries.SINK_GROUP,
                min=some[0][0],
                max=some[-1][0],
                count=len(some),
                consumername=self.name,
            )
        answers: Any = await self._in_group(pipe.execute())
        return {
            (stream, row["message_id"]): row["times_delivered"]
            for (stream, _), rows in zip(read, answers, strict=False)
            for row in rows
        }

    async def take_over(self) -> int:
        """What the dead had read is this place's from now on; how many entries."""
        return sum([await self._take_over(stream) for stream in entries.NAMES])

    async def _take_over(self, stream: str) -> int:
        pending = await self._in_group(self._valkey.xpending(stream, entries.SINK_GROUP))
        taken = 0
        for one in pending.get("consumers") or ():
            name = one["name"].decode()
            if name == self.name:
                continue
            number = _number(name)
            if number is None:
                taken += await self._claim(stream, name, idle_ms=STRANGER_IDLE_MS)
            elif await self.connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _LOCKS, number):
                try:
                    taken += await self._claim(stream, name, idle_ms=0)
                finally:
                    await self.connection.execute("SELECT pg_advisory_unlock($1, $2)", _LOCKS, number)
        return taken

    async def _claim(self, stream: str, name: str, *, idle_ms: int) -> int:
        rows = await self._valkey.xpending_range(
            stream,
            entries.SINK_GROUP,
            min="-",
            max="+",
            count=_AT_ONCE,
            consumername=name,
            idle=idle_ms or None,
        )
        ids: list[Any] = [row["message_id"] for row in rows]
        if ids:
            await self._valkey.xclaim(
                stream, entries.SINK_GROUP, self.name, min_idle_time=idle_ms, message_ids=ids, justid=True
            )
            logger.info("sink.took_over", extra={"stream": stream, "consumer": name, "entries": len(ids)})
        return len(ids)

    async def _in_group(self, asking: Any) -> Any:
        """A Valkey that was started empty has no groups: they are made, and there is nothing to read yet."""
        try:
            return await asking
        except redis_errors.ResponseError as fault:
            if not groups.lacks(fault):
                raise
            logger.warning("sink.valkey_began_anew")
            await self.make_groups()
            return {}


def _count(found: Sequence[Entry]) -> int:
    """So many entries of this stream the next time that they hold about a transaction's events; they may be packed."""
    size = sum(len(fields.get(entries.PACKED, b"")) for _, fields in found if fields)
    events = max(len(found), size // 300)
    return max(1, min(_MOST_COUNT, MOST * len(found) // (2 * events)))


def _number(name: str) -> int | None:
    number = name.removeprefix(NAME)
    return int(number) if name.startswith(NAME) and number.isdigit() else None
