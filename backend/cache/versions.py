"""Versions of buckets: raised by whoever commits facts, mirrored in every process that answers from them.

They live in one hash in Valkey. A process that can't hear of news knows no version, and then nothing is answered from the cache.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis import asyncio as redis
from redis import exceptions as redis_errors

from backend.cache import spans

logger = logging.getLogger(__name__)

HASH = "bi:versions"
_MOST_TAGS = 2_000
_TELL = """
local now = redis.call('TIME')
local version = now[1] .. string.format('%06d', now[2])
local fields = {}
for i = 2, #ARGV do
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = version
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PUBLISH', ARGV[1], '{"version":"' .. version .. '","tags":["' .. table.concat(ARGV, '","', 2) .. '"]}')
"""


def ask(pipe: redis.client.Pipeline, channel: str, tags: Iterable[str]) -> None:
    """Add to `pipe`: these buckets were changed by a commit; give them a new version and tell all processes on `channel`."""
    raised = spans.with_wider(tags)
    for start in range(0, len(raised), _MOST_TAGS):
        pipe.eval(_TELL, 1, HASH, channel, *raised[start : start + _MOST_TAGS])


async def tell(valkey: redis.Redis, channel: str, tags: Iterable[str]) -> None:
    """The same at once. Raises: RedisError."""
    async with valkey.pipeline(transaction=False) as pipe:
        ask(pipe, channel, tags)
        await pipe.execute()


async def forget(valkey: redis.Redis, *, before: float) -> int:
    """Drop versions given before `before` (seconds of the epoch; older than any answer that is kept); how many."""
    old: list[Any] = []
    async for tag, version in valkey.hscan_iter(HASH, count=1_000):
        if int(version) < before * 1e6:
            old.append(tag)
    for start in range(0, len(old), _MOST_TAGS):
        await valkey.hdel(HASH, *old[start : start + _MOST_TAGS])
    return len(old)


@dataclass(slots=True)
class Versions:
    """This process's mirror. `heard` runs as one task; `revision` changes with every news."""

    valkey: redis.Redis
    channel: str
    known: bool = False
    revision: int = 0
    line: int = 0
    """Numbers the times that everything was read anew."""
    _life: bytes = b""
    """The run of Valkey: one that died may have lost versions, so that nothing answered in an earlier run is believed."""
    _of: dict[str, bytes] = field(default_factory=dict)
    _heard: dict[str, int] = field(default_factory=dict)
    _news: set[str] = field(default_factory=set)

    def digest(self, tags: Sequence[str]) -> bytes | None:
        """Equal while none of these buckets changed; None while this process does not hear of news."""
        if not self.known:
            return None
        said = b",".join([self._life, *(self._of.get(tag, b"") for tag in tags)])
        return hashlib.blake2b(said, digest_size=12).digest()

    def news(self) -> set[str]:
        """Buckets that were touched since this was asked last."""
        found, self._news = self._news, set()
        return found

    def touched_since(self, tag: str, revision: int) -> bool:
        """Whether news of this bucket came after `revision`."""
        return self._heard.get(tag, 0) > revision

    async def run(self) -> None:
        """Hear of news until cancelled; after a cut everything is read anew."""
        wait = 0.2
        while True:
            try:
                async with self.valkey.pubsub(ignore_subscribe_messages=True) as heard:
                    await heard.subscribe(self.channel)
                    await self._load()
                    wait = 0.2
                    await self._hear(heard)
            except (redis_errors.RedisError, OSError, ValueError, KeyError) as fault:
                logger.warning("versions.deaf", extra={"fault": type(fault).__name__})
            finally:
                self.known = False
                self.revision += 1
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)

    async def _load(self) -> None:
        self._life = _bytes((await self.valkey.info("server"))["run_id"])
        found = await self.valkey.hgetall(HASH)
        self._of = {_bytes(tag).decode(): _bytes(version) for tag, version in found.items()}
        self._heard = {}
        self._news = set()
        self.known = True
        self.revision += 1
        self.line += 1

    async def _hear(self, heard: redis.client.PubSub) -> None:
        while True:
            message = await heard.get_message(timeout=15.0)
            if message is None:
                await heard.ping()
                continue
            if message["type"] != "message":
                continue  # the answer to our ping
            said = orjson.loads(message["data"])
            version = said["version"].encode()
            self.revision += 1
            for tag in said["tags"]:
                self._of[tag] = version
                self._heard[tag] = self.revision
            self._news.update(said["tags"])


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
