"""What the stream processor tells through Valkey: which tags a commit touched, and what moved in the windows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from backend import faults
from backend.stream import entries, keeping

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

    from backend.deps import Deps

logger = logging.getLogger(__name__)

_NO_TICK = (ValueError, TypeError, KeyError, AttributeError)
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0


class News:
    """`touched(location keys)` after a commit; `moved(tick)` for each tick; `deaf`: Valkey is away, so look yourself."""

    def __init__(
        self, deps: Deps, *, touched: Callable[[frozenset[int]], None], moved: Callable[[Any], None]
    ) -> None:
        self._deps = deps
        self._touched = touched
        self._moved = moved
        self.deaf = True

    async def run(self) -> None:
        """Listen until cancelled; takes a cut line up again."""
        wait = FIRST_WAIT
        channels = (self._deps.channel(entries.TOUCHED), self._deps.channel(entries.DELTAS))
        while True:
            try:
                async with self._deps.valkey.pubsub(ignore_subscribe_messages=True) as line:
                    await line.subscribe(*channels)
                    self.deaf, wait = False, FIRST_WAIT
                    await self._latest()
                    await self._listen(line)
            except faults.FROM_VALKEY as fault:
                logger.warning("live.no_valkey", extra={"fault": type(fault).__name__})
            finally:
                self.deaf = True
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _latest(self) -> None:
        """What was told before this line stood, and while it was cut: the processor keeps the newest rows."""
        held: Any = await self._deps.valkey.hgetall(keeping.LATEST)
        meta = held.pop(keeping.META.encode(), None)
        if meta is None:
            return
        try:
            self._moved(orjson.loads(meta) | {"rows": [orjson.loads(row) for row in held.values()]})
        except _NO_TICK:
            logger.warning("live.not_understood", extra={"channel": keeping.LATEST})

    async def _listen(self, line: PubSub) -> None:
        touched = self._deps.channel(entries.TOUCHED).encode()
        while True:
            message = await line.get_message(timeout=30.0)
            if message is None:
                await line.ping()
                continue
            if message["type"] != "message":
                continue
            try:
                said = orjson.loads(message["data"])
                if message["channel"] == touched:
                    self._touched(keys_of(said["tags"]))
                else:
                    self._moved(said)
            except _NO_TICK:
                logger.warning("live.not_understood", extra={"channel": str(message["channel"])})


def keys_of(tags: list[str]) -> frozenset[int]:
    """The location keys that tags name (entries.hour_tag and its like). Raises: ValueError."""
    parts = (tag.split(":", 2) for tag in tags)
    return frozenset(int(part[1]) for part in parts if part[0] == "loc" and len(part) > 1)
