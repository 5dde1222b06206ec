"""Who looks at which channel, over all gateway processes: a sorted set each, by the time an entry ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from backend import faults

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

SECONDS = 90
_KEY = "bi:ws:presence:"


async def show(deps: Deps, present: Mapping[str, Iterable[str]]) -> None:
    """By channel, the members (ids, no names) that are here for the next SECONDS. Without Valkey: nothing happens."""
    now = deps.clock.now().timestamp()
    try:
        async with asyncio.timeout(2), deps.valkey.pipeline(transaction=False) as pipe:
            for channel, members in present.items():
                if shown := dict.fromkeys(members, now + SECONDS):
                    pipe.zadd(_KEY + channel, shown)
                pipe.zremrangebyscore(_KEY + channel, 0, now)
                pipe.expire(_KEY + channel, SECONDS * 2)
            await pipe.execute()
    except faults.FROM_VALKEY as fault:
        logger.debug("presence.no_valkey", extra={"fault": type(fault).__name__})


async def leave(deps: Deps, member: str, channels: Iterable[str]) -> None:
    """Its line was closed."""
    try:
        async with asyncio.timeout(2), deps.valkey.pipeline(transaction=False) as pipe:
            for channel in channels:
                pipe.zrem(_KEY + channel, member)
            await pipe.execute()
    except faults.FROM_VALKEY as fault:
        logger.debug("presence.no_valkey", extra={"fault": type(fault).__name__})


async def counts(deps: Deps, channels: Iterable[str]) -> Mapping[str, int] | None:
    """Lines per channel over all processes; None without Valkey."""
    names = list(channels)
    now = deps.clock.now().timestamp()
    try:
        async with asyncio.timeout(2), deps.valkey.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.zcount(_KEY + name, now, "+inf")
            return dict(zip(names, await pipe.execute(), strict=True))
    except faults.FROM_VALKEY:
        return None
